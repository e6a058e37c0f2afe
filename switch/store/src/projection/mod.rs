//! The projector: relational rows from committed journal rows, in order, behind the answers (W-23).
//! It owns pace, retries and the watermark. It never writes a row that is not committed, never
//! drops a batch, and never gives up.

mod authorizations;
mod chunk;
mod columns;
mod copy;
mod entities;
mod events;
mod history;
mod queue;
mod write;

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgConnection;
use switch_domain::{Record, Seq, ShardId};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use crate::backoff::BackOff;
use crate::error::StoreError;
use crate::store::Store;

use chunk::Chunk;
use queue::Queue;

/// Projection is this far apart, so that appends have the disk and the processor to themselves.
const PACE: Duration = Duration::from_millis(20);
/// As many records are not waited for any longer, and make one transaction.
const CHUNK_RECORDS: usize = 4_000;

/// A journal row that is known to be committed.
#[derive(Clone, Debug)]
pub struct CommittedBatch {
    /// Its place.
    pub seq: Seq,
    /// What it holds.
    pub records: Arc<[Record]>,
}

/// Makes rows of one shard's journal.
#[derive(Debug)]
pub struct Projector {
    store: Store,
}

impl Projector {
    /// A projector that writes over a connection of its own.
    #[must_use]
    pub const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Projects until `rx` is closed and everything from it is in the tables. Rows of the journal
    /// that were never handed over (from before the start) are read from it first, and so is
    /// anything missing in between. `progress` gets each new watermark; `nudge` (by
    /// [`Notify::notify_one`]) ends the wait for more.
    pub async fn run(
        self,
        shard: ShardId,
        rx: mpsc::UnboundedReceiver<CommittedBatch>,
        progress: watch::Sender<Seq>,
        nudge: Arc<Notify>,
    ) {
        let link = Link { store: self.store, shard, connection: None, watermark: None, progress };
        let mut work = Work { link, queue: Queue::new(rx), nudge };
        work.catch_up().await;
        let mut not_before = Instant::now();
        while work.wait(not_before).await {
            work.project().await;
            not_before = Instant::now() + PACE;
        }
    }
}

/// The way to the tables.
struct Link {
    store: Store,
    shard: ShardId,
    connection: Option<PgConnection>,
    /// Unknown before the first look and after any error: a commit may have been lost.
    watermark: Option<Seq>,
    progress: watch::Sender<Seq>,
}

impl Link {
    /// Where the tables are, with a connection to write on.
    async fn ready(&mut self) -> Result<(PgConnection, Seq), StoreError> {
        let doing = "projecting";
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.store.connection().await.map_err(StoreError::database(doing))?,
        };
        let watermark = match self.watermark {
            Some(watermark) => watermark,
            None => write::watermark(&mut connection, self.shard)
                .await
                .map_err(StoreError::database(doing))?,
        };
        self.note(watermark);
        Ok((connection, watermark))
    }

    fn note(&mut self, watermark: Seq) {
        self.watermark = Some(watermark);
        self.progress.send_if_modified(|seen| std::mem::replace(seen, watermark) != watermark);
    }

    /// Writes a chunk; afterwards the watermark is known if it was written, and unknown if another
    /// projector was faster.
    async fn write(
        &mut self,
        mut connection: PgConnection,
        chunk: Chunk,
    ) -> Result<(), StoreError> {
        let (last, records) = (chunk.last, chunk.records);
        self.watermark = None;
        let moved = write::write(&mut connection, chunk)
            .await
            .map_err(StoreError::database("projecting"))?;
        self.connection = Some(connection);
        if moved {
            self.note(last);
            metrics::counter!("cardswitch_projection_records_total").increment(records as u64);
        }
        Ok(())
    }

    /// Projects the rows behind the watermark as the journal has them; false at its head.
    async fn read_and_project(&mut self) -> Result<bool, StoreError> {
        let (mut connection, watermark) = self.ready().await?;
        let rows = Store::some_rows(&mut connection, self.shard, watermark).await?;
        if rows.is_empty() {
            self.connection = Some(connection);
            return Ok(false);
        }
        let mut chunk = Chunk::new(self.shard, watermark);
        for (seq, records) in &rows {
            chunk.add_row(*seq, records);
            if chunk.records >= CHUNK_RECORDS {
                break;
            }
        }
        self.write(connection, chunk).await?;
        Ok(true)
    }

    /// After any error nothing is known: a new connection, and a fresh look at the watermark.
    fn failed(&mut self, error: &StoreError) {
        self.connection = None;
        self.watermark = None;
        metrics::counter!("cardswitch_projection_errors_total").increment(1);
        tracing::warn!(shard = self.shard.0, %error, "projection is tried again");
    }
}

struct Work {
    link: Link,
    queue: Queue,
    nudge: Arc<Notify>,
}

impl Work {
    /// Brings the tables to the head of the journal.
    async fn catch_up(&mut self) {
        let mut back_off = BackOff::new();
        loop {
            match self.link.read_and_project().await {
                Ok(true) => back_off = BackOff::new(),
                Ok(false) => return,
                Err(error) => {
                    self.link.failed(&error);
                    tokio::time::sleep(back_off.next_wait()).await;
                }
            }
        }
    }

    /// Waits until there is something to project and it is time; false when there is nothing and
    /// never will be.
    async fn wait(&mut self, not_before: Instant) -> bool {
        if !self.queue.wait_for_first().await {
            return false;
        }
        while self.queue.records() < CHUNK_RECORDS && !self.queue.is_closed() {
            tokio::select! {
                () = tokio::time::sleep_until(not_before) => break,
                () = self.nudge.notified() => break,
                () = self.queue.receive() => {}
            }
        }
        self.queue.receive_waiting();
        true
    }

    /// Projects one chunk of what is waiting, however long that takes.
    async fn project(&mut self) {
        let mut back_off = BackOff::new();
        metrics::gauge!(
            "cardswitch_projection_lag_records", "shard" => self.link.shard.0.to_string()
        )
        .set(self.queue.records() as f64);
        while let Err(error) = self.step().await {
            self.link.failed(&error);
            tokio::time::sleep(back_off.next_wait()).await;
            self.queue.receive_waiting();
        }
    }

    async fn step(&mut self) -> Result<(), StoreError> {
        let (connection, watermark) = self.link.ready().await?;
        self.queue.forget_to(watermark);
        let Some(first) = self.queue.first() else {
            self.link.connection = Some(connection);
            return Ok(());
        };
        if first > watermark.next() {
            self.link.connection = Some(connection);
            self.link.read_and_project().await?;
            return Ok(());
        }
        let mut chunk = Chunk::new(self.link.shard, watermark);
        for batch in self.queue.in_order(watermark) {
            chunk.add_row(batch.seq, &batch.records);
            if chunk.records >= CHUNK_RECORDS {
                break;
            }
        }
        self.link.write(connection, chunk).await?;
        if let Some(watermark) = self.link.watermark {
            self.queue.forget_to(watermark);
        }
        Ok(())
    }
}
