//! What the simulated database keeps: journal rows for good, table rows for good once a commit has
//! synced them, and keys that open transactions hold. It owns which writes a crash takes along; it
//! waits for nothing.

use std::collections::BTreeMap;

use switch_domain::{OwnerId, Record, Seq, ShardId};

use super::image::Prints;
use super::rows::Rows;
use super::{Defect, StoreEvent};
use crate::journal::{Appended, Hash, JournalRow};
use crate::projection::{CommittedBatch, Moves, Position};

/// A transaction of a projector: not for good until a later commit has synced it.
#[derive(Clone, Debug)]
enum Unsynced {
    Write { shard: ShardId, batches: Vec<CommittedBatch> },
    Flush { shard: ShardId, to: Seq, moves: Moves },
}

/// What an insert finds at its key.
pub(super) enum Place {
    /// The row is in, and nobody else sees it yet: it has to be committed.
    Free,
    /// Another open transaction holds the key.
    Held,
    /// The key, or the row before it, tells the outcome.
    Known(Appended),
}

type AllRows = BTreeMap<ShardId, Rows>;

/// Everything in the database.
#[derive(Debug, Default)]
pub(super) struct Database {
    journal: BTreeMap<(ShardId, Seq), JournalRow>,
    held: BTreeMap<(ShardId, Seq), u64>,
    rows: AllRows,
    synced: AllRows,
    unsynced: Vec<Unsynced>,
    pub(super) prints: Prints,
    pub(super) defect: Defect,
    pub(super) events: Vec<StoreEvent>,
}

fn rows_of(all: &mut AllRows, shard: ShardId) -> &mut Rows {
    all.entry(shard).or_insert_with(|| Rows::new(shard))
}

fn redo(all: &mut AllRows, write: &Unsynced) {
    match write {
        Unsynced::Write { shard, batches } => {
            let rows = rows_of(all, *shard);
            batches.iter().for_each(|batch| rows.project(batch.seq, &batch.records));
        }
        Unsynced::Flush { shard, to, moves } => rows_of(all, *shard).flush(*to, moves),
    }
}

impl Database {
    /// A shard's journal behind `after`.
    pub(super) fn journal(
        &self,
        shard: ShardId,
        after: Seq,
    ) -> impl DoubleEndedIterator<Item = &JournalRow> {
        self.journal.range((shard, after.next())..=(shard, Seq(i64::MAX))).map(|(_, row)| row)
    }

    pub(super) fn row(&self, shard: ShardId, seq: Seq) -> Option<&JournalRow> {
        self.journal.get(&(shard, seq))
    }

    pub(super) fn rows(&self, shard: ShardId) -> Option<&Rows> {
        self.rows.get(&shard)
    }

    pub(super) fn position(&self, shard: ShardId) -> Position {
        self.rows(shard).and_then(|rows| rows.position).unwrap_or(Position::NONE)
    }

    /// The insert of a row, in a transaction that is named by a number.
    pub(super) fn insert(&mut self, row: &JournalRow, transaction: u64) -> Place {
        let key = (row.shard, row.seq);
        if self.held.contains_key(&key) {
            return Place::Held;
        }
        let fence_off = self.defect == Defect::FenceOff;
        if let Some(found) =
            self.journal.get(&key).filter(|found| found.hash == row.hash || !fence_off)
        {
            return Place::Known(if found.hash == row.hash {
                Appended::Committed
            } else {
                Appended::Taken { owner: found.owner, epoch: found.epoch }
            });
        }
        let before = self.journal.get(&(row.shard, Seq(row.seq.0.saturating_sub(1))));
        let chained = before.is_some_and(|before| before.hash == row.previous);
        if chained || row.seq == Seq(0) || fence_off {
            self.held.insert(key, transaction);
            Place::Free
        } else {
            Place::Known(Appended::PredecessorMissing)
        }
    }

    /// Ends the transaction that put a row; false where it was ended by a crash before.
    pub(super) fn end(&mut self, row: &JournalRow, transaction: u64, commit: bool) -> bool {
        let key = (row.shard, row.seq);
        if self.held.get(&key) != Some(&transaction) {
            return false;
        }
        self.held.remove(&key);
        if commit {
            self.journal.insert(key, row.clone());
            self.events.push(StoreEvent::Committed(row.clone()));
            self.sync();
        } else {
            self.events.push(StoreEvent::RolledBack { shard: row.shard, seq: row.seq });
        }
        commit
    }

    /// Everything written so far is there for good.
    pub(super) fn sync(&mut self) {
        for write in self.unsynced.drain(..) {
            redo(&mut self.synced, &write);
        }
    }

    /// The database ends without warning: open transactions are gone, and of the writes that were
    /// not synced all but the first `kept`.
    pub(super) fn crash(&mut self, kept: usize) {
        self.held.clear();
        let lost = self.unsynced.len().saturating_sub(kept);
        self.unsynced.truncate(kept);
        self.sync();
        self.rows.clone_from(&self.synced);
        self.events.push(StoreEvent::Crashed { lost });
    }

    /// How many writes are not synced.
    pub(super) const fn unsynced(&self) -> usize {
        self.unsynced.len()
    }

    fn put(&mut self, write: Unsynced) {
        redo(&mut self.rows, &write);
        self.unsynced.push(write);
    }

    /// A chunk of history; false where the watermark is elsewhere.
    pub(super) fn write(&mut self, shard: ShardId, after: Seq, batches: &[CommittedBatch]) -> bool {
        let Some(last) = batches.last() else { return true };
        if self.position(shard).history != after {
            return false;
        }
        let mut batches = batches.to_vec();
        if self.defect == Defect::SkipsRecord
            && let Some(batch) = batches.iter_mut().find(|batch| batch.records.len() > 1)
        {
            batch.records = batch.records.iter().skip(1).cloned().collect::<Vec<_>>().into();
        }
        let to = last.seq;
        self.put(Unsynced::Write { shard, batches });
        self.events.push(StoreEvent::Written { shard, to });
        true
    }

    /// A flush; false where the watermarks are elsewhere.
    pub(super) fn flush(&mut self, shard: ShardId, from: Seq, to: Seq, moves: &Moves) -> bool {
        let there = self.rows(shard).and_then(|rows| rows.position);
        if !there.is_some_and(|there| there.flushed == from && there.history >= to) {
            return false;
        }
        let mut moves = moves.clone();
        if self.defect == Defect::FlushesTwice {
            for moved in moves.balances.values_mut() {
                moved.held.0 = moved.held.0.saturating_mul(2);
            }
        }
        self.put(Unsynced::Flush { shard, to, moves });
        self.events.push(StoreEvent::Flushed { shard, to });
        true
    }

    /// What moved behind the last flush, up to where history is.
    pub(super) fn moves(&self, shard: ShardId) -> Moves {
        let position = self.position(shard);
        let mut moves = Moves::default();
        for row in self.journal(shard, position.flushed) {
            if row.seq <= position.history {
                moves.add(row.seq, &records(row));
            }
        }
        moves
    }

    /// Where the next row of a shard goes, and what the last one says of its owner.
    pub(super) fn head(&self, shard: ShardId) -> (Seq, Hash, Option<(&JournalRow, OwnerId)>) {
        match self.journal(shard, Seq::NONE).next_back() {
            Some(row) => (row.seq, row.hash, Some((row, row.owner))),
            None => (Seq::NONE, Hash::genesis(shard), None),
        }
    }
}

/// A row's records. The rows are our own: they can be read.
pub(super) fn records(row: &JournalRow) -> Vec<Record> {
    row.decode().unwrap_or_default()
}
