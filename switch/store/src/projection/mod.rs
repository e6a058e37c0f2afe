//! The projector: relational rows from committed journal rows, in order, behind the answers (W-23).
//! It owns pace, retries and both watermarks. It never writes a row that is not committed, never
//! drops a batch, and gives up only over a journal that is not the one that it was given (W-24).
//!
//! Two kinds of rows. **History** and things that seldom change follow within a pace of a quarter
//! of a second. Rows that **move** with every authorization (amounts of balances, shares of
//! pools, approvals of cards) are summed up in memory and flushed some seconds apart, each once.

mod authorizations;
mod chunk;
mod columns;
mod copy;
mod entities;
mod events;
mod fees;
mod flush;
mod history;
#[cfg(feature = "testing")]
mod model;
mod moves;
mod postgres;
mod queue;
mod rates;
mod tables;
mod transfers;
mod write;

#[cfg(feature = "testing")]
pub use model::ModelTables;
pub use moves::{BalanceMove, CardMove, CounterMove, Moves, ShareMove};
pub use postgres::PgTables;
pub use tables::{Position, Tables};

use std::sync::Arc;
use std::time::Duration;

use switch_domain::{Record, Seq, ShardId};
use tokio::sync::{Mutex, Notify, OwnedMutexGuard, mpsc, watch};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::backoff::BackOff;
use crate::error::{ChainFault, StoreError};
use crate::fault_points::{Bug, has};

use queue::Queue;

/// A journal row that is known to be committed.
#[derive(Clone, Debug)]
pub struct CommittedBatch {
    /// Its place.
    pub seq: Seq,
    /// What it holds.
    pub records: Arc<Vec<Record>>,
}

/// Writes what follows from journal rows behind `after` in a transaction that somebody else ends,
/// for whoever appends those rows in it too. False where the watermark is not at `after`.
pub(crate) async fn project_within(
    tx: &mut sqlx::PgConnection,
    shard: ShardId,
    after: Seq,
    rows: &[(Seq, Vec<Record>)],
) -> Result<bool, sqlx::Error> {
    let mut chunk = chunk::Chunk::new(shard, after);
    for (seq, records) in rows {
        chunk.add_row(*seq, records);
    }
    write::write_within(tx, &mut chunk).await
}

/// How fast the rows follow the journal.
#[derive(Clone, Debug)]
pub struct ProjectionSettings {
    /// Transactions of history are this far apart, so that appends have the disk and the processor
    /// to themselves meanwhile.
    pub pace: Duration,
    /// As many records are not waited for any longer, and make one transaction.
    pub chunk_records: usize,
    /// Flushes of rows that move are this far apart.
    pub flush_interval: Duration,
    /// For tests: leaves the journal unprojected, as if PostgreSQL had no time for it.
    pub hold: bool,
    /// For tests: waits after errors follow from this number, and not from chance.
    pub jitter: Option<u64>,
}

impl Default for ProjectionSettings {
    fn default() -> Self {
        Self {
            pace: Duration::from_millis(250),
            chunk_records: 4_000,
            flush_interval: Duration::from_secs(15),
            hold: false,
            jitter: None,
        }
    }
}

/// More records than a command or two and their like: authorizations are decided meanwhile.
const FEW: usize = 8;
/// Beside authorizations, transactions for which somebody asked are this far apart.
const NUDGED: Duration = Duration::from_millis(100);

/// Taken by one projector of a node at a time while none of them is behind: two of them at once
/// would keep two processors from the appends, and with them from cardholders.
#[derive(Clone, Debug, Default)]
pub struct Turn(Arc<Mutex<()>>);

impl Turn {
    /// A projector that hangs must not hold the others up for long.
    const PATIENCE: Duration = Duration::from_secs(1);

    async fn take(&self) -> Option<OwnedMutexGuard<()>> {
        tokio::time::timeout(Self::PATIENCE, Arc::clone(&self.0).lock_owned()).await.ok()
    }
}

/// Makes rows of one shard's journal.
#[derive(Debug)]
pub struct Projector<T> {
    tables: T,
    settings: ProjectionSettings,
    turn: Turn,
}

impl<T: Tables> Projector<T> {
    /// A projector that writes to these tables.
    #[must_use]
    pub fn new(tables: T, settings: ProjectionSettings) -> Self {
        Self { tables, settings, turn: Turn::default() }
    }

    /// Takes turns with the other projectors that have the same turn.
    #[must_use]
    pub fn in_turn(self, turn: Turn) -> Self {
        Self { turn, ..self }
    }

    /// Projects until `rx` is closed and everything from it is in the tables. Rows of the journal
    /// that were never handed over (from before the start) are read from it first, and so is
    /// anything missing in between. `progress` gets each new watermark of history; `nudge` (by
    /// [`Notify::notify_one`]) ends the wait for more, or has the rows looked at where none waits.
    ///
    /// # Errors
    /// The journal lacks what was committed, or was changed: no later attempt can help, and whoever
    /// serves from it must end (W-24).
    pub async fn run(
        self,
        shard: ShardId,
        rx: mpsc::UnboundedReceiver<CommittedBatch>,
        progress: watch::Sender<Seq>,
        nudge: Arc<Notify>,
    ) -> Result<(), ChainFault> {
        let Self { tables, settings, turn } = self;
        let mut queue = Queue::new(rx, shard);
        if settings.hold {
            queue.drain_unread().await;
            return Ok(());
        }
        let now = Instant::now();
        let work = Work {
            shard,
            flusher: tables.clone(),
            tables,
            queue,
            nudge,
            progress,
            known: None,
            moves: Moves::default(),
            flushing: None,
            not_before: now,
            last_began: now,
            next_flush: now + settings.flush_interval,
            back_off: BackOff::seeded(settings.jitter),
            settings,
            turn,
        };
        work.run().await
    }
}

/// A flush on its way.
struct Flushing {
    to: Seq,
    task: AbortOnDropHandle<Result<bool, StoreError>>,
}

/// A projector at work.
struct Work<T> {
    shard: ShardId,
    tables: T,
    /// The other way to the tables, for flushes: history does not wait for them.
    flusher: T,
    queue: Queue,
    nudge: Arc<Notify>,
    progress: watch::Sender<Seq>,
    /// Unknown before the first look and after any error: a commit may have been lost.
    known: Option<Position>,
    /// What moved behind the flush that was written or is on its way.
    moves: Moves,
    flushing: Option<Flushing>,
    not_before: Instant,
    /// The last chunk.
    last_began: Instant,
    next_flush: Instant,
    back_off: BackOff,
    settings: ProjectionSettings,
    turn: Turn,
}

/// What to do next.
enum Next {
    Project,
    Look,
    Flush,
    Flushed(Result<bool, StoreError>),
    End,
}

impl<T: Tables> Work<T> {
    async fn run(mut self) -> Result<(), ChainFault> {
        loop {
            match self.turn().await {
                Ok(()) if self.is_done() => return Ok(()),
                Ok(()) => {}
                Err(StoreError::Chain(fault)) => return Err(fault),
                Err(error) => self.failed(&error).await,
            }
        }
    }

    /// Nothing more will come, and the tables have everything.
    fn is_done(&self) -> bool {
        self.queue.is_closed()
            && self.queue.is_empty()
            && self.flushing.is_none()
            && self.moves.is_empty()
            && self.known.is_some()
    }

    /// One step: first what is not known yet, then what comes.
    async fn turn(&mut self) -> Result<(), StoreError> {
        let Some(position) = self.known else { return self.recover().await };
        match self.wait().await {
            Next::Project => self.project(position).await,
            Next::Look => self.look(position).await,
            Next::Flush => {
                self.start_flush(position);
                Ok(())
            }
            Next::Flushed(result) => self.flushed(position, result),
            Next::End => Ok(()),
        }
    }

    /// Waits until there is something to do and it is time.
    async fn wait(&mut self) -> Next {
        loop {
            self.queue.receive_waiting();
            let closed = self.queue.is_closed();
            let now = Instant::now();
            let full = self.queue.records() >= self.settings.chunk_records;
            if !self.queue.is_empty() && (full || closed || now >= self.not_before) {
                return Next::Project;
            }
            let may_flush = self.flushing.is_none() && !self.moves.is_empty();
            if may_flush && (closed || now >= self.next_flush) {
                return Next::Flush;
            }
            if closed && self.queue.is_empty() && self.flushing.is_none() {
                return Next::End;
            }
            let project_at = (!self.queue.is_empty()).then_some(self.not_before);
            let flush_at = may_flush.then_some(self.next_flush);
            let wake = [project_at, flush_at].into_iter().flatten().min();
            let flushing = self.flushing.as_mut();
            let has_flush = flushing.is_some();
            tokio::select! {
                biased;
                result = ended(flushing), if has_flush => return Next::Flushed(result),
                () = self.queue.receive(), if !closed => {}
                () = self.nudge.notified() => {
                    if self.queue.is_empty() {
                        return Next::Look;
                    }
                    self.not_before = self.not_before.min(self.at_a_nudge(now));
                }
                () = tokio::time::sleep_until(wake.unwrap_or(now)), if wake.is_some() => {}
            }
        }
    }

    /// When what somebody waits for is written: at once, unless authorizations are on their way
    /// too. Beside those one transaction is for all who ask within a while, or many commands would
    /// take from them what `pace` leaves them.
    fn at_a_nudge(&self, now: Instant) -> Instant {
        if self.queue.records() > FEW { now.max(self.last_began + NUDGED) } else { now }
    }

    /// Somebody misses something though nothing waits: a database that crashed may have forgotten
    /// what was written last, and without new rows nothing else would show it.
    async fn look(&mut self, known: Position) -> Result<(), StoreError> {
        let position = self.tables.position(self.shard).await?;
        if position.history != known.history {
            self.known = None;
        }
        Ok(())
    }

    /// Finds out how far the rows are, and sums up what moved behind the last flush.
    async fn recover(&mut self) -> Result<(), StoreError> {
        if let Some(flushing) = self.flushing.take() {
            // Its outcome shows in the position, once it has ended.
            let _ = flushing.task.await;
        }
        let position = self.tables.position(self.shard).await?;
        let mut moves = Moves::default();
        let mut at = position.flushed;
        while at < position.history {
            let rows = self.tables.journal(self.shard, at).await?;
            if rows.is_empty() {
                break;
            }
            for (seq, records) in rows {
                if seq <= position.history {
                    moves.add(seq, &records);
                    at = seq;
                }
            }
        }
        self.moves = moves;
        self.note(position);
        self.catch_up(position, false).await
    }

    /// Brings history to the head of the journal, or to what was handed over. After an error the
    /// database may be another one, restored from an earlier time: what was handed over is then not
    /// written before it was found in the journal that stands beside the rows (W-24).
    async fn catch_up(
        &mut self,
        mut position: Position,
        same_database: bool,
    ) -> Result<(), StoreError> {
        self.tables.spread(Duration::ZERO);
        loop {
            self.queue.receive_waiting();
            self.queue.forget_to(position.history);
            let next = position.history.next();
            if same_database && self.queue.first() == Some(next) {
                return Ok(());
            }
            let rows = self.tables.journal(self.shard, position.history).await?;
            let batches: Vec<_> = rows
                .into_iter()
                .map(|(seq, records)| CommittedBatch { seq, records: records.into() })
                .collect();
            if batches.is_empty() && !self.queue.is_empty() {
                // A later row is known to be committed: the database went back in time (W-24).
                return Err(ChainFault::Missing { shard: self.shard, seq: next }.into());
            }
            if batches.is_empty() {
                return Ok(());
            }
            if !self.write(position, &batches).await? {
                return Ok(());
            }
            let Some(known) = self.known else { return Ok(()) };
            position = known;
        }
    }

    /// Projects one chunk of what is waiting.
    async fn project(&mut self, position: Position) -> Result<(), StoreError> {
        self.queue.forget_to(position.history);
        let Some(first) = self.queue.first() else { return Ok(()) };
        if first > position.history.next() {
            return self.catch_up(position, true).await;
        }
        let limit = self.settings.chunk_records;
        let behind = self.queue.records() >= limit;
        let turn = if behind { None } else { self.turn.take().await };
        let time = self.time_for_a_chunk();
        self.tables.spread(time);
        let batches = self.queue.chunk(position.history, limit);
        self.write(position, &batches).await?;
        drop(turn);
        self.not_before = Instant::now() + self.settings.pace;
        Ok(())
    }

    /// Three quarters of the time since the last chunk began, by one and the number of chunks that
    /// wait: where they fill faster than they are written, each gets less time than that before.
    fn time_for_a_chunk(&mut self) -> Duration {
        let now = Instant::now();
        let since = now.duration_since(std::mem::replace(&mut self.last_began, now));
        let waiting = self.queue.records() / self.settings.chunk_records.max(1);
        let parts = u32::try_from(waiting).unwrap_or(u32::MAX).saturating_add(1);
        since.saturating_mul(3) / 4 / parts
    }

    /// Writes a chunk. False where another projector was faster: then nothing is known.
    async fn write(
        &mut self,
        position: Position,
        batches: &[CommittedBatch],
    ) -> Result<bool, StoreError> {
        let Some(last) = batches.last().map(|batch| batch.seq) else { return Ok(true) };
        self.known = None;
        let skipped = usize::from(has(Bug::ProjectorSkipsRow) && batches.len() > 1);
        let written = batches.get(skipped..).unwrap_or_default();
        if !self.tables.write(self.shard, position.history, written).await? {
            return Ok(false);
        }
        let mut records = 0;
        for batch in batches {
            self.moves.add(batch.seq, &batch.records);
            records += batch.records.len() as u64;
        }
        metrics::counter!("cardswitch_projection_records_total").increment(records);
        self.note(Position { history: last, ..position });
        self.queue.forget_to(last);
        self.back_off = BackOff::seeded(self.settings.jitter);
        Ok(true)
    }

    fn start_flush(&mut self, position: Position) {
        let moves = std::mem::take(&mut self.moves);
        let (shard, mut tables) = (self.shard, self.flusher.clone());
        let Position { flushed, history } = position;
        metrics::counter!("cardswitch_projection_flushed_rows_total")
            .increment(moves.rows() as u64);
        let task = tokio::spawn(async move { tables.flush(shard, flushed, history, &moves).await });
        self.flushing = Some(Flushing { to: history, task: AbortOnDropHandle::new(task) });
        self.next_flush = Instant::now() + self.settings.flush_interval;
    }

    fn flushed(
        &mut self,
        position: Position,
        result: Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let Some(flushing) = self.flushing.take() else { return Ok(()) };
        // Until this is known to have worked, what it took along is lost to this projector.
        self.known = None;
        if result? {
            self.note(Position { flushed: flushing.to, ..position });
        }
        Ok(())
    }

    fn note(&mut self, position: Position) {
        self.known = Some(position);
        let history = position.history;
        self.progress.send_if_modified(|seen| std::mem::replace(seen, history) != history);
    }

    /// After any error nothing is known: a new connection, and a fresh look at the position.
    async fn failed(&mut self, error: &StoreError) {
        self.known = None;
        metrics::counter!("cardswitch_projection_errors_total").increment(1);
        tracing::warn!(shard = self.shard.0, %error, "projection is tried again");
        tokio::time::sleep(self.back_off.next_wait()).await;
    }
}

/// The end of a flush. One that panicked says as much as one that failed: nothing.
async fn ended(flushing: Option<&mut Flushing>) -> Result<bool, StoreError> {
    match flushing {
        Some(flushing) => (&mut flushing.task).await.unwrap_or(Ok(false)),
        None => std::future::pending().await,
    }
}
