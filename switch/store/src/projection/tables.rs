//! Where a projector writes, as a trait: PostgreSQL is one such place, the simulated store of the
//! tests another. It owns the words of that border; whoever implements it decides nothing.

use std::future::Future;
use std::time::Duration;

use switch_domain::{Forgotten, Recalled, Record, Seq, ShardId};

use super::CommittedBatch;
use super::moves::Moves;
use crate::error::StoreError;

/// How far a shard's rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Everything up to here is in the rows of history and of things that seldom change.
    pub history: Seq,
    /// Everything up to here is in the rows that move often; never after `history`.
    pub flushed: Seq,
}

impl Position {
    /// Nothing yet.
    pub const NONE: Self = Self { history: Seq::NONE, flushed: Seq::NONE };
}

/// The rows of one shard. Each call is one transaction: all of it happened, or none. After an error
/// nobody knows which, and the position has to be read again. A clone has a way of its own to the
/// rows, and may be used beside the first.
pub trait Tables: Clone + Send + 'static {
    /// How far the rows are.
    fn position(
        &mut self,
        shard: ShardId,
    ) -> impl Future<Output = Result<Position, StoreError>> + Send;

    /// The next rows of the journal behind `after`, in order and without a gap, as many as make a
    /// chunk; empty at the head.
    fn journal(
        &mut self,
        shard: ShardId,
        after: Seq,
    ) -> impl Future<Output = Result<Vec<(Seq, Vec<Record>)>, StoreError>> + Send;

    /// Looks up what memory has let go, in rows that have everything up to `at_least`; `None` where
    /// they do not have that yet.
    fn recall(
        &mut self,
        shard: ShardId,
        at_least: Seq,
        what: &Forgotten,
    ) -> impl Future<Output = Result<Option<Recalled>, StoreError>> + Send;

    /// How long the rows of one chunk may take from now on: they are spread over that time, so as
    /// to leave room for the appends that they share a disk with.
    fn spread(&mut self, _over: Duration) {}

    /// Writes what follows from a run of journal rows that begins right behind `after`, and moves
    /// the watermark of history from there to the last of them. False, and nothing written, where
    /// the watermark is not at `after`. Transactions may be lost in a crash of the database, the
    /// last ones first.
    fn write(
        &mut self,
        shard: ShardId,
        after: Seq,
        batches: &[CommittedBatch],
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Writes the rows that moved from behind `from` up to `to`, and moves their watermark. False,
    /// and nothing written, where the watermark is not at `from` or history is not as far as `to`.
    fn flush(
        &mut self,
        shard: ShardId,
        from: Seq,
        to: Seq,
        moves: &Moves,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
