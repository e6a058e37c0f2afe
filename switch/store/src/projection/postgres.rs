//! The rows of a shard in PostgreSQL, over a connection of its own. It owns that connection: after
//! an error, or when one step takes longer than its patience, it is closed and another is made. It
//! retries nothing.

use std::future::Future;
use std::time::Duration;

use sqlx::{PgConnection, Row};
use switch_domain::{Forgotten, Recalled, Record, Seq, ShardId};

use super::chunk::Chunk;
use super::moves::Moves;
use super::tables::{Position, Tables};
use super::{CommittedBatch, flush, write};
use crate::error::StoreError;
use crate::load::recall::recall;
use crate::store::Store;

/// One step of projection may take so long before its connection is given up: a server that hangs
/// must not hold the rows up for longer than it hangs.
const PATIENCE: Duration = Duration::from_secs(30);

const DOING: &str = "projecting";

const POSITION: &str = "SELECT seq, flushed FROM projection WHERE shard = $1";

/// The way to the rows. A clone makes a connection of its own.
#[derive(Debug)]
pub struct PgTables {
    store: Store,
    connection: Option<PgConnection>,
    /// The last chunk that was written: the next one takes its room.
    chunk: Option<Chunk>,
    /// How long the rows of a chunk may take.
    spread: Duration,
}

impl Clone for PgTables {
    fn clone(&self) -> Self {
        Self::new(self.store.clone())
    }
}

impl PgTables {
    pub(crate) const fn new(store: Store) -> Self {
        Self { store, connection: None, chunk: None, spread: Duration::ZERO }
    }

    /// The connection, taken out: it comes back only when the step has succeeded.
    async fn ready(&mut self) -> Result<PgConnection, StoreError> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => self.store.projector_connection().await.map_err(StoreError::database(DOING)),
        }
    }
}

/// Waits for one step as long as patience goes.
async fn patiently<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let in_time = tokio::time::timeout(PATIENCE, work).await;
    in_time.unwrap_or_else(|_| Err(StoreError::database(DOING)(sqlx::Error::PoolTimedOut)))
}

impl Tables for PgTables {
    async fn position(&mut self, shard: ShardId) -> Result<Position, StoreError> {
        let mut connection = self.ready().await?;
        let found = patiently(async {
            sqlx::query(POSITION)
                .bind(i32::from(shard.0))
                .fetch_optional(&mut connection)
                .await
                .and_then(|row| row.map(|row| position(&row)).transpose())
                .map_err(StoreError::database(DOING))
        });
        let found = found.await?;
        self.connection = Some(connection);
        Ok(found.unwrap_or(Position::NONE))
    }

    async fn journal(
        &mut self,
        shard: ShardId,
        after: Seq,
    ) -> Result<Vec<(Seq, Vec<Record>)>, StoreError> {
        let mut connection = self.ready().await?;
        let rows = patiently(Store::some_rows(&mut connection, shard, after)).await?;
        self.connection = Some(connection);
        Ok(rows)
    }

    async fn recall(
        &mut self,
        shard: ShardId,
        at_least: Seq,
        what: &Forgotten,
    ) -> Result<Option<Recalled>, StoreError> {
        let mut connection = self.ready().await?;
        let recalled = patiently(recall(&mut connection, shard, at_least, what)).await?;
        self.connection = Some(connection);
        Ok(recalled)
    }

    fn spread(&mut self, over: Duration) {
        self.spread = over;
    }

    async fn write(
        &mut self,
        shard: ShardId,
        after: Seq,
        batches: &[CommittedBatch],
    ) -> Result<bool, StoreError> {
        let mut chunk = match self.chunk.take().filter(|chunk| chunk.shard == shard) {
            Some(mut chunk) => {
                chunk.restart(after);
                chunk
            }
            None => Chunk::new(shard, after),
        };
        for batch in batches {
            chunk.add_row(batch.seq, &batch.records);
        }
        let mut connection = self.ready().await?;
        let spread = self.spread;
        let written = patiently(async {
            write::write(&mut connection, &mut chunk, spread)
                .await
                .map_err(StoreError::database(DOING))
        });
        let written = written.await?;
        self.connection = Some(connection);
        self.chunk = Some(chunk);
        Ok(written)
    }

    async fn flush(
        &mut self,
        shard: ShardId,
        from: Seq,
        to: Seq,
        moves: &Moves,
    ) -> Result<bool, StoreError> {
        let mut connection = self.ready().await?;
        let doing = "flushing what moved";
        let flushed = patiently(async {
            let flushed = flush::flush(&mut connection, shard, from, to, moves).await;
            flushed.map_err(StoreError::database(doing))
        });
        let flushed = flushed.await?;
        self.connection = Some(connection);
        Ok(flushed)
    }
}

fn position(row: &sqlx::postgres::PgRow) -> Result<Position, sqlx::Error> {
    Ok(Position { history: Seq(row.try_get("seq")?), flushed: Seq(row.try_get("flushed")?) })
}
