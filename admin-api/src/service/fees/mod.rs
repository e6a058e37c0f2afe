//! Fees as a service: what acts and periods cost is found out, owed, and charged by commands of the
//! shards (SR-240 to SR-242, SR-249), what something would cost is said, and what was charged is
//! told and summed up for invoices. It owns that each fee is owed in one row with what it is for,
//! and charged under the key of that row: once. How much it is, is the schedule's to say; money
//! moves in the shards alone.

mod acts;
mod charged;
mod due;
mod invoice;
mod owed;
mod period;
mod preview;
mod report;
mod run;
mod settle;
mod spend;

use std::time::Duration;

use metrics::{describe_counter, describe_gauge};
use sqlx::PgPool;

use super::Services;

pub(in crate::service) use acts::{CardOrdered, owe_for_account, owe_for_card};
pub use charged::{ChargedFee, ChargedPage};
pub use invoice::{Invoice, InvoiceLine, InvoiceMonth};
pub use preview::{Quote, QuotedFee, WhatFor};
pub use report::policy_of_page;
pub use run::{Ran, Runner};

/// How many at a time, and how long is waited for money.
#[derive(Clone, Copy, Debug)]
pub struct FeeSettings {
    /// Cards of a period that are looked at in one transaction.
    pub cards_at_once: u32,
    /// Fees that are charged at a time.
    pub charges_at_once: u32,
    /// For how long an account without money is waited for; then its fee is invoiced.
    pub waits: Duration,
    /// Fees of one account that may wait; one more for a period is invoiced.
    pub waiting_most: u32,
    /// How long after its end a period is looked through: what belongs to it has come by then.
    pub settles: Duration,
    /// After so many months without an approval a card is dormant.
    pub dormant_months: u32,
    /// Whether `cardswitch fees run` takes a day that has not come: a developer's.
    pub takes_days_to_come: bool,
}

impl Default for FeeSettings {
    fn default() -> Self {
        Self {
            cards_at_once: 500,
            charges_at_once: 16,
            waits: Duration::from_secs(30 * 86_400),
            waiting_most: 100,
            settles: Duration::from_secs(3_600),
            dormant_months: 6,
            takes_days_to_come: false,
        }
    }
}

/// The services of fees. Cloning gives another handle.
#[derive(Clone)]
pub struct Fees {
    services: Services,
    settings: FeeSettings,
}

impl Fees {
    /// Over the other services.
    #[must_use]
    pub const fn new(services: Services, settings: FeeSettings) -> Self {
        Self { services, settings }
    }

    const fn pool(&self) -> &PgPool {
        self.services.store.pool()
    }
}

/// Describes what is measured.
pub fn describe() {
    describe_counter!(
        "cardswitch_fees_settled_total",
        "Fees of acts and periods by end: charged, invoiced, dropped"
    );
    describe_gauge!(
        "cardswitch_fees_owed",
        "Fees of acts and periods that no shard has charged yet: most wait for money"
    );
    describe_counter!("cardswitch_fee_periods_total", "Periods whose cards were looked through");
    describe_counter!(
        "cardswitch_fees_waived_total",
        "Monthly fees that were waived for what was spent"
    );
}
