//! The task behind plastic cards: files for the bureau, its reports. It owns that nothing runs
//! where none are made, that their key is there, and that what stops the task loses no card.

use std::sync::Arc;

use admin_api::cards::{PinRules, Processors};
use admin_api::{Plastic, PlasticModules, Services, Steps, Users};
use anyhow::Context;
use switch_security::{KeyRing, KeyUsage, SoftwareModule};
use tokio_util::sync::CancellationToken;

use crate::card_checks::Cards;
use crate::clock::now;
use crate::config::ApiPersonalisation;

/// The service; none where no plastic is made.
pub(crate) fn service(
    (config, pins): (&ApiPersonalisation, PinRules),
    services: (Services, Users),
    (software, ring, cards): (&Arc<SoftwareModule>, &KeyRing, &Cards),
    processors: Processors,
) -> anyhow::Result<Option<Plastic>> {
    let Some(settings) = config.settings(pins) else { return Ok(None) };
    ring.find(&settings.exchange_key, KeyUsage::D0).context(
        "api.personalisation.exchange_key: make one with \
         `cardswitch keys generate NAME --usage D0 --cipher aes`",
    )?;
    let (values, exchange) = (cards.module(), Arc::clone(software) as _);
    let modules = PlasticModules { values, exchange, processors };
    Ok(Some(Plastic::new(services, modules, settings)))
}

/// Makes what is missing of the directory, before anything is served.
pub(super) fn steps(plastic: Option<Plastic>) -> anyhow::Result<Option<Steps>> {
    let steps = plastic.map(Steps::new).transpose();
    steps.context("api.personalisation.directory")
}

/// Steps until stopped.
pub(super) async fn work(steps: Steps, config: ApiPersonalisation, stop: CancellationToken) {
    tracing::info!(directory = %steps.directory().display(), "plastic cards are made");
    tokio::select! {
        () = steps.run(now, config.every()) => {}
        () = stop.cancelled() => {}
    }
}
