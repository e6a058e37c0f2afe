//! Lets days of history go that were kept long enough. It owns which days: never one that something
//! may still be written to or looked up in, and never one with an open authorization. Each day is
//! one transaction, so that a run that is killed leaves whole days for the next.

use std::time::Duration;

use switch_domain::Timestamp;

use crate::days::TABLES_BY_DAY;
use crate::error::StoreError;
use crate::pg_timestamp::PgTimestamp;
use crate::store::Store;

/// Days that end before the cut. The cut is moved back to the oldest record that a shard has not
/// projected: what comes late must find its day.
const OLD_DAYS: &str = "\
    WITH cut AS (
        SELECT least($2, (
            SELECT min(last_decided) FROM projection
            WHERE seq < (SELECT max(seq) FROM journal WHERE journal.shard = projection.shard)
        )) AS at
    ), days AS (
        SELECT to_date(right(relname::text, 8), 'YYYYMMDD') AS day
        FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = to_regclass($1) AND relname ~ ('^' || $1 || '_[0-9]{8}$')
    )
    SELECT day::text FROM days, cut
    WHERE (day + 1)::timestamp AT TIME ZONE 'UTC' <= cut.at ORDER BY day";

const DROP: &str = "SELECT drop_day($1, $2::date)";

const DOING: &str = "letting old days of history go";

/// For how long a table is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// One of [`TABLES_BY_DAY`].
    pub table: &'static str,
    /// Days; 0 keeps it for ever.
    pub days: u32,
}

/// What became of a table's old days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OldDays {
    /// Those that went, as `YYYY-MM-DD`.
    pub dropped: Vec<String>,
    /// Those that stay because something in them is open.
    pub open: Vec<String>,
}

impl Store {
    /// Drops the days of a table that ended longer ago than it is kept, and than the window in
    /// which repeats and reversals are looked up.
    ///
    /// # Errors
    /// PostgreSQL; a lock that somebody does not let go within two seconds. Days that went before
    /// that are gone, and the next run goes on.
    pub async fn drop_old_days(
        &self,
        keep: Keep,
        window: Duration,
        now: Timestamp,
    ) -> Result<OldDays, StoreError> {
        let mut result = OldDays::default();
        if keep.days == 0 || !TABLES_BY_DAY.contains(&keep.table) {
            return Ok(result);
        }
        let kept_for = Duration::from_secs(u64::from(keep.days).saturating_mul(86_400)).max(window);
        let micros = i64::try_from(kept_for.as_micros()).unwrap_or(i64::MAX);
        let days: Vec<String> = sqlx::query_scalar(OLD_DAYS)
            .bind(keep.table)
            .bind(PgTimestamp(now.minus_micros(micros)))
            .fetch_all(self.pool())
            .await
            .map_err(StoreError::database(DOING))?;
        for day in days {
            let went: bool = sqlx::query_scalar(DROP)
                .bind(keep.table)
                .bind(&day)
                .fetch_one(self.pool())
                .await
                .map_err(StoreError::database(DOING))?;
            if went { result.dropped.push(day) } else { result.open.push(day) }
        }
        Ok(result)
    }
}
