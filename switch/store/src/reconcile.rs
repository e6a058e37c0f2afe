//! What the database and a process's own memory say of each other when PostgreSQL went back in time
//! (W-24): the note that stops every start until a person has seen to it, and the heads by which a
//! restore is noticed that happened while nobody served. It decides nothing.

use sqlx::Row;
use switch_domain::{Seq, ShardId};

use crate::error::StoreError;
use crate::journal::{ChainHead, hash_of};
use crate::store::Store;

const NOTE: &str = "INSERT INTO reconciliation (what) VALUES ($1)";

const OPEN: &str = "\
    SELECT what FROM reconciliation WHERE acknowledged_at IS NULL ORDER BY id";

const ACKNOWLEDGE: &str = "\
    UPDATE reconciliation
    SET acknowledged_at = clock_timestamp(), acknowledged_by = $1, report = $2
    WHERE acknowledged_at IS NULL";

const HEADS: &str = "\
    SELECT number AS shard, head.seq, head.hash
    FROM shard_group CROSS JOIN generate_series(0, first_shard + shards - 2) AS number
    CROSS JOIN LATERAL (
        SELECT seq, hash FROM journal WHERE shard = number ORDER BY seq DESC LIMIT 1
    ) AS head ORDER BY number";

/// Both functions are open to every role. The moment of founding goes wherever the data goes, and
/// is another one in a database that was made anew under the same name.
const IDENTITY: &str = "\
    SELECT (SELECT system_identifier FROM pg_control_system())::text AS system,
        (SELECT timeline_id FROM pg_control_checkpoint())::int8 AS timeline,
        (SELECT (extract(epoch FROM min(founded_at)) * 1000000)::int8 FROM shard_group) AS founded";

const DOING: &str = "reconciling the journal";

/// Which PostgreSQL it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Of the cluster; a copy of its files has the same.
    pub system: String,
    /// Counts restores and failovers of the cluster.
    pub timeline: i64,
    /// When the shards were founded, in microseconds since 1970; `None` before that.
    pub founded: Option<i64>,
}

impl Store {
    /// Notes that the journal went back in time: from now on every start is refused until
    /// [`Store::acknowledge`].
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn note_went_back(&self, what: &str) -> Result<(), StoreError> {
        let noted = sqlx::query(NOTE).bind(what).execute(self.pool()).await;
        noted.map(drop).map_err(StoreError::database(DOING))
    }

    /// What was noted and not acknowledged.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn unreconciled(&self) -> Result<Vec<String>, StoreError> {
        let open = sqlx::query_scalar(OPEN).fetch_all(self.pool()).await;
        open.map_err(StoreError::database(DOING))
    }

    /// Notes that somebody has seen what was lost. How many notes that was.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn acknowledge(&self, by: &str, report: &str) -> Result<u64, StoreError> {
        let done = sqlx::query(ACKNOWLEDGE).bind(by).bind(report).execute(self.pool()).await;
        done.map(|done| done.rows_affected()).map_err(StoreError::database(DOING))
    }

    /// The head of every shard's journal, of sealed ones too.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn journal_heads(&self) -> Result<Vec<ChainHead>, StoreError> {
        let rows = sqlx::query(HEADS).fetch_all(self.pool()).await;
        let read = |row: &sqlx::postgres::PgRow| -> Result<ChainHead, sqlx::Error> {
            let shard: i32 = row.try_get("shard")?;
            let shard = ShardId(u16::try_from(shard).unwrap_or(u16::MAX));
            Ok(ChainHead { shard, seq: Seq(row.try_get("seq")?), hash: hash_of(row)? })
        };
        let rows = rows.map_err(StoreError::database(DOING))?;
        rows.iter().map(|row| read(row).map_err(StoreError::database(DOING))).collect()
    }

    /// Whether a row that was known once is still in the journal, or in an archived part of it.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn still_has(&self, known: &ChainHead) -> Result<bool, StoreError> {
        if let Some(hash) = self.journal_hash(known.shard, known.seq).await? {
            return Ok(hash == known.hash);
        }
        let anchor = self.last_anchor(known.shard).await?;
        Ok(known.seq < anchor.seq || *known == anchor)
    }

    /// Which PostgreSQL this is.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn identity(&self) -> Result<Identity, StoreError> {
        let row = sqlx::query(IDENTITY).fetch_one(self.pool()).await;
        let row = row.map_err(StoreError::database(DOING))?;
        let read = || -> Result<Identity, sqlx::Error> {
            Ok(Identity {
                system: row.try_get("system")?,
                timeline: row.try_get("timeline")?,
                founded: row.try_get("founded")?,
            })
        };
        read().map_err(StoreError::database(DOING))
    }
}
