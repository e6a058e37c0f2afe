//! The management API of a running switch: which listeners there are, and with what. It owns that
//! partners' client certificates are asked for where partners call; the routes are `admin-api`'s.

use std::net::SocketAddr;
use std::time::Duration;

use admin_api::certificates::Certificates;
use admin_api::tls::{Serving, serve};
use anyhow::Context;
use tokio_util::sync::CancellationToken;

use crate::config::{Api, Config};
use crate::runtimes::Apart;

mod routers;

pub(crate) use routers::Managed;
use routers::Routers;

/// Listeners at work.
pub(crate) struct Listeners(Vec<(&'static str, Serving)>);

/// Opens those that are configured, on the threads of management.
pub(crate) async fn open_on(
    management: &Apart,
    config: &Config,
    managed: Managed,
    stop: &CancellationToken,
) -> anyhow::Result<Listeners> {
    let certificates = managed.certificates.clone();
    let routers = match config.api.secure_settings() {
        Some(_) => Routers::new(management, config, managed, stop)?,
        None => Routers::default().with_documents(config),
    };
    let config = config.api.clone();
    let opening = async move { open(&config, &certificates, routers).await };
    match management.handle() {
        Some(threads) => threads.spawn(opening).await.context("opening the management API")?,
        None => opening.await,
    }
}

/// The same where their connections are to be served.
async fn open(
    config: &Api,
    certificates: &Certificates,
    routers: Routers,
) -> anyhow::Result<Listeners> {
    let mut listeners = Listeners(Vec::new());
    let clients = Some(certificates.clone());
    let wanted = [
        (config.secure_settings(), clients, routers.secure),
        (config.open_settings(), None, routers.open),
    ];
    for (settings, clients, router) in wanted {
        let Some(settings) = settings else { continue };
        let name = settings.name;
        match serve(settings, clients, router).await.with_context(|| format!("api.{name}")) {
            Ok(serving) => listeners.0.push((name, serving)),
            Err(error) => {
                listeners.stop(Duration::ZERO).await;
                return Err(error);
            }
        }
    }
    Ok(listeners)
}

impl Listeners {
    /// Where each listens, by name.
    pub(crate) fn addresses(&self) -> Vec<(String, SocketAddr)> {
        self.0.iter().map(|(name, serving)| ((*name).to_owned(), serving.address())).collect()
    }

    /// Serves until stopped; what is on its way then has so long to be answered.
    pub(crate) async fn run(self, stop: CancellationToken, within: Duration) {
        stop.cancelled().await;
        self.stop(within).await;
    }

    async fn stop(self, within: Duration) {
        for (_, serving) in self.0 {
            serving.stop(within).await;
        }
    }
}
