//! Reading a shard's journal in order, in chunks. It owns the walk, and verifies every link of the
//! chain as it passes (W-1); it keeps no row longer than a chunk.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use switch_domain::{Epoch, OwnerId, Record, Seq, ShardId};
use uuid::Uuid;

use super::{ChainHead, Hash, JournalRow};
use crate::error::{ChainFault, StoreError};
use crate::store::Store;

/// Rows that are fetched at once: under load a row holds a few hundred records.
const CHUNK: i64 = 256;

const ROWS: &str = "\
    SELECT seq, epoch, owner, format, records, hash FROM journal
    WHERE shard = $1 AND seq > $2 ORDER BY seq LIMIT $3";

const HASH: &str = "SELECT hash FROM journal WHERE shard = $1 AND seq = $2";

/// Where the chain begins when the row itself was archived (W-7).
const ANCHOR: &str = "SELECT hash FROM journal_checkpoint WHERE shard = $1 AND seq = $2";

const LAST_ANCHOR: &str = "\
    SELECT seq, hash FROM journal_checkpoint WHERE shard = $1 ORDER BY seq DESC LIMIT 1";

const DOING: &str = "reading the journal";

/// A walk along one shard's chain.
pub(super) struct Walk {
    shard: ShardId,
    at: Seq,
    hash: Hash,
}

impl Walk {
    /// Begins behind row `after`, which must be there or be the last of an archived part; at the
    /// first row for [`Seq::NONE`].
    pub(super) async fn begin(
        connection: &mut PgConnection,
        shard: ShardId,
        after: Seq,
    ) -> Result<Self, StoreError> {
        let hash = if after.0 < 0 {
            Hash::genesis(shard)
        } else {
            let found = match hash_by(connection, HASH, shard, after).await? {
                None => hash_by(connection, ANCHOR, shard, after).await?,
                found => found,
            };
            found.ok_or(ChainFault::Missing { shard, seq: after })?
        };
        Ok(Self { shard, at: after, hash })
    }

    /// The next rows, each checked; empty at the head.
    pub(super) async fn next_chunk(
        &mut self,
        connection: &mut PgConnection,
    ) -> Result<Vec<JournalRow>, StoreError> {
        self.next_few(connection, CHUNK).await
    }

    /// The next rows, at most so many.
    async fn next_few(
        &mut self,
        connection: &mut PgConnection,
        most: i64,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let rows = sqlx::query(ROWS)
            .bind(i32::from(self.shard.0))
            .bind(self.at.0)
            .bind(most)
            .fetch_all(connection)
            .await
            .map_err(StoreError::database(DOING))?;
        rows.iter().map(|row| self.link(row)).collect()
    }

    /// Where the walk has got to.
    pub(super) fn head(&self) -> ChainHead {
        ChainHead { shard: self.shard, seq: self.at, hash: self.hash }
    }

    fn link(&mut self, row: &PgRow) -> Result<JournalRow, StoreError> {
        let row = stored(self.shard, self.hash, row).map_err(StoreError::database(DOING))?;
        let (shard, expected) = (self.shard, self.at.next());
        if row.seq != expected {
            return Err(ChainFault::Missing { shard, seq: expected }.into());
        }
        if row.computed_hash() != row.hash {
            return Err(ChainFault::Changed { shard, seq: row.seq }.into());
        }
        (self.at, self.hash) = (row.seq, row.hash);
        Ok(row)
    }
}

async fn hash_by(
    connection: &mut PgConnection,
    sql: &'static str,
    shard: ShardId,
    seq: Seq,
) -> Result<Option<Hash>, StoreError> {
    sqlx::query(sql)
        .bind(i32::from(shard.0))
        .bind(seq.0)
        .fetch_optional(connection)
        .await
        .and_then(|row| row.map(|row| hash_of(&row)).transpose())
        .map_err(StoreError::database(DOING))
}

/// Reads rows of one shard's journal as they are stored, each checked against the chain.
pub struct JournalReader {
    connection: PgConnection,
    walk: Walk,
    to: Seq,
}

impl JournalReader {
    /// The next rows; empty past the last that is wanted, and at the head.
    ///
    /// # Errors
    /// A gap or a changed row, named; PostgreSQL.
    pub async fn next_rows(&mut self) -> Result<Vec<JournalRow>, StoreError> {
        if self.walk.at >= self.to {
            return Ok(Vec::new());
        }
        let mut rows = self.walk.next_chunk(&mut self.connection).await?;
        rows.retain(|row| row.seq <= self.to);
        Ok(rows)
    }
}

fn stored(shard: ShardId, previous: Hash, row: &PgRow) -> Result<JournalRow, sqlx::Error> {
    let records: Vec<u8> = row.try_get("records")?;
    let owner: Uuid = row.try_get("owner")?;
    Ok(JournalRow {
        shard,
        seq: Seq(row.try_get("seq")?),
        epoch: Epoch(row.try_get("epoch")?),
        owner: OwnerId(owner.into_bytes()),
        format: row.try_get("format")?,
        records: records.into(),
        previous,
        hash: hash_of(row)?,
    })
}

/// The hash column. One of a wrong length cannot match anything, and reads as zeros.
pub(crate) fn hash_of(row: &PgRow) -> Result<Hash, sqlx::Error> {
    let bytes: Vec<u8> = row.try_get("hash")?;
    Ok(Hash(bytes.try_into().unwrap_or([0; 32])))
}

/// The records of a row, or which row cannot be read.
pub(crate) fn decode(row: &JournalRow) -> Result<Vec<Record>, StoreError> {
    let (shard, seq) = (row.shard, row.seq);
    row.decode().map_err(|source| StoreError::Unreadable { shard, seq, source })
}

impl Store {
    /// A reader of the rows behind `after`, up to row `to`.
    ///
    /// # Errors
    /// Row `after` is not there; PostgreSQL.
    pub async fn journal_reader(
        &self,
        shard: ShardId,
        after: Seq,
        to: Seq,
    ) -> Result<JournalReader, StoreError> {
        let mut connection = self.connection().await.map_err(StoreError::database("connecting"))?;
        let walk = Walk::begin(&mut connection, shard, after).await?;
        Ok(JournalReader { connection, walk, to })
    }

    /// The hash of a row that is in the database.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn journal_hash(&self, shard: ShardId, seq: Seq) -> Result<Option<Hash>, StoreError> {
        let mut connection = self.connection().await.map_err(StoreError::database("connecting"))?;
        hash_by(&mut connection, HASH, shard, seq).await
    }

    /// The last row that is known to be archived, and its hash: where the chain in the database may
    /// begin. [`Seq::NONE`] where nothing was archived.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn last_anchor(&self, shard: ShardId) -> Result<ChainHead, StoreError> {
        let found = sqlx::query(LAST_ANCHOR)
            .bind(i32::from(shard.0))
            .fetch_optional(self.pool())
            .await
            .map_err(StoreError::database(DOING))?;
        let Some(row) = found else {
            return Ok(ChainHead { shard, seq: Seq::NONE, hash: Hash::genesis(shard) });
        };
        let seq = row.try_get("seq").map(Seq).map_err(StoreError::database(DOING))?;
        let hash = hash_of(&row).map_err(StoreError::database(DOING))?;
        Ok(ChainHead { shard, seq, hash })
    }

    /// All rows behind `after`, in order, checked against the chain.
    ///
    /// # Errors
    /// A gap or a changed row, named; a row that this version cannot read; PostgreSQL.
    pub async fn tail(
        &self,
        shard: ShardId,
        after: Seq,
    ) -> Result<Vec<(Seq, Vec<Record>)>, StoreError> {
        let mut rows = Vec::new();
        self.for_each_row(shard, after, |seq, records| rows.push((seq, records))).await?;
        Ok(rows)
    }

    /// The records of the first rows behind `after`, at most so many rows and none behind `to`,
    /// over a connection of the caller's.
    ///
    /// # Errors
    /// As [`Store::tail`].
    pub async fn records_behind(
        connection: &mut PgConnection,
        shard: ShardId,
        (after, to): (Seq, Seq),
        most: u32,
    ) -> Result<Vec<(Seq, Vec<Record>)>, StoreError> {
        let mut walk = Walk::begin(connection, shard, after).await?;
        let rows = walk.next_few(connection, i64::from(most)).await?;
        let wanted = rows.iter().take_while(|row| row.seq <= to);
        wanted.map(|row| Ok((row.seq, decode(row)?))).collect()
    }

    /// Hands over the rows behind `after`, in order, checked against the chain, holding no more
    /// than a chunk of them at once.
    ///
    /// # Errors
    /// As [`Store::tail`]; rows handed over before the error were good.
    pub async fn for_each_row(
        &self,
        shard: ShardId,
        after: Seq,
        mut take: impl FnMut(Seq, Vec<Record>) + Send,
    ) -> Result<ChainHead, StoreError> {
        let mut connection = self.connection().await.map_err(StoreError::database("connecting"))?;
        let mut walk = Walk::begin(&mut connection, shard, after).await?;
        loop {
            let rows = walk.next_chunk(&mut connection).await?;
            if rows.is_empty() {
                return Ok(walk.head());
            }
            for row in &rows {
                take(row.seq, decode(row)?);
            }
        }
    }

    /// The first rows behind `after`, at most a chunk; for a projector that missed some.
    pub(crate) async fn some_rows(
        connection: &mut PgConnection,
        shard: ShardId,
        after: Seq,
    ) -> Result<Vec<(Seq, Vec<Record>)>, StoreError> {
        let mut walk = Walk::begin(connection, shard, after).await?;
        let rows = walk.next_chunk(connection).await?;
        rows.iter().map(|row| Ok((row.seq, decode(row)?))).collect()
    }
}
