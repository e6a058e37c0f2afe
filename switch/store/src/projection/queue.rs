//! Batches that wait for projection. It owns their order, forgets one only when the tables have it,
//! and takes it off the lag then: what a shard commits, it puts on.

use std::collections::VecDeque;

use metrics::{Gauge, gauge};
use switch_domain::{Seq, ShardId};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;

use super::CommittedBatch;

/// What was handed over and is not in the tables yet.
#[derive(Debug)]
pub(super) struct Queue {
    rx: mpsc::UnboundedReceiver<CommittedBatch>,
    waiting: VecDeque<CommittedBatch>,
    records: usize,
    closed: bool,
    lag: Gauge,
}

impl Queue {
    pub(super) fn new(rx: mpsc::UnboundedReceiver<CommittedBatch>, shard: ShardId) -> Self {
        let lag = gauge!("cardswitch_projection_lag", "shard" => shard.to_string());
        Self { rx, waiting: VecDeque::new(), records: 0, closed: false, lag }
    }

    /// Records that wait.
    pub(super) const fn records(&self) -> usize {
        self.records
    }

    /// True when nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// True once nothing more will come.
    pub(super) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Place of the first batch that waits.
    pub(super) fn first(&self) -> Option<Seq> {
        self.waiting.front().map(|batch| batch.seq)
    }

    /// Takes one more batch in, or notes that there are no more.
    pub(super) async fn receive(&mut self) {
        match self.rx.recv().await {
            Some(batch) => self.push(batch),
            None => self.closed = true,
        }
    }

    /// Takes in all that is there already.
    pub(super) fn receive_waiting(&mut self) {
        loop {
            match self.rx.try_recv() {
                Ok(batch) => self.push(batch),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.closed = true;
                    return;
                }
            }
        }
    }

    /// Lets everything pass unread until nothing more comes.
    pub(super) async fn drain_unread(&mut self) {
        while self.rx.recv().await.is_some() {}
    }

    fn push(&mut self, batch: CommittedBatch) {
        self.records = self.records.saturating_add(batch.records.len());
        self.waiting.push_back(batch);
    }

    /// Forgets what the tables have.
    pub(super) fn forget_to(&mut self, watermark: Seq) {
        while let Some(batch) = self.waiting.pop_front_if(|batch| batch.seq <= watermark) {
            self.records = self.records.saturating_sub(batch.records.len());
            self.lag.decrement(batch.records.len() as f64);
        }
    }

    /// The batches behind `watermark`, as far as they follow on each other without a gap, up to so
    /// many records, at least one batch.
    pub(super) fn chunk(&self, watermark: Seq, limit: usize) -> Vec<CommittedBatch> {
        let (mut at, mut records, mut chunk) = (watermark, 0_usize, Vec::new());
        for batch in &self.waiting {
            if batch.seq != at.next() || records >= limit {
                break;
            }
            at = batch.seq;
            records = records.saturating_add(batch.records.len());
            chunk.push(batch.clone());
        }
        chunk
    }
}
