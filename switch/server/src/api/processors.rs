//! Processors elsewhere: made ready before anything is served, and their files read again. It owns
//! that a switch whose configuration names a key or a file that is not there does not start.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use admin_api::cards::Processors;
use admin_api::cards::processor::{InProcess, Processor, RemoteProcessor};
use anyhow::Context;
use switch_security::{KeyName, KeyRing, KeyUsage, SecurityModule};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::config::ApiProcessor;

/// Those of the configuration.
pub(crate) type Remotes = Vec<Arc<RemoteProcessor>>;

/// The switch itself and those elsewhere. Reads the files of certificates, and makes keys.
pub(crate) fn open(
    config: &BTreeMap<String, ApiProcessor>,
    (security, ring): (&Arc<dyn SecurityModule>, &KeyRing),
) -> anyhow::Result<(Processors, Remotes)> {
    let mut remotes = Remotes::new();
    for (name, processor) in config {
        let place = || format!("api.processors.{name}");
        let settings = processor.settings().with_context(place)?;
        if !settings.pin_key.is_empty() {
            let key = KeyName::new(settings.pin_key.as_str()).with_context(place)?;
            ring.find(&key, KeyUsage::P0).with_context(|| {
                format!(
                    "{}.pin_key: import the zone PIN key that is shared with the processor, with \
                     `cardswitch keys import NAME --usage P0`",
                    place()
                )
            })?;
        }
        let remote = RemoteProcessor::new(name, settings).with_context(place)?;
        remotes.push(Arc::new(remote));
    }
    let named = |remote: &Arc<RemoteProcessor>| -> (String, Arc<dyn Processor>) {
        (remote.name().to_owned(), Arc::clone(remote) as _)
    };
    let in_process = InProcess::new(Arc::clone(security));
    Ok((Processors::new(in_process, remotes.iter().map(named)), remotes))
}

/// Looks now and then whether the files have changed. Files that are broken change nothing: what
/// was read before stays in use.
pub(super) async fn look(remotes: Remotes, every: Duration, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        for remote in &remotes {
            let (remote, name) = (Arc::clone(remote), remote.name());
            match tokio::task::spawn_blocking(move || remote.reload()).await {
                Ok(Ok(false)) => {}
                Ok(Ok(true)) => tracing::info!(name, "the files of a processor are read anew"),
                Ok(Err(error)) => {
                    tracing::warn!(name, %error, "the files of a processor cannot be used");
                }
                Err(error) => tracing::warn!(name, %error, "the files of a processor are not read"),
            }
        }
    }
}
