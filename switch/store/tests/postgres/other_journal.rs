//! A projector after its connection broke: the database may be another one, restored from an
//! earlier time. What it was handed over must not get into rows whose journal does not have it.

use std::sync::{Arc, Mutex};

use switch_domain::{Forgotten, Recalled, Record, Seq, ShardId};
use switch_store::{
    CommittedBatch, Moves, Position, ProjectionSettings, Projector, StoreError, Tables,
};
use tokio::sync::{Notify, mpsc, watch};

use crate::life::{SHARD, control_rows};

/// Rows beside a journal that has nothing yet when it is looked at first.
#[derive(Clone, Default)]
struct Restored(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    looks: u32,
    in_journal: bool,
    written: Vec<(Seq, bool)>,
}

impl Tables for Restored {
    async fn position(&mut self, _: ShardId) -> Result<Position, StoreError> {
        let mut seen = self.0.lock().expect("no panic");
        seen.looks += 1;
        seen.in_journal = seen.looks > 2;
        Ok(Position::NONE)
    }

    async fn journal(
        &mut self,
        _: ShardId,
        after: Seq,
    ) -> Result<Vec<(Seq, Vec<Record>)>, StoreError> {
        let there = self.0.lock().expect("no panic").in_journal && after == Seq::NONE;
        Ok(there.then(|| (Seq(0), control_rows()[0].clone())).into_iter().collect())
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
        let mut seen = self.0.lock().expect("no panic");
        let in_journal = seen.in_journal;
        seen.written.extend(batches.iter().map(|batch| (batch.seq, in_journal)));
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
    let (seen, mut progress) = watch::channel(Seq::NONE);
    let records = Arc::new(control_rows()[0].clone());
    batches.send(CommittedBatch { seq: Seq(0), records }).expect("a receiver");
    let projector = Projector::new(tables.clone(), ProjectionSettings::default());
    let task = tokio::spawn(projector.run(SHARD, rx, seen, Arc::new(Notify::new())));
    progress.wait_for(|seq| *seq >= Seq(0)).await.expect("a projector that runs");
    assert_eq!(tables.0.lock().expect("no panic").written, [(Seq(0), true)]);
    task.abort();
}
