//! Partitions of history, one for each UTC day. It owns that they are there before their rows come;
//! what is too old is let go elsewhere.

use switch_domain::Timestamp;

use crate::error::StoreError;
use crate::pg_timestamp::PgTimestamp;
use crate::store::Store;

/// Tables that are kept by day.
pub const TABLES_BY_DAY: [&str; 4] =
    ["card_authorization", "authorization_event", "posting", "audit_entry"];

/// A partition is made under a brief lock on its table. Who has to wait longer for it gives up, and
/// so do not stop those behind it.
const PATIENCE: &str = "SET LOCAL lock_timeout = '2s'";

const MAKE: &str = "\
    SELECT count(*) FILTER (WHERE make_day(parent, day))
    FROM unnest($1::text[]) AS parent,
        generate_series($2::int8, $3::int8) AS number,
        LATERAL (SELECT date '1970-01-01' + number::int4 AS day) AS days";

const MICROS_A_DAY: i64 = 86_400_000_000;

impl Store {
    /// PostgreSQL's own time.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn clock(&self) -> Result<Timestamp, StoreError> {
        let now = sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(self.pool()).await;
        let now: PgTimestamp = now.map_err(StoreError::database("asking for its time"))?;
        Ok(now.0)
    }

    /// Makes the partitions of the day of `from` and of the `more` days after it, where they are
    /// not there yet. How many were made.
    ///
    /// # Errors
    /// PostgreSQL; a lock on one of the tables that somebody does not let go.
    pub async fn make_days(&self, from: Timestamp, more: u16) -> Result<u64, StoreError> {
        let doing = "making partitions of coming days";
        let make = async {
            let mut tx = self.pool().begin().await?;
            sqlx::query(PATIENCE).execute(&mut *tx).await?;
            let first = from.0.div_euclid(MICROS_A_DAY);
            let made: i64 = sqlx::query_scalar(MAKE)
                .bind(&TABLES_BY_DAY[..])
                .bind(first)
                .bind(first.saturating_add(i64::from(more)))
                .fetch_one(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(made)
        };
        let made: i64 = make.await.map_err(StoreError::database(doing))?;
        Ok(u64::try_from(made).unwrap_or(0))
    }
}
