//! How far the tables are behind the journal, as the worker sees it. It owns the count of records
//! not yet projected and the time up to which the tables have everything.

use std::collections::VecDeque;
use std::sync::Arc;

use switch_domain::{Seq, Timestamp};
use switch_store::CommittedBatch;
use tokio::sync::{Notify, mpsc, watch};

/// A committed row on its way to the tables.
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
    lag: usize,
}

impl Projected {
    pub(crate) fn new(
        batches: mpsc::UnboundedSender<CommittedBatch>,
        progress: watch::Receiver<Seq>,
        nudge: Arc<Notify>,
    ) -> Self {
        Self { batches: Some(batches), progress, nudge, behind: VecDeque::new(), lag: 0 }
    }

    /// Hands a committed row to the projector.
    pub(crate) fn announce(&mut self, batch: CommittedBatch) {
        let first_at = batch.records.first().map(|record| record.at).unwrap_or_default();
        let records = batch.records.len();
        self.behind.push_back(Behind { seq: batch.seq, first_at, records });
        self.lag = self.lag.saturating_add(records);
        if let Some(batches) = &self.batches {
            let _ = batches.send(batch);
        }
    }

    /// Follows the position up to which the tables have everything.
    pub(crate) fn watch(&self) -> watch::Receiver<Seq> {
        self.progress.clone()
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
        let done = *self.progress.borrow();
        while let Some(first) = self.behind.front().filter(|first| first.seq <= done) {
            self.lag = self.lag.saturating_sub(first.records);
            self.behind.pop_front();
        }
        self.lag
    }

    /// The time before which every record is in the tables; `now` when all are.
    pub(crate) fn everything_before(&mut self, now: Timestamp) -> Timestamp {
        self.lag();
        self.behind.front().map_or(now, |first| first.first_at)
    }

    /// Tells the projector that no more will come: it finishes and ends.
    pub(crate) fn close(&mut self) {
        self.batches = None;
    }
}
