//! What goes on behind pools of partners' money: reloads that were cut off, the watch over their
//! levels, and mail. It owns that a switch whose relay cannot be used as it is configured does not
//! start, and that what stops the tasks loses nothing: all of it is rows.

use std::time::Duration;

use admin_api::Services;
use admin_api::mail::MailRunner;
use admin_api::pools::{Pools, Watch};
use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::Managed;
use crate::clock::now;
use crate::config::Api;

/// The service.
pub(crate) fn service(config: &Api, services: &Services) -> Pools {
    Pools::new(services.clone(), config.pools.settings(), config.mail.outbox())
}

/// What is to go on, and how often.
pub(super) struct Behind {
    pools: Pools,
    every: Duration,
    mail: Option<(MailRunner, Duration)>,
}

impl Behind {
    pub(super) fn new(config: &Api, managed: &Managed) -> anyhow::Result<Self> {
        let relay = config.mail.relay();
        relay.iter().try_for_each(admin_api::mail::Relay::check).context("api.mail")?;
        let mail = relay.zip(config.mail.outbox());
        let runner = |(relay, outbox)| MailRunner::new(managed.store.clone(), outbox, relay);
        Ok(Self {
            pools: managed.pools.clone(),
            every: config.pools.every(),
            mail: mail.map(|both| (runner(both), config.mail.every())),
        })
    }

    /// Goes on until stopped.
    pub(super) async fn run(self, stop: CancellationToken) {
        let watch = Watch::new(self.pools.clone());
        let mail = self.mail;
        let sending = async move {
            match mail {
                Some((runner, every)) => runner.run(now, every).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.pools.run(now, self.every) => {}
            () = watch.run(now, self.every) => {}
            () = sending => {}
            () = stop.cancelled() => {}
        }
    }
}
