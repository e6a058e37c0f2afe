//! Plastic cards: ordered, made by a bureau, linked when its report says that they exist (SR-163 to
//! SR-170). It owns the tables `card_order`, `card_order_pin`, `card_order_renewal`,
//! `perso_run` and `perso_report`, and that nobody sees a card before it is linked. The cards
//! themselves are the shards'; the file's bytes are `switch-security`'s.

mod directory;
mod fee;
mod fit;
mod link;
mod number;
mod order;
mod pin;
mod record;
mod renewal;
mod report;
mod retention;
mod run;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use switch_domain::ServiceCode;
use switch_security::{BureauExchange, KeyName};
use tokio::sync::Mutex;

use super::Services;
use super::cards::{CardModule, PinRules, Processors};
use super::users::Users;

pub use order::{DeliveryInput, NewPlastic, OrderState, OrderedBy, PlasticOrder, WayName};
pub use worker::{Done, Steps};

pub(in crate::service) use retention::forget_customer;

/// Limits and places.
#[derive(Clone, Debug)]
pub struct PlasticSettings {
    /// The exchange directory: files go to `out` in it, reports come to `in`.
    pub directory: PathBuf,
    /// The exchange key of the bureau (`D0`).
    pub exchange_key: KeyName,
    /// Cards of a file at most.
    pub batch: u32,
    /// How long a card is good from its order on.
    pub months: u16,
    /// Of stripe and chip.
    pub service_code: ServiceCode,
    /// The PAN sequence number.
    pub sequence: u8,
    /// Which PINs may be chosen with an order, and how they go to the bureau.
    pub pins: PinRules,
    /// Orders of a customer that are on their way.
    pub of_customer: u32,
    /// The same of a corporation, whose employees get cards at once.
    pub of_corporation: u32,
    /// Orders that wait for a file.
    pub waiting: u32,
    /// Bytes of a report at most.
    pub report_bytes: u64,
    /// How long after a failure a card is linked again; each time twice as long.
    pub pause: Duration,
    /// How long delivery addresses are kept after an order.
    pub keep_address: Duration,
    /// How long it is kept that a report was read.
    pub keep_reports: Duration,
}

/// What cards are made with.
#[derive(Clone)]
pub struct PlasticModules {
    /// Who computes their values.
    pub values: CardModule,
    /// Who seals files for the bureau.
    pub exchange: Arc<dyn BureauExchange>,
    /// Who gives them their numbers.
    pub processors: Processors,
}

/// The service of plastic cards. Cloning gives another handle.
#[derive(Clone)]
pub struct Plastic {
    services: Services,
    users: Users,
    modules: PlasticModules,
    settings: Arc<PlasticSettings>,
    /// Steps are done one after the other: two at a time would read the same reports.
    turn: Arc<Mutex<()>>,
}

impl Plastic {
    /// Over the other services.
    #[must_use]
    pub fn new(
        (services, users): (Services, Users),
        modules: PlasticModules,
        settings: PlasticSettings,
    ) -> Self {
        let (settings, turn) = (Arc::new(settings), Arc::default());
        Self { services, users, modules, settings, turn }
    }

    const fn pool(&self) -> &sqlx::PgPool {
        self.services.store.pool()
    }
}
