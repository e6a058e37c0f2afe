//! The watch over pools (SR-230): now and then it looks at the live levels, and tells once that one
//! fell below its limit. It owns that a crossing is told once: a row says whether it was, and
//! changes in one transaction with the message and the letters; it is armed again when the level is
//! back. No authorization knows of it, or waits for it (W-15).

use std::time::Duration;

use metrics::counter;
use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use switch_domain::{Amount, MinorUnits, Pool, PoolId, PoolKind, Timestamp};
use switch_store::PgTimestamp;
use tokio::time::MissedTickBehavior;

use super::Pools;
use crate::Problem;
use crate::service::claim::Claim;
use crate::service::mail::{Letter, MailAddress};
use crate::service::webhooks::{EventKind, Told, enqueue};

/// Of several switches over one database one watches: who holds this.
const CLAIM: &str = "cardswitch pool_alert";

const ALL: &str = "SELECT pool_id, below, state, version FROM pool_alert WHERE below IS NOT NULL";

const FIRE: &str = "\
    UPDATE pool_alert SET state = 'FIRED', fired_at = $3
    WHERE pool_id = $1 AND version = $2 AND state = 'ARMED' RETURNING addresses";

const ARM: &str = "\
    UPDATE pool_alert SET state = 'ARMED', fired_at = NULL
    WHERE pool_id = $1 AND version = $2 AND state = 'FIRED'";

/// What a round came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Pools that fell below their limit.
    pub fired: u64,
    /// Pools that are above it again.
    pub armed: u64,
}

/// Looks at the levels of pools.
pub struct Watch {
    pools: Pools,
    claim: Claim,
}

/// A pool with an alarm.
struct Guarded {
    pool: PoolId,
    below: MinorUnits,
    fired: bool,
    version: i64,
}

impl Watch {
    /// Over the service.
    #[must_use]
    pub const fn new(pools: Pools) -> Self {
        Self { pools, claim: Claim::on(CLAIM) }
    }

    /// Looks this often, as long as it is not dropped: which loses nothing.
    pub async fn run(mut self, now: impl Fn() -> Timestamp, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(problem) = self.round(now()).await {
                tracing::warn!(%problem, "pools are not watched; tried again");
            }
        }
    }

    /// Looks once.
    ///
    /// # Errors
    /// The database: what was told is told.
    pub async fn round(&mut self, now: Timestamp) -> Result<Watched, Problem> {
        let mut watched = Watched::default();
        if !self.claim.is_ours(self.pools.database()).await?
            || !self.pools.services.node.is_serving()
        {
            return Ok(watched);
        }
        for row in sqlx::query(ALL).fetch_all(self.pools.database()).await? {
            let one = guarded(&row)?;
            let left = self.pools.services.node.pool_headroom(one.pool);
            let low = left.0 < one.below.0;
            if low && !one.fired {
                watched.fired += u64::from(self.fire(&one, left, now).await?);
            } else if one.fired && !low {
                let query = sqlx::query(ARM).bind(one.pool.0).bind(one.version);
                let armed = query.execute(self.pools.database()).await?.rows_affected();
                counter!("cardswitch_pool_alerts_total", "event" => "armed").increment(armed);
                watched.armed = watched.armed.saturating_add(armed);
            }
        }
        Ok(watched)
    }

    /// Tells of a pool that is low; false where somebody changed its alarm meanwhile.
    async fn fire(&self, one: &Guarded, left: MinorUnits, now: Timestamp) -> Result<bool, Problem> {
        let pool = self.pools.known(one.pool, None)?;
        let mut transaction = self.pools.database().begin().await?;
        let query = sqlx::query(FIRE).bind(one.pool.0).bind(one.version).bind(PgTimestamp(now));
        let Some(row) = query.fetch_optional(&mut *transaction).await? else { return Ok(false) };
        let addresses: Vec<String> = row.try_get("addresses")?;
        self.tell(&mut transaction, &pool, (left, one.below), now).await?;
        self.write(&mut transaction, &pool, (left, one.below), (&addresses, now)).await?;
        transaction.commit().await?;
        counter!("cardswitch_pool_alerts_total", "event" => "fired").increment(1);
        tracing::warn!(pool = pool.id.0, partner = pool.partner.0, "a partner's pool is low");
        Ok(true)
    }

    /// By webhook.
    async fn tell(
        &self,
        transaction: &mut PgConnection,
        pool: &Pool,
        (left, below): (MinorUnits, MinorUnits),
        now: Timestamp,
    ) -> Result<(), Problem> {
        let id = pool.id.0.to_string();
        let told = Told {
            partner: pool.partner,
            kind: EventKind::PoolLow,
            key: &format!("pool:{id}"),
            body: json!({
                "status": "SUCCESS",
                "date": written(now),
                "description": "LOW",
                "pool": {
                    "poolId": id,
                    "kind": kind_name(pool.kind),
                    "currency": pool.currency.alphabetic(),
                    "available": left.0,
                    "below": below.0,
                },
            }),
            at: now,
        };
        enqueue(transaction, told).await.map(|_| ())
    }

    /// By e-mail.
    async fn write(
        &self,
        transaction: &mut PgConnection,
        pool: &Pool,
        (left, below): (MinorUnits, MinorUnits),
        (addresses, now): (&[String], Timestamp),
    ) -> Result<(), Problem> {
        let Some(outbox) = &self.pools.outbox else { return Ok(()) };
        let addresses = addresses.iter().map(|one| MailAddress::parse(one, "addresses"));
        let addresses = addresses.collect::<Result<Vec<_>, _>>()?;
        let amount = |minor| Amount { minor, currency: pool.currency };
        let kind = kind_name(pool.kind).to_lowercase();
        let control = self.pools.services.node.control();
        let partner = control.partners.get(&pool.partner);
        let partner = partner.map(|partner| partner.name.to_string()).unwrap_or_default();
        let (left, below) = (amount(left), amount(below));
        let subject = format!("{partner}: {kind} balance is below {below}");
        let body = format!(
            "The {kind} balance of {partner} (pool {}) has {left} available at {}.\n\
             That is below {below}, the level that was set for this message.\n\n\
             It comes once: there is another when the balance was above that level again, and \
             falls below it.\n",
            pool.id.0,
            written(now),
        );
        let (subject, body) = (subject.as_str(), body.as_str());
        let letter = |recipient| Letter { partner: pool.partner, recipient, subject, body };
        let letters: Vec<_> = addresses.iter().map(letter).collect();
        outbox.enqueue(transaction, &letters, now).await
    }
}

fn guarded(row: &PgRow) -> Result<Guarded, sqlx::Error> {
    let state: String = row.try_get("state")?;
    Ok(Guarded {
        pool: PoolId(row.try_get("pool_id")?),
        below: MinorUnits(row.try_get("below")?),
        fired: state == "FIRED",
        version: row.try_get("version")?,
    })
}

const fn kind_name(kind: PoolKind) -> &'static str {
    match kind {
        PoolKind::Credit => "CREDIT",
        PoolKind::Deposit => "DEPOSIT",
    }
}

fn written(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0).map(|at| at.to_string()).unwrap_or_default()
}
