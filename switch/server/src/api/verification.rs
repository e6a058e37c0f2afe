//! The task that asks the provider of verifications (KYC). It owns that nothing runs where none is
//! configured, and that what stops it loses no inquiry: each is a row until it has an outcome.

use std::sync::Arc;
use std::time::Duration;

use admin_api::Users;
use admin_api::kyc::{HttpsProvider, Inquiries};
use anyhow::Context;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::clock::now;
use crate::config::ApiKyc;

/// Whoever is to be asked, ready; none where none is configured. Reads the files of certificates.
pub(super) fn provider(config: &ApiKyc) -> anyhow::Result<Option<HttpsProvider>> {
    let Some(settings) = config.provider() else { return Ok(None) };
    Ok(Some(HttpsProvider::new(&settings).context("api.kyc")?))
}

/// Asks until stopped, and looks now and then whether the files have changed.
pub(super) async fn ask(
    provider: HttpsProvider,
    users: Users,
    (config, reload): (ApiKyc, Duration),
    stop: CancellationToken,
) {
    let provider = Arc::new(provider);
    let inquiries = Inquiries::new(users, Arc::clone(&provider) as _);
    tokio::select! {
        () = inquiries.run(now, config.every()) => {}
        () = look(provider, reload) => {}
        () = stop.cancelled() => {}
    }
}

/// Files that are broken change nothing: what was read before stays in use.
async fn look(provider: Arc<HttpsProvider>, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let provider = Arc::clone(&provider);
        match tokio::task::spawn_blocking(move || provider.reload()).await {
            Ok(Ok(false)) => {}
            Ok(Ok(true)) => tracing::info!("the files of api.kyc are read anew"),
            Ok(Err(error)) => tracing::warn!(%error, "the files of api.kyc cannot be used"),
            Err(error) => tracing::warn!(%error, "the files of api.kyc are not read"),
        }
    }
}
