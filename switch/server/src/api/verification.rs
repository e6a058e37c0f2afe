//! The task that asks the provider of verifications (KYC). It owns that nothing runs where none is
//! configured, and that what stops it loses no inquiry: each is a row until it has an outcome.

use std::sync::Arc;

use admin_api::Users;
use admin_api::kyc::{HttpsProvider, Inquiries};
use anyhow::Context;
use switch_domain::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::config::ApiKyc;

/// Whoever is to be asked, ready; none where none is configured. Reads the files of certificates.
pub(super) fn provider(config: &ApiKyc) -> anyhow::Result<Option<HttpsProvider>> {
    let Some(settings) = config.provider() else { return Ok(None) };
    Ok(Some(HttpsProvider::new(&settings).context("api.kyc")?))
}

/// Asks until stopped.
pub(super) async fn ask(
    provider: HttpsProvider,
    users: Users,
    config: ApiKyc,
    stop: CancellationToken,
) {
    let inquiries = Inquiries::new(users, Arc::new(provider));
    let now = || Timestamp(jiff::Timestamp::now().as_microsecond());
    tokio::select! {
        () = inquiries.run(now, config.every()) => {}
        () = stop.cancelled() => {}
    }
}
