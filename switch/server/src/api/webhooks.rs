//! Webhooks of a running switch: the key of their secrets, and the tasks that make messages, send
//! them and let go what is old. It owns that nothing is sent where no authorities are configured,
//! while what is to be told is noted all the same, or the journal could not be archived; and that
//! what stops the tasks loses nothing: messages are rows.

use std::sync::Arc;
use std::time::Duration;

use admin_api::Services;
use admin_api::webhooks::{
    Feeder, HttpsSender, Runner, SystemResolver, WebhookKeyFile, WebhookSeal, Webhooks,
};
use anyhow::Context;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::clock::now;
use crate::config::Config;
use crate::keys::{make_private_directory, master_keys};
use crate::runtimes::Apart;

/// How often what is old goes, and the files of certificates are looked at.
const SWEPT_EVERY: Duration = Duration::from_secs(30);
/// Statements of one round.
const ROUNDS: u32 = 100;

/// The service, with its tasks begun; the key is made where there is no file.
pub(super) async fn open(
    management: &Apart,
    config: &Config,
    services: Services,
    stop: &CancellationToken,
) -> anyhow::Result<Webhooks> {
    let settings = &config.api.webhooks;
    let masters = master_keys(config)?.context(
        "webhooks need a local master key, under which their key lies: make its components with \
         `cardswitch keys ceremony first.lmk second.lmk`, and name them in \
         security.lmk_components",
    )?;
    if let Some(directory) = settings.key_file.parent().filter(|it| !it.as_os_str().is_empty()) {
        make_private_directory(directory)?;
    }
    let seal = WebhookKeyFile::new(settings.key_file.clone()).load_or_make(&masters)?;
    let resolver = Arc::new(SystemResolver::default());
    let webhooks = Webhooks::new(services, settings.settings(), seal, Arc::clone(&resolver) as _);
    webhooks
        .require_our_key()
        .await
        .with_context(|| format!("the key of webhooks, in {}", settings.key_file.display()))?;
    let sender = settings.sender().map(|sender| HttpsSender::new(sender, resolver)).transpose();
    let sender = sender.context("api.webhooks")?.map(Arc::new);
    management.spawn(go_on(webhooks.clone(), sender, settings.every(), stop.clone()));
    Ok(webhooks)
}

/// The tasks alone, for a switch that serves nobody: what is to be told is noted, or the journal
/// could not be archived; and it is sent where this switch has the key of what signs it.
pub(super) async fn behind(
    management: &Apart,
    config: &Config,
    services: Services,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let settings = &config.api.webhooks;
    if settings.key_file.exists() && master_keys(config)?.is_some() {
        return open(management, config, services, stop).await.map(|_| ());
    }
    let seal = WebhookSeal::of_nobody().context("api.webhooks")?;
    let resolver = Arc::new(SystemResolver::default());
    let webhooks = Webhooks::new(services, settings.settings(), seal, resolver);
    management.spawn(go_on(webhooks, None, settings.every(), stop.clone()));
    Ok(())
}

/// Makes, sends and lets go until stopped.
async fn go_on(
    webhooks: Webhooks,
    sender: Option<Arc<HttpsSender>>,
    every: Duration,
    stop: CancellationToken,
) {
    let runner = sender.clone().map(|sender| Runner::new(webhooks.clone(), sender as _));
    let sending = async move {
        match runner {
            Some(runner) => runner.run(now, every).await,
            None => std::future::pending().await,
        }
    };
    let feeder = Feeder::new(webhooks.clone());
    tokio::select! {
        () = sending => {}
        () = feeder.run(now, every) => {}
        () = sweep(webhooks, sender) => {}
        () = stop.cancelled() => {}
    }
}

/// Files that are broken change nothing: what was read before stays in use.
async fn sweep(webhooks: Webhooks, sender: Option<Arc<HttpsSender>>) {
    let mut ticks = tokio::time::interval(SWEPT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for _ in 0..ROUNDS {
            match webhooks.sweep(now()).await {
                Ok(swept) if swept.is_more() => {}
                Ok(_) => break,
                Err(problem) => {
                    tracing::warn!(%problem, "old webhooks cannot be removed; tried again");
                    break;
                }
            }
        }
        let Some(sender) = sender.clone() else { continue };
        match tokio::task::spawn_blocking(move || sender.reload()).await {
            Ok(Ok(false)) => {}
            Ok(Ok(true)) => tracing::info!("certificates for webhooks were read again"),
            Ok(Err(error)) => tracing::warn!(%error, "certificates for webhooks: unchanged"),
            Err(error) => tracing::warn!(%error, "certificates for webhooks: not read"),
        }
    }
}
