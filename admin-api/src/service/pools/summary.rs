//! Summary balances (SR-231 to SR-233): "Users" and "Wallet" of a partner, or of the platform, by
//! currency. It owns how many are added up at a time and in which time; of which rows they are made
//! stands in the store (`Store::totals`).

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, histogram};
use switch_domain::{Currency, PartnerId};
use switch_store::{StoreError, Total};
use tokio::time::Instant;

use super::Pools;
use crate::Problem;

/// What there is in one currency, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Of which currency.
    pub currency: Currency,
    /// The sum of the customers' balances: "Users".
    pub users: i128,
    /// The sum of the partners' own balances.
    pub pools: i128,
    /// Both: "Wallet".
    pub wallet: i128,
}

impl Pools {
    /// What one partner's customers and pools have, or those of all partners, by currency, of one
    /// moment: as far as the tables have it, which follow the journal by a quarter of a second.
    ///
    /// # Errors
    /// `OVERLOADED`: too many are added up just now, or it takes too long. The database.
    pub async fn summary(&self, partner: Option<PartnerId>) -> Result<Vec<Summary>, Problem> {
        let refused = |ended: &'static str, what| {
            counter!("cardswitch_summaries_total", "ended" => ended).increment(1);
            Problem::new("OVERLOADED", what)
        };
        let _room = self
            .summaries
            .try_acquire()
            .map_err(|_| refused("refused", "too many ask for summaries just now: try again"))?;
        let began = Instant::now();
        let totals = self.services.store.totals(partner, self.settings.summary_within).await;
        let late = || refused("late", "it could not be added up in time");
        let totals = totals.map_err(failed)?.ok_or_else(late)?;
        histogram!("cardswitch_summary_seconds").record(began.elapsed().as_secs_f64());
        counter!("cardswitch_summaries_total", "ended" => "told").increment(1);
        totals.iter().map(summary).collect()
    }
}

fn summary(total: &Total) -> Result<Summary, Problem> {
    let numeric = u16::try_from(total.currency).unwrap_or(u16::MAX);
    let currency = Currency::from_numeric(numeric)
        .map_err(|error| Problem::internal("adding up balances", &error))?;
    let Total { users, pools, .. } = *total;
    Ok(Summary { currency, users, pools, wallet: users.saturating_add(pools) })
}

fn failed(error: StoreError) -> Problem {
    match error {
        StoreError::Database { source, .. } => source.into(),
        other => Problem::internal("adding up balances", &other),
    }
}

/// Describes the metrics of pools to the installed recorder.
pub fn describe() {
    describe_counter!(
        "cardswitch_summaries_total",
        "Summary balances that were asked for, by how they ended: told, late, refused"
    );
    describe_histogram!("cardswitch_summary_seconds", "How long a summary took");
    describe_counter!(
        "cardswitch_pool_reloads_total",
        "Reloads of pools over the API or by command, by their end: done, refused, expired"
    );
    describe_counter!(
        "cardswitch_pool_alerts_total",
        "Pools that fell below their level (fired), or are above it again (armed)"
    );
    describe_gauge!(
        "cardswitch_pool_reloads",
        "Reloads that wait for a second operator (waiting), or are to be booked (booking)"
    );
}
