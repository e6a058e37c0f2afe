//! What goes on behind reloads: those that were to be booked when a switch ended are, once; those
//! that nobody agreed to in time are over. It owns when a row is gone on with; that it is booked
//! once is the shard's doing, which knows the key of its command for as long as the tables do.

use std::time::Duration;

use metrics::gauge;
use sqlx::Row;
use switch_domain::Timestamp;
use switch_store::PgTimestamp;
use tokio::time::MissedTickBehavior;

use super::reload::COLUMNS;
use super::reloads::note_end;
use super::{Pools, Reload};
use crate::Problem;
use crate::service::span::before;

/// Whoever asked is about to have it booked for so long, and is left alone.
const OTHERS: Duration = Duration::from_secs(5);
/// Rows of one round.
const AT_A_TIME: i64 = 100;

const EXPIRE: &str =
    "UPDATE pool_reload SET state = 'EXPIRED' WHERE state = 'WAITING' AND waits_until <= $1";

const OPEN: &str = "\
    SELECT (SELECT count(*) FROM pool_reload WHERE state = 'WAITING') AS waiting,
        (SELECT count(*) FROM pool_reload WHERE state = 'BOOKING') AS booking";

/// What a round came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worked {
    /// Reloads that were booked, or found to be.
    pub booked: u64,
    /// Reloads that nobody agreed to in time.
    pub expired: u64,
}

impl Pools {
    /// Goes on with what is open, this often, as long as it is not dropped: which loses nothing.
    pub async fn run(&self, now: impl Fn() -> Timestamp, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(problem) = self.go_on(now()).await {
                tracing::warn!(%problem, "reloads of pools are not gone on with; tried again");
            }
        }
    }

    /// One round.
    ///
    /// # Errors
    /// The database, or a shard that takes nothing now: what was done is done.
    pub async fn go_on(&self, now: Timestamp) -> Result<Worked, Problem> {
        let expired = sqlx::query(EXPIRE).bind(PgTimestamp(now)).execute(self.database()).await?;
        let mut worked = Worked { booked: 0, expired: expired.rows_affected() };
        (0..worked.expired).for_each(|_| note_end("expired"));
        let sql = format!(
            "SELECT {COLUMNS} FROM pool_reload \
             WHERE state = 'BOOKING' AND coalesce(decided_at, asked_at) <= $1 ORDER BY id LIMIT $2"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(PgTimestamp(before(now, OTHERS)));
        for row in query.bind(AT_A_TIME).fetch_all(self.database()).await? {
            if self.go_on_with(Reload::read(&row)?, now).await {
                worked.booked = worked.booked.saturating_add(1);
            }
        }
        let open = sqlx::query(OPEN).fetch_one(self.database()).await?;
        for state in ["waiting", "booking"] {
            let count: i64 = open.try_get(state)?;
            gauge!("cardswitch_pool_reloads", "state" => state).set(count as f64);
        }
        Ok(worked)
    }

    async fn go_on_with(&self, row: Reload, now: Timestamp) -> bool {
        let (id, pool) = (row.public_id, row.pool.0);
        match self.services.book_if_due(row, now).await {
            Ok(_) => true,
            Err(problem) => {
                tracing::warn!(%problem, %id, pool, "a reload that was cut off is not booked");
                false
            }
        }
    }
}
