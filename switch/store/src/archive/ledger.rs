//! What the database knows of its archived parts: how far a shard may be archived, which parts
//! were, and under which digests. It owns the order of letting a part go: the checkpoint is
//! committed before the part is detached, and each step finds what a killed run has left of it.

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use switch_domain::{Seq, ShardId};

use super::Range;
use crate::error::StoreError;
use crate::journal::{Hash, hash_of};
use crate::store::Store;

/// How far rows and what moves are, the head, and up to where webhooks and processors were told,
/// where anybody is (`least` passes over nulls): a shard that nobody looked at yet is told from its
/// beginning. Both watermarks may be lost in a crash of the database until something later is
/// synced: the checkpoint's own commit is.
const LIMIT: &str = "\
    SELECT least(seq, flushed, (SELECT max(seq) FROM journal WHERE journal.shard = $1),
        CASE WHEN EXISTS (SELECT FROM webhook_feed) THEN coalesce(
            (SELECT feed.seq FROM webhook_feed AS feed WHERE feed.shard = $1), -1) END,
        CASE WHEN EXISTS (SELECT FROM processor_feed) THEN coalesce(
            (SELECT feed.seq FROM processor_feed AS feed WHERE feed.shard = $1), -1) END) - 1
    FROM projection WHERE projection.shard = $1";

const PARTS: &str = "\
    SELECT part.first, part.past, class.oid IS NOT NULL AS there,
        inherits.inhrelid IS NOT NULL AS attached,
        coalesce(inherits.inhdetachpending, false) AS pending
    FROM journal_part AS part
    LEFT JOIN pg_class AS class
        ON class.oid = to_regclass(format('journal_%s_%s', part.shard, part.first))
    LEFT JOIN pg_inherits AS inherits ON inherits.inhrelid = class.oid
    WHERE part.shard = $1 AND part.state = 'attached' ORDER BY part.first";

const CHECKPOINTS: &str = "\
    SELECT seq, hash, manifest, place FROM journal_checkpoint WHERE shard = $1 ORDER BY seq";

const ADD: &str = "\
    INSERT INTO journal_checkpoint (shard, seq, hash, manifest, place)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";

const LOCK: &str = "SELECT pg_try_advisory_lock(hashtext('cardswitch journal archive'))";

const PAUSE: &str = "SELECT pg_advisory_lock_shared(hashtext('cardswitch journal archive'))";

const NOTE: &str = "UPDATE journal_part SET state = $3 WHERE shard = $1 AND first = $2";

const DOING: &str = "archiving the journal";

/// Where a shard's chain begins once the rows before are archived: its state and hash there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose.
    pub shard: ShardId,
    /// The last row that was archived.
    pub seq: Seq,
    /// That row's hash.
    pub hash: Hash,
    /// SHA-256 of the manifest.
    pub manifest: Hash,
    /// Where the part stands below the archive's directory.
    pub place: String,
}

/// A part whose table has not been let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalPart {
    /// Its rows, filled or not.
    pub range: Range,
    there: bool,
    attached: bool,
    /// A run was killed while it detached it.
    pending: bool,
}

impl JournalPart {
    fn table(&self) -> String {
        format!("journal_{}_{}", self.range.shard.0, self.range.first.0)
    }
}

/// Held by the one process that archives, or by those who want nothing archived meanwhile.
#[derive(Debug)]
pub struct ArchiveLock {
    connection: PgConnection,
}

impl ArchiveLock {
    /// Lets it go. Dropping it does so too, when PostgreSQL notices.
    pub async fn release(mut self) {
        // Unlocked first: the end of a connection is noticed a little later. If this fails, the
        // lock goes with the connection.
        let unlock = sqlx::raw_sql("SELECT pg_advisory_unlock_all()");
        let _ = unlock.execute(&mut self.connection).await;
        let _ = self.connection.close().await;
    }
}

impl Store {
    /// The right to archive; `None` where another process does.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn archive_lock(&self) -> Result<Option<ArchiveLock>, StoreError> {
        let mut connection = self.connection().await.map_err(StoreError::database(DOING))?;
        let ours: bool = sqlx::query_scalar(LOCK)
            .fetch_one(&mut connection)
            .await
            .map_err(StoreError::database(DOING))?;
        Ok(ours.then_some(ArchiveLock { connection }))
    }

    /// Waits until nobody archives, and keeps it so until it is let go: rows that somebody is about
    /// to read stay where they are.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn no_archiving(&self) -> Result<ArchiveLock, StoreError> {
        let mut connection = self.connection().await.map_err(StoreError::database(DOING))?;
        let locked = sqlx::query(PAUSE).execute(&mut connection).await;
        locked.map_err(StoreError::database(DOING))?;
        Ok(ArchiveLock { connection })
    }

    /// The last row that may be archived: before the head, and before everything that a start or a
    /// projector reads again. `None` where nothing was projected.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn archive_limit(&self, shard: ShardId) -> Result<Option<Seq>, StoreError> {
        let limit: Option<Option<i64>> = sqlx::query_scalar(LIMIT)
            .bind(i32::from(shard.0))
            .fetch_optional(self.pool())
            .await
            .map_err(StoreError::database(DOING))?;
        Ok(limit.flatten().filter(|seq| *seq >= 0).map(Seq))
    }

    /// The parts of a shard that were not let go, in order.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn journal_parts(&self, shard: ShardId) -> Result<Vec<JournalPart>, StoreError> {
        let rows = sqlx::query(PARTS).bind(i32::from(shard.0)).fetch_all(self.pool()).await;
        let read = |row: &sqlx::postgres::PgRow| -> Result<JournalPart, sqlx::Error> {
            let (first, past): (i64, i64) = (row.try_get("first")?, row.try_get("past")?);
            let last = Seq(past.saturating_sub(1));
            Ok(JournalPart {
                range: Range { shard, first: Seq(first), last },
                there: row.try_get("there")?,
                attached: row.try_get("attached")?,
                pending: row.try_get("pending")?,
            })
        };
        let rows = rows.map_err(StoreError::database(DOING))?;
        rows.iter().map(|row| read(row).map_err(StoreError::database(DOING))).collect()
    }

    /// The checkpoints of a shard, in order.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn checkpoints(&self, shard: ShardId) -> Result<Vec<Checkpoint>, StoreError> {
        let rows = sqlx::query(CHECKPOINTS).bind(i32::from(shard.0)).fetch_all(self.pool()).await;
        let read = |row: &sqlx::postgres::PgRow| -> Result<Checkpoint, sqlx::Error> {
            let manifest: Vec<u8> = row.try_get("manifest")?;
            Ok(Checkpoint {
                shard,
                seq: Seq(row.try_get("seq")?),
                hash: hash_of(row)?,
                manifest: Hash(manifest.try_into().unwrap_or([0; 32])),
                place: row.try_get("place")?,
            })
        };
        let rows = rows.map_err(StoreError::database(DOING))?;
        rows.iter().map(|row| read(row).map_err(StoreError::database(DOING))).collect()
    }

    /// Notes a part as archived, and returns when that is on the disk. With it, every watermark
    /// that was seen before is on the disk too.
    ///
    /// # Errors
    /// Another part was archived up to the same row; PostgreSQL.
    pub async fn add_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let add = async {
            let mut tx = self.pool().begin().await?;
            // With `off` or `local` from some configuration, a crash or a failover could forget it.
            sqlx::query("SET LOCAL synchronous_commit = on").execute(&mut *tx).await?;
            sqlx::query(ADD)
                .bind(i32::from(checkpoint.shard.0))
                .bind(checkpoint.seq.0)
                .bind(&checkpoint.hash.0[..])
                .bind(&checkpoint.manifest.0[..])
                .bind(&checkpoint.place)
                .execute(&mut *tx)
                .await?;
            tx.commit().await
        };
        add.await.map_err(StoreError::database(DOING))?;
        let (shard, seq) = (checkpoint.shard, checkpoint.seq);
        let there = self.checkpoints(shard).await?;
        let same = there.iter().any(|one| one == checkpoint);
        if same { Ok(()) } else { Err(StoreError::OtherCheckpoint { shard, seq }) }
    }

    /// Takes an archived part out of the journal, and drops its table unless it is to be kept.
    /// Detaching waits for whoever reads the journal, and holds nobody up meanwhile.
    ///
    /// # Errors
    /// The part has no checkpoint; PostgreSQL.
    pub async fn let_part_go(&self, part: &JournalPart, keep: bool) -> Result<(), StoreError> {
        let Range { shard, last, .. } = part.range;
        if !self.checkpoints(shard).await?.iter().any(|one| one.seq == last) {
            return Err(StoreError::OtherCheckpoint { shard, seq: last });
        }
        let table = part.table();
        let detach = match (part.attached, part.pending) {
            (true, false) => Some("CONCURRENTLY"),
            (true, true) => Some("FINALIZE"),
            (false, _) => None,
        };
        let go = async {
            let mut connection = self.owner_connection().await?;
            if let Some(how) = detach {
                let sql = format!("ALTER TABLE journal DETACH PARTITION {table} {how}");
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
            }
            let mut tx = connection.begin().await?;
            if !keep && part.there {
                let sql = format!("DROP TABLE IF EXISTS {table}");
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *tx).await?;
            }
            sqlx::query(NOTE)
                .bind(i32::from(shard.0))
                .bind(part.range.first.0)
                .bind(if keep { "detached" } else { "dropped" })
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            connection.close().await
        };
        go.await.map_err(StoreError::database(DOING))
    }
}
