//! The platform's keys for encrypted bodies, as a running switch has them: made at the first start,
//! read at every one, and read again when the file was rotated. It owns that a file which cannot be
//! read changes nothing.

use std::sync::Arc;
use std::time::Duration;

use admin_api::jwe::{
    Jwe, KeyRules, PlatformKeyFile, PlatformKeys, PoolSettings, RsaBits, RsaPool,
};
use anyhow::Context;
use switch_security::LocalMasterKeys;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::clock::now;
use crate::config::Config;
use crate::keys::{make_private_directory, master_keys};

/// The file, and what opens it.
pub(super) struct BodyKeys {
    file: PlatformKeyFile,
    masters: LocalMasterKeys,
}

/// The platform's keys; a first one is made where there is none.
pub(super) fn open(config: &Config) -> anyhow::Result<(Arc<Jwe>, BodyKeys)> {
    let settings = &config.api.encryption;
    let masters = master_keys(config)?.context(
        "the management API needs a local master key, under which its keys lie: make its \
         components with `cardswitch keys ceremony first.lmk second.lmk`, and name them in \
         security.lmk_components",
    )?;
    if let Some(directory) = settings.key_file.parent().filter(|it| !it.as_os_str().is_empty()) {
        make_private_directory(directory)?;
    }
    let file = PlatformKeyFile::new(settings.key_file.clone(), KeyRules::default());
    let keys = match file.load(&masters, now())? {
        Some(keys) => keys,
        None => file.create(&masters, RsaBits::Bits3072)?,
    };
    tracing::info!(kid = keys.active().kid().as_str(), "key for encrypted requests");
    Jwe::describe_metrics();
    let pool = PoolSettings { workers: settings.workers, waiting: settings.waiting };
    let jwe = Arc::new(Jwe::new(keys, RsaPool::new(pool)));
    Ok((jwe, BodyKeys { file, masters }))
}

/// Looks now and then whether the file was rotated, until stopped.
pub(super) async fn look(keys: BodyKeys, jwe: Arc<Jwe>, every: Duration, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let keys = Arc::new(keys);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        let (keys, jwe) = (Arc::clone(&keys), Arc::clone(&jwe));
        let looked = tokio::task::spawn_blocking(move || take_over(&keys, &jwe)).await;
        if let Err(error) = looked.map_err(anyhow::Error::from).and_then(|done| done) {
            tracing::warn!(%error, "the key file of encrypted bodies cannot be used");
        }
    }
}

fn take_over(keys: &BodyKeys, jwe: &Jwe) -> anyhow::Result<()> {
    let BodyKeys { file, masters } = keys;
    let found = file.load(masters, now())?.context("it is gone")?;
    if lives(&found) != lives(&jwe.keys()) {
        tracing::info!(kid = found.active().kid().as_str(), "keys of encrypted bodies read anew");
        jwe.replace_keys(found);
    }
    Ok(())
}

/// Which keys there are, and until when each opens tokens; those that have ended are no difference.
fn lives(keys: &PlatformKeys) -> Vec<String> {
    let now = now();
    keys.iter()
        .filter(|(_, life)| life.lives(now))
        .map(|(key, life)| format!("{} {life:?}", key.kid().as_str()))
        .collect()
}
