//! The simulated tables, as projectors and look-ups see them. It owns the order of calls only; what
//! each does stands in `database` and `rows`.

use switch_domain::{Forgotten, OwnerId, Recalled, Record, Seq, ShardId};

use super::SimulatedStore;
use super::database::records;
use super::image::find;
use crate::error::{ChainFault, StoreError};
use crate::projection::{CommittedBatch, Moves, Position, Tables};

/// Rows of the journal that are read at once: few, so that reading takes more than one step.
const CHUNK: usize = 4;

/// The way of one process to the tables.
#[derive(Clone, Debug)]
pub struct SimulatedTables {
    store: SimulatedStore,
    owner: OwnerId,
}

impl SimulatedTables {
    pub(super) const fn new(store: SimulatedStore, owner: OwnerId) -> Self {
        Self { store, owner }
    }
}

impl Tables for SimulatedTables {
    async fn position(&mut self, shard: ShardId) -> Result<Position, StoreError> {
        let position = self.store.call(self.owner, "position", |db| db.position(shard));
        Ok(position.await?)
    }

    async fn journal(
        &mut self,
        shard: ShardId,
        after: Seq,
    ) -> Result<Vec<(Seq, Vec<Record>)>, StoreError> {
        let rows = self.store.call(self.owner, "journal", |db| {
            if after.0 >= 0 && db.row(shard, after).is_none() {
                return Err(ChainFault::Missing { shard, seq: after });
            }
            let rows = db.journal(shard, after).take(CHUNK);
            Ok(rows.map(|row| (row.seq, records(row))).collect())
        });
        Ok(rows.await??)
    }

    async fn recall(
        &mut self,
        shard: ShardId,
        at_least: Seq,
        what: &Forgotten,
    ) -> Result<Option<Recalled>, StoreError> {
        let recalled = self.store.call(self.owner, "recall", |db| {
            if db.position(shard).history < at_least {
                return None;
            }
            Some(db.rows(shard).map(|rows| find(rows, what)).unwrap_or_default())
        });
        Ok(recalled.await?)
    }

    async fn write(
        &mut self,
        shard: ShardId,
        after: Seq,
        batches: &[CommittedBatch],
    ) -> Result<bool, StoreError> {
        let written = self.store.call(self.owner, "write", |db| db.write(shard, after, batches));
        Ok(written.await?)
    }

    async fn flush(
        &mut self,
        shard: ShardId,
        from: Seq,
        to: Seq,
        moves: &Moves,
    ) -> Result<bool, StoreError> {
        let flushed = self.store.call(self.owner, "flush", |db| db.flush(shard, from, to, moves));
        Ok(flushed.await?)
    }
}
