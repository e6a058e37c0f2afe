//! The journal rows of a resharding: the last of a sealed shard, and the first of a new one. It
//! owns how much of an estate stands in one row.

use switch_domain::{
    Cause, Effects, Epoch, Estate, Event, Founded, Record, Sealed, SealedHead, Seq, ShardId,
};

use super::Work;
use crate::journal::{Hash, JournalRow};
use crate::takeover::TakenShard;

/// Accounts, cards and others in one row: some hundred kilobytes.
const ROWS: usize = 5_000;

/// The last row of a shard.
pub(super) struct Sealing {
    pub(super) row: JournalRow,
    pub(super) record: Record,
}

fn record(work: &Work, event: Event) -> Record {
    Record { at: work.at, cause: Cause::Switch, event, effects: Effects::default() }
}

/// What seals a shard.
pub(super) fn sealing(taken: &TakenShard, work: &Work) -> Sealing {
    let TakenShard { shard, epoch, head, head_hash } = *taken;
    let record = record(work, Event::Sealed(Sealed { shard, heirs: work.to }));
    let records = std::slice::from_ref(&record);
    let row = JournalRow::seal(shard, head.next(), epoch, work.owner, head_hash, records);
    Sealing { row, record }
}

/// What a shard begins with, a record a row: who came before it, and what it has from them.
pub(super) fn founding_rows(
    shard: ShardId,
    estate: Estate,
    sealed: &[SealedHead],
    work: &Work,
) -> Vec<(JournalRow, Record)> {
    let founded = Founded { shard, heirs: work.to, from: sealed.to_vec() };
    let pieces = estate.pieces(ROWS).into_iter().map(|piece| Event::Inherited(Box::new(piece)));
    let (mut previous, mut seq) = (Hash::genesis(shard), Seq::NONE);
    let mut rows = Vec::new();
    for event in std::iter::once(Event::Founded(founded)).chain(pieces) {
        seq = seq.next();
        let record = record(work, event);
        let records = std::slice::from_ref(&record);
        let row = JournalRow::seal(shard, seq, Epoch(1), work.owner, previous, records);
        previous = row.hash;
        rows.push((row, record));
    }
    rows
}
