//! Webhooks: partners are told of what happened to their cards and customers, signed, in order, and
//! until they have taken it (docs/webhooks.md). It owns the tables `webhook_*`. What was told is a
//! row made in the transaction of what happened (`outbox`), or of the position in the journal up to
//! which was told (`feeder`): nothing is told twice, nothing is lost, and no authorization waits
//! for it.

mod addresses;
mod attempts;
mod bodies;
mod claims;
mod client;
mod endpoint;
mod facts;
mod feeder;
mod kind;
mod messages;
mod outbox;
mod place;
mod resolver;
mod retention;
mod runner;
mod schedule;
mod secret;
mod signature;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use switch_domain::PartnerId;

use super::Services;
use crate::Problem;

pub use addresses::{AddressRules, LookedUp, RefusedAddress, Resolver};
pub use attempts::Attempt;
pub use client::{HttpsSender, Outcome, Outgoing, Said, SenderSettings, Sending, WebhookSender};
pub use endpoint::{Endpoint, EndpointChange, EndpointState, NewEndpoint};
pub(in crate::service) use facts::cards_changed;
pub use feeder::{Fed, Feeder};
pub use kind::EventKind;
pub use messages::{Message, MessageState};
pub use outbox::{Told, enqueue};
pub use place::EndpointUrl;
pub use resolver::SystemResolver;
pub use retention::Swept;
pub use runner::Runner;
pub use schedule::Schedule;
pub use secret::{WebhookKeyFile, WebhookSeal, WebhookSecret, WebhookSecrets};

/// How many there may be, how long things take, and how long they are kept.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// Whether messages can be sent at all: without that nobody registers an endpoint.
    pub sends: bool,
    /// Which addresses they go to.
    pub addresses: AddressRules,
    /// Endpoints of one partner.
    pub endpoints_most: u32,
    /// For how long the secret of before a rotation signs as well.
    pub overlap: Duration,
    /// When a message is tried again.
    pub schedule: Schedule,
    /// Tries at a time, of one endpoint and of all.
    pub at_once_each: u32,
    /// See `at_once_each`.
    pub at_once: u32,
    /// Messages that may wait for one endpoint; then it is disabled.
    pub waiting_most: u32,
    /// Rows of the journal that are read in one transaction.
    pub rows_at_once: u32,
    /// For how long a message is kept that was delivered, or failed, or waits for an endpoint that
    /// is disabled.
    pub keep: Duration,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            sends: true,
            addresses: AddressRules::default(),
            endpoints_most: 10,
            overlap: Duration::from_secs(24 * 3_600),
            schedule: Schedule::default(),
            at_once_each: 4,
            at_once: 64,
            waiting_most: 100_000,
            rows_at_once: 64,
            keep: Duration::from_secs(30 * 86_400),
        }
    }
}

/// The services of webhooks. Cloning gives another handle.
#[derive(Clone)]
pub struct Webhooks {
    services: Services,
    settings: Arc<WebhookSettings>,
    seal: Arc<WebhookSeal>,
    resolver: Arc<dyn Resolver>,
}

impl Webhooks {
    /// Over the other services.
    #[must_use]
    pub fn new(
        services: Services,
        settings: WebhookSettings,
        seal: WebhookSeal,
        resolver: Arc<dyn Resolver>,
    ) -> Self {
        Self { services, settings: Arc::new(settings), seal: Arc::new(seal), resolver }
    }

    /// How many there may be, how long things take, and how long they are kept.
    #[must_use]
    pub fn settings(&self) -> &WebhookSettings {
        &self.settings
    }

    /// That what is registered was sealed under our key: a switch with another one would sign
    /// nothing, and register what no other switch can sign.
    ///
    /// # Errors
    /// It was not, or the database.
    pub async fn require_our_key(&self) -> Result<(), Problem> {
        let sql = "SELECT public_id, secret FROM webhook_endpoint WHERE removed_at IS NULL \
                   ORDER BY id DESC LIMIT 1";
        let last = sqlx::query_as(sql).fetch_optional(self.pool()).await?;
        self.seal.require_ours(last)
    }

    const fn pool(&self) -> &sqlx::PgPool {
        self.services.store.pool()
    }

    fn check_partner(&self, partner: PartnerId) -> Result<(), Problem> {
        let known = self.services.node.control().partners.contains_key(&partner);
        if known { Ok(()) } else { Err(Problem::not_found("there is no such partner")) }
    }
}

/// What is not there, and what is another tenant's: the same words for both.
fn no_endpoint() -> Problem {
    Problem::not_found("there is no such webhook")
}

fn unreadable(what: &dyn std::fmt::Display) -> Problem {
    Problem::internal("reading of a webhook", what)
}
