//! How far the tables are behind the journal, as the worker sees it. It owns the count of records
//! not yet projected, and the time up to which the tables have everything for good.

use std::collections::VecDeque;
use std::sync::Arc;

use metrics::Gauge;
use switch_domain::{Seq, Timestamp};
use switch_store::CommittedBatch;
use tokio::sync::{Notify, mpsc, watch};

/// A committed row that the tables do not have for good.
struct Behind {
    seq: Seq,
    first_at: Timestamp,
    records: usize,
}

/// The worker's side of a projector.
pub(crate) struct Projected {
    batches: Option<mpsc::UnboundedSender<CommittedBatch>>,
    progress: watch::Receiver<Seq>,
    nudge: Arc<Notify>,
    behind: VecDeque<Behind>,
    /// How many of `behind`, from the front, are in the tables.
    in_tables: usize,
    lag: usize,
    /// The same for people. The projector takes off it what it has written, so that it is true
    /// also while nothing is committed.
    shown: Gauge,
    /// What was in the tables when a journal row was sent that is committed now: transactions of
    /// the projector are not synced by themselves, but a later commit syncs them too.
    durable: Seq,
    /// Look-ups must see everything up to here: what memory lets go, and what replay applied to
    /// authorizations that it does not have.
    recallable: Seq,
}

impl Projected {
    pub(crate) fn new(
        batches: mpsc::UnboundedSender<CommittedBatch>,
        progress: watch::Receiver<Seq>,
        nudge: Arc<Notify>,
        shown: Gauge,
    ) -> Self {
        let durable = *progress.borrow();
        Self {
            batches: Some(batches),
            progress,
            nudge,
            behind: VecDeque::new(),
            in_tables: 0,
            lag: 0,
            shown,
            durable,
            recallable: durable,
        }
    }

    /// Hands a row to the projector that was replayed.
    pub(crate) fn announce_replayed(&mut self, batch: CommittedBatch) {
        self.recallable = self.recallable.max(batch.seq);
        self.announce(batch);
    }

    /// Hands a committed row to the projector.
    pub(crate) fn announce(&mut self, batch: CommittedBatch) {
        let first_at = batch.records.first().map(|record| record.at).unwrap_or_default();
        let records = batch.records.len();
        self.behind.push_back(Behind { seq: batch.seq, first_at, records });
        self.lag = self.lag.saturating_add(records);
        self.shown.increment(records as f64);
        if let Some(batches) = &self.batches {
            let _ = batches.send(batch);
        }
    }

    /// Follows the position up to which the tables have everything.
    pub(crate) fn watch(&self) -> watch::Receiver<Seq> {
        self.progress.clone()
    }

    /// The position up to which the tables have everything.
    pub(crate) fn seq(&self) -> Seq {
        *self.progress.borrow()
    }

    /// Waits until the tables have more; false when the projector has ended.
    pub(crate) async fn moved(&mut self) -> bool {
        self.progress.changed().await.is_ok()
    }

    /// Asks the projector not to wait for its pace.
    pub(crate) fn nudge(&self) {
        self.nudge.notify_one();
    }

    /// Records that are committed and not in the tables.
    pub(crate) fn lag(&mut self) -> usize {
        let done = self.seq();
        while let Some(next) = self.behind.get(self.in_tables).filter(|next| next.seq <= done) {
            self.lag = self.lag.saturating_sub(next.records);
            self.in_tables = self.in_tables.saturating_add(1);
        }
        self.lag
    }

    /// A journal row is committed that was sent when the tables were at `seq`.
    pub(crate) fn stays_at(&mut self, seq: Seq) {
        self.lag();
        self.durable = self.durable.max(seq);
        while self.behind.front().is_some_and(|first| first.seq <= self.durable) {
            self.behind.pop_front();
            self.in_tables = self.in_tables.saturating_sub(1);
        }
    }

    /// Up to where the tables have everything for good.
    pub(crate) const fn durable(&self) -> Seq {
        self.durable
    }

    /// The time before which every record is in the tables for good; `now` when all are. Memory
    /// may let go of what was decided before it.
    pub(crate) fn everything_before(&mut self, now: Timestamp) -> Timestamp {
        self.recallable = self.recallable.max(self.durable);
        self.behind.front().map_or(now, |first| first.first_at)
    }

    /// How far rows must be for a look-up to tell the truth.
    pub(crate) const fn recallable(&self) -> Seq {
        self.recallable
    }

    /// What wakes the projector.
    pub(crate) fn nudger(&self) -> Arc<Notify> {
        Arc::clone(&self.nudge)
    }

    /// Tells the projector that no more will come: it finishes and ends.
    pub(crate) fn close(&mut self) {
        self.batches = None;
    }
}
