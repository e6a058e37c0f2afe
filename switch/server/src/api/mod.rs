//! The management API of a running switch: which listeners there are, with what, and what is asked
//! behind them. It owns that partners' client certificates are asked for where partners call; the
//! routes are `admin-api`'s.

use std::net::SocketAddr;
use std::time::Duration;

use admin_api::certificates::Certificates;
use admin_api::tls::{Serving, serve};
use anyhow::Context;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::now;
use crate::config::{Api, Config};
use crate::runtimes::Apart;

mod body_keys;
mod corporations;
pub(crate) mod fees;
pub(crate) mod personalisation;
pub(crate) mod pools;
pub(crate) mod processors;
pub(crate) mod programmes;
mod routers;
mod sandbox;
mod upkeep;
mod verification;
mod webhooks;

pub(crate) use routers::Managed;
use routers::Routers;

/// Listeners at work, and the tasks behind them: who asks the provider of verifications, who makes
/// cards that are waited for by nobody, who has plastic made.
pub(crate) struct Listeners {
    serving: Vec<(&'static str, Serving)>,
    behind: Vec<JoinHandle<()>>,
}

/// Opens those that are configured, on the threads of management.
pub(crate) async fn open_on(
    management: &Apart,
    config: &Config,
    managed: Managed,
    stop: &CancellationToken,
) -> anyhow::Result<Listeners> {
    let certificates = managed.certificates.clone();
    let provider = verification::provider(&config.api.kyc)?;
    let (users, cards) = (managed.users.clone(), managed.cards.clone());
    let every = config.api.cards.every();
    let steps = personalisation::steps(managed.plastic.clone())?;
    let plastic = config.api.personalisation.clone();
    let reload = Duration::from_secs(config.api.limits.reload_s);
    let behind_pools = pools::Behind::new(&config.api, &managed)?;
    let charging = fees::charge(managed.fees.clone(), &config.api, stop.clone());
    let (kyc, remotes) = ((config.api.kyc.clone(), reload), managed.remotes.clone());
    let wanted = config.api.secure_settings().or_else(|| config.api.open_settings());
    let routers = match wanted {
        Some(_) => Box::pin(Routers::new(management, config, managed, stop)).await?,
        None => {
            Box::pin(webhooks::behind(management, config, managed.services, stop)).await?;
            Routers::default().with_documents(config)
        }
    };
    let config = config.api.clone();
    let opening = async move { open(&config, &certificates, routers).await };
    let mut listeners = match management.handle() {
        Some(threads) => threads.spawn(opening).await.context("opening the management API")??,
        None => opening.await?,
    };
    let asking = provider.map(|provider| verification::ask(provider, users, kyc, stop.clone()));
    listeners.behind.extend(asking.map(|asking| management.spawn(asking)));
    let work = steps.map(|steps| personalisation::work(steps, plastic, stop.clone()));
    listeners.behind.extend(work.map(|work| management.spawn(work)));
    let looking = processors::look(remotes, reload, stop.clone());
    listeners.behind.push(management.spawn(looking));
    listeners.behind.push(management.spawn(behind_pools.run(stop.clone())));
    listeners.behind.push(management.spawn(charging));
    // Whatever was asked for is made, also by a switch that serves nobody at its listeners.
    let stop = stop.clone();
    listeners.behind.push(management.spawn(async move {
        tokio::select! {
            () = cards.clone().run_jobs(now, every) => {}
            () = cards.run_tellings(now, every) => {}
            () = stop.cancelled() => {}
        }
    }));
    Ok(listeners)
}

/// The same where their connections are to be served.
async fn open(
    config: &Api,
    certificates: &Certificates,
    routers: Routers,
) -> anyhow::Result<Listeners> {
    let mut listeners = Listeners { serving: Vec::new(), behind: Vec::new() };
    let clients = Some(certificates.clone());
    let wanted = [
        (config.secure_settings(), clients, routers.secure),
        (config.open_settings(), None, routers.open),
    ];
    for (settings, clients, router) in wanted {
        let Some(settings) = settings else { continue };
        let name = settings.name;
        match serve(settings, clients, router).await.with_context(|| format!("api.{name}")) {
            Ok(serving) => listeners.serving.push((name, serving)),
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
        let place = |(name, serving): &(&str, Serving)| ((*name).to_owned(), serving.address());
        self.serving.iter().map(place).collect()
    }

    /// Serves until stopped; what is on its way then has so long to be answered.
    pub(crate) async fn run(self, stop: CancellationToken, within: Duration) {
        stop.cancelled().await;
        self.stop(within).await;
    }

    async fn stop(self, within: Duration) {
        for (_, serving) in self.serving {
            serving.stop(within).await;
        }
        for task in self.behind {
            let _ = task.await; // it was told to stop, and holds nothing back
        }
    }
}
