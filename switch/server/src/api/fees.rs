//! Fees of acts and periods in a running switch. It owns how the service is put together, and that
//! what is due is charged by a switch that serves nobody at its listeners, too.

use admin_api::Services;
use admin_api::fees::{Fees, Runner};
use tokio_util::sync::CancellationToken;

use crate::clock::now;
use crate::config::{Api, Config};

/// The service.
pub(crate) fn service(config: &Config, services: &Services) -> Fees {
    Fees::new(services.clone(), config.api.fees.settings(config.mode))
}

/// Charges what is due until stopped: which loses nothing, for all of it is rows.
pub(super) fn charge(
    fees: Fees,
    config: &Api,
    stop: CancellationToken,
) -> impl Future<Output = ()> + Send + 'static {
    let every = config.fees.every();
    async move {
        tokio::select! {
            () = Runner::new(fees).run(now, every) => {}
            () = stop.cancelled() => {}
        }
    }
}
