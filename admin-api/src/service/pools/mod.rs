//! Pools of partners' money, as people see and fill them (SR-221, SR-224, SR-228, SR-229): opened,
//! read as the shards have them, reloaded by the issuer's side alone, added up. It owns what stands
//! around the shards' commands; what a pool has left is the shards' to know (W-15).

mod alert;
mod four_eyes;
mod reload;
mod reloads;
mod summary;
mod watch;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use switch_domain::{
    AsciiText, Currency, IdempotencyKey, PartnerId, Pool, PoolId, PoolKind, PoolShare,
};
use tokio::sync::Semaphore;

use super::Services;
use super::mail::Outbox;
use crate::Problem;

pub use alert::{Alert, NewAlert};
pub use four_eyes::FourEyes;
pub use reload::{NewReload, Reload, ReloadState};
pub use summary::{Summary, describe};
pub use watch::{Watch, Watched};
pub use worker::Worked;

/// How many there may be, and who has to agree.
#[derive(Clone, Debug)]
pub struct PoolSettings {
    /// Above what a reload waits for a second operator.
    pub four_eyes: FourEyes,
    /// For how long it waits.
    pub waits: Duration,
    /// Reloads of one pool that may wait.
    pub waiting_most: u32,
    /// Pools of a partner.
    pub pools_most: u32,
    /// Addresses that are told of one pool.
    pub addresses_most: u32,
    /// Summaries at a time.
    pub summaries_most: u32,
    /// For one of them.
    pub summary_within: Duration,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            four_eyes: FourEyes::default(),
            waits: Duration::from_secs(72 * 3_600),
            waiting_most: 100,
            pools_most: 50,
            addresses_most: 10,
            summaries_most: 2,
            summary_within: Duration::from_secs(5),
        }
    }
}

/// A pool and what is in it.
#[derive(Clone, Debug)]
pub struct PoolNow {
    /// The pool.
    pub pool: Pool,
    /// The sum of all shards' shares, of what is committed.
    pub share: PoolShare,
}

/// The services of pools. Cloning gives another handle.
#[derive(Clone)]
pub struct Pools {
    services: Services,
    settings: Arc<PoolSettings>,
    /// Where the platform sends mail.
    outbox: Option<Outbox>,
    /// Room for summaries.
    summaries: Arc<Semaphore>,
}

impl Pools {
    /// Over the other services; with the way to the outbox, where the platform sends mail.
    #[must_use]
    pub fn new(services: Services, settings: PoolSettings, outbox: Option<Outbox>) -> Self {
        let most = usize::try_from(settings.summaries_most).unwrap_or(usize::MAX);
        let summaries = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self { services, settings: Arc::new(settings), outbox, summaries }
    }

    /// How many there may be, and who has to agree.
    #[must_use]
    pub fn settings(&self) -> &PoolSettings {
        &self.settings
    }

    const fn database(&self) -> &sqlx::PgPool {
        self.services.store.pool()
    }

    /// Makes an empty pool, with its alarm; under the same key the same one again.
    ///
    /// # Errors
    /// `NOT_FOUND`: the partner. `EXHAUSTED`: it has as many as may be. As [`Pools::set_alert`].
    /// See [`Problem`].
    pub async fn open(
        &self,
        (key, actor): (IdempotencyKey, AsciiText<40>),
        partner: PartnerId,
        (kind, currency): (PoolKind, Currency),
        alert: Option<&NewAlert>,
    ) -> Result<PoolNow, Problem> {
        alert.map(|alert| self.check_alert(alert)).transpose()?;
        // Asked again under its key, the last one that may be is the answer all the same.
        let of_partner = self.ids_of(partner)?.len();
        let is_new = !self.services.was_made(key).await?;
        if is_new && of_partner >= usize::try_from(self.settings.pools_most).unwrap_or(usize::MAX) {
            return Err(Problem::new("EXHAUSTED", "the partner has as many pools as may be"));
        }
        let id = self.services.open_pool(key, actor, partner, kind, currency).await?;
        let pool = Pool { id, partner, kind, currency };
        if let Some(alert) = alert {
            self.begin_alert(&pool, alert).await?;
        }
        self.now(pool).await
    }

    /// All of a partner, the oldest first.
    ///
    /// # Errors
    /// `NOT_FOUND`: the partner. `OVERLOADED`: a shard does not say its share.
    pub async fn of_partner(&self, partner: PartnerId) -> Result<Vec<PoolNow>, Problem> {
        let mut pools = Vec::new();
        for pool in self.ids_of(partner)? {
            pools.push(self.now(pool).await?);
        }
        Ok(pools)
    }

    /// A pool and what is in it.
    ///
    /// # Errors
    /// `NOT_FOUND`: it is not there, or is another's than this partner's. `OVERLOADED`.
    pub async fn one(&self, pool: PoolId, of: Option<PartnerId>) -> Result<PoolNow, Problem> {
        self.now(self.known(pool, of)?).await
    }

    /// A pool.
    ///
    /// # Errors
    /// `NOT_FOUND`: it is not there, or is another's than this partner's.
    pub fn known(&self, pool: PoolId, of: Option<PartnerId>) -> Result<Pool, Problem> {
        let control = self.services.node.control();
        let found = control.pools.get(&pool).filter(|pool| of.is_none_or(|of| pool.partner == of));
        found.cloned().ok_or_else(no_pool)
    }

    fn ids_of(&self, partner: PartnerId) -> Result<Vec<Pool>, Problem> {
        let control = self.services.node.control();
        if !control.partners.contains_key(&partner) {
            return Err(Problem::not_found("there is no such partner"));
        }
        Ok(control.pools.values().filter(|pool| pool.partner == partner).cloned().collect())
    }

    async fn now(&self, pool: Pool) -> Result<PoolNow, Problem> {
        let share = self.services.whole_pool(pool.id).await?;
        Ok(PoolNow { pool, share })
    }
}

impl Services {
    /// What is in a pool, as all shards have it.
    ///
    /// # Errors
    /// `OVERLOADED`: one of them does not say.
    pub async fn whole_pool(&self, pool: PoolId) -> Result<PoolShare, Problem> {
        let share = self.node.whole_pool(pool).await;
        let what = "a shard does not say what it has of the pool: try again";
        share.ok_or_else(|| Problem::new("OVERLOADED", what))
    }
}

/// What is not there, and what is another tenant's: the same words for both.
fn no_pool() -> Problem {
    Problem::not_found("there is no such pool")
}
