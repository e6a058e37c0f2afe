//! Resharding (W-12), as PostgreSQL sees it: one transaction in which the old shards are sealed,
//! the new ones founded, and the rows of tables change hands. So there is no step between: a
//! process that is killed leaves the old shards as they were, or has finished. It owns that
//! transaction; what goes to which shard is told by its caller, and history is not rewritten.

mod hands;
mod rows;

use sqlx::{Connection, PgConnection, Row};
use switch_domain::{Estate, Placement, SealedHead, Seq, ShardId, Timestamp};

use crate::error::StoreError;
use crate::journal::{JournalRow, insert};
use crate::load::moved::moves;
use crate::projection::project_within;
use crate::shards::{GROUP, placement};
use crate::store::Store;
use crate::takeover::{TakenShard, Takeover};

use rows::{Sealing, founding_rows, sealing};

/// A commit is waited for as long as it takes: nobody is served meanwhile.
const LIMITS: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '10s'; \
    SET LOCAL synchronous_commit = on";

const LOCK_GROUP: &str = "SELECT 1 FROM shard_group WHERE group_id = $1 FOR UPDATE";

const MOVE_GROUP: &str = "UPDATE shard_group SET first_shard = $2, shards = $3 WHERE group_id = $1";

const MAKE_PART: &str = "SELECT make_journal_part($1, $2, $3)";

const POSITION: &str = "SELECT seq, flushed FROM projection WHERE shard = $1 FOR UPDATE";

const FLUSHED: &str = "UPDATE projection SET flushed = seq WHERE shard = $1";

const DOING: &str = "resharding";

/// A new shard, and what it begins with.
#[derive(Clone, Debug)]
pub struct Heir {
    /// The shard.
    pub shard: ShardId,
    /// What sealed shards leave to it.
    pub estate: Estate,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resharded {
    /// The last rows of the shards that were sealed.
    pub sealed: Vec<SealedHead>,
    /// The shards that were founded, and the last row of their founding.
    pub founded: Vec<(ShardId, Seq)>,
}

/// Why nothing was resharded.
#[derive(Debug, thiserror::Error)]
pub enum ReshardError {
    /// Somebody else took the shards over, or resharded, meanwhile.
    #[error("shard {0} was taken over by another process meanwhile; nothing was changed")]
    Taken(ShardId),
    /// Not everything that was committed is in the tables: PostgreSQL forgot some of it.
    #[error(
        "the tables have forgotten rows of shard {0} that were in them: did PostgreSQL crash? \
         Nothing was changed; run this again"
    )]
    Behind(ShardId),
    /// The rows in a table are not those that were to change hands.
    #[error(
        "table {table}: of shard {shard} are {found} rows, where {expected} were expected. \
         The tables were changed by somebody else; nothing was changed here"
    )]
    Rows {
        /// The table.
        table: &'static str,
        /// Whose rows they are or become.
        shard: ShardId,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: u64,
    },
    /// PostgreSQL.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn database(error: sqlx::Error) -> ReshardError {
    StoreError::database(DOING)(error).into()
}

impl Store {
    /// Seals every data shard of `taken` and founds `heirs` in their place, which are the shards of
    /// `to`. Everything in the journal must be in the tables, and flushed.
    ///
    /// # Errors
    /// See [`ReshardError`]: nothing was changed, unless it is PostgreSQL that fails at the very
    /// end. Whoever asks then finds out by [`Store::placement`].
    pub async fn reshard(
        &self,
        taken: &Takeover,
        to: Placement,
        heirs: Vec<Heir>,
        at: Timestamp,
        part_rows: u32,
    ) -> Result<Resharded, ReshardError> {
        let mut connection = self.owner_connection().await.map_err(database)?;
        let mut tx = connection.begin().await.map_err(database)?;
        sqlx::raw_sql(LIMITS).execute(&mut *tx).await.map_err(database)?;
        let work = Work { part_rows: i64::from(part_rows.max(1)), owner: self.owner(), at, to };
        let done = work.run(&mut tx, taken, heirs).await?;
        tx.commit().await.map_err(database)?;
        let _ = connection.close().await;
        Ok(done)
    }
}

/// Sees to it that the tables have everything up to the head: rows that change hands take nothing
/// along that is still on its way to them.
async fn expect_drained(tx: &mut PgConnection, taken: &TakenShard) -> Result<(), ReshardError> {
    let shard = taken.shard;
    let position = sqlx::query(POSITION).bind(i32::from(shard.0));
    let position = position.fetch_optional(&mut *tx).await.map_err(database)?;
    let Some(row) = position else { return Err(ReshardError::Behind(shard)) };
    let seq = |column| row.try_get(column).map(Seq).map_err(database);
    let (history, flushed) = (seq("seq")?, seq("flushed")?);
    if history != taken.head || !moves(tx, shard, flushed, history).await?.is_empty() {
        return Err(ReshardError::Behind(shard));
    }
    Ok(())
}

/// What every step of the transaction needs.
struct Work {
    part_rows: i64,
    owner: switch_domain::OwnerId,
    at: Timestamp,
    to: Placement,
}

impl Work {
    async fn run(
        &self,
        tx: &mut PgConnection,
        taken: &Takeover,
        heirs: Vec<Heir>,
    ) -> Result<Resharded, ReshardError> {
        let from = taken.placement();
        sqlx::query(LOCK_GROUP).bind(GROUP).execute(&mut *tx).await.map_err(database)?;
        if placement(tx).await? != Some(from) {
            return Err(ReshardError::Taken(ShardId::CONTROL));
        }
        let old = taken.shards().iter().filter(|one| one.shard != ShardId::CONTROL);
        let mut sealed = Vec::new();
        for one in old {
            expect_drained(tx, one).await?;
            let Sealing { row, record } = sealing(one, self);
            self.append(tx, std::slice::from_ref(&row)).await?;
            self.project(tx, one.shard, one.head, &[(row.seq, vec![record])]).await?;
            sealed.push(SealedHead { shard: row.shard, seq: row.seq, hash: row.hash.0 });
        }
        hands::let_go(tx, from).await?;
        let mut founded = Vec::new();
        for heir in heirs {
            founded.push(self.found(tx, heir, &sealed).await?);
        }
        hands::expect_nothing_left(tx, from).await?;
        let shards = i32::from(self.to.data_shards()).saturating_add(1);
        let moved = sqlx::query(MOVE_GROUP).bind(GROUP).bind(i32::from(self.to.first().0));
        moved.bind(shards).execute(tx).await.map_err(database)?;
        Ok(Resharded { sealed, founded })
    }

    async fn found(
        &self,
        tx: &mut PgConnection,
        heir: Heir,
        sealed: &[SealedHead],
    ) -> Result<(ShardId, Seq), ReshardError> {
        let Heir { shard, estate } = heir;
        let founding = founding_rows(shard, estate.clone(), sealed, self);
        let last = founding.last().map_or(Seq::NONE, |(row, _)| row.seq);
        let (rows, records): (Vec<_>, Vec<_>) = founding
            .into_iter()
            .map(|(row, record)| (row.clone(), (row.seq, vec![record])))
            .unzip();
        self.append(tx, &rows).await?;
        self.project(tx, shard, Seq::NONE, &records).await?;
        hands::take(tx, shard, last, &estate).await?;
        Ok((shard, last))
    }

    /// Puts rows in, having made the parts that they need.
    async fn append(&self, tx: &mut PgConnection, rows: &[JournalRow]) -> Result<(), ReshardError> {
        for row in rows {
            let part = sqlx::query(MAKE_PART).bind(i32::from(row.shard.0)).bind(row.seq.0);
            part.bind(self.part_rows).execute(&mut *tx).await.map_err(database)?;
            if !insert(tx, row).await.map_err(database)? {
                return Err(ReshardError::Taken(row.shard));
            }
        }
        Ok(())
    }

    /// Brings the watermarks of a shard to the rows that were put in.
    async fn project(
        &self,
        tx: &mut PgConnection,
        shard: ShardId,
        after: Seq,
        rows: &[(Seq, Vec<switch_domain::Record>)],
    ) -> Result<(), ReshardError> {
        if !project_within(tx, shard, after, rows).await.map_err(database)? {
            return Err(ReshardError::Taken(shard));
        }
        let flushed = sqlx::query(FLUSHED).bind(i32::from(shard.0)).execute(tx).await;
        flushed.map(drop).map_err(database)
    }
}
