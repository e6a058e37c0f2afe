//! A projector after its connection broke: the database may be another one, restored from an
//! earlier time. What it was handed over must not get into rows whose journal does not have it, and
//! the projector ends: no later attempt could help (W-24).

use std::sync::{Arc, Mutex};

use switch_domain::{Forgotten, Recalled, Record, Seq, ShardId};
use switch_store::{
    ChainFault, CommittedBatch, Moves, Position, ProjectionSettings, Projector, StoreError, Tables,
};
use tokio::sync::{Notify, mpsc, watch};

use crate::life::{SHARD, control_rows};

/// Rows beside a journal that has nothing.
#[derive(Clone, Default)]
struct Restored {
    written: Arc<Mutex<Vec<Seq>>>,
}

impl Tables for Restored {
    async fn position(&mut self, _: ShardId) -> Result<Position, StoreError> {
        Ok(Position::NONE)
    }

    async fn journal(&mut self, _: ShardId, _: Seq) -> Result<Vec<(Seq, Vec<Record>)>, StoreError> {
        Ok(Vec::new())
    }

    async fn recall(
        &mut self,
        _: ShardId,
        _: Seq,
        _: &Forgotten,
    ) -> Result<Option<Recalled>, StoreError> {
        Ok(None)
    }

    async fn write(
        &mut self,
        _: ShardId,
        _: Seq,
        batches: &[CommittedBatch],
    ) -> Result<bool, StoreError> {
        let mut written = self.written.lock().expect("no panic");
        written.extend(batches.iter().map(|batch| batch.seq));
        Ok(true)
    }

    async fn flush(&mut self, _: ShardId, _: Seq, _: Seq, _: &Moves) -> Result<bool, StoreError> {
        Ok(true)
    }
}

#[tokio::test]
async fn what_the_journal_beside_the_rows_lacks_is_not_written() {
    let tables = Restored::default();
    let (batches, rx) = mpsc::unbounded_channel();
    let (seen, _progress) = watch::channel(Seq::NONE);
    let records = Arc::new(control_rows()[0].clone());
    batches.send(CommittedBatch { seq: Seq(0), records }).expect("a receiver");
    let projector = Projector::new(tables.clone(), ProjectionSettings::default());
    let ended = projector.run(SHARD, rx, seen, Arc::new(Notify::new())).await;
    assert_eq!(ended, Err(ChainFault::Missing { shard: SHARD, seq: Seq(0) }));
    assert!(tables.written.lock().expect("no panic").is_empty());
}
