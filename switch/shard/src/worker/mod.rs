//! One shard's thread of control. It owns the cycle: take what waits, decide, append, and only when
//! the append is committed apply what relaxes and let the answers go. One append is in flight at a
//! time; the next batch is decided meanwhile and waits (durable core). It never waits for a timer
//! when it could append, and never sends an answer that rests on an uncommitted record.

mod attempts;
mod bugs;
mod commit;
mod courier;
mod decide;
mod expire;
mod file_action;
mod fresh;
mod hold;
mod lookup;
mod projected;
mod recall;
mod rescue;
mod shed;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use switch_domain::{
    CardId, Cause, Effects, Epoch, Event, OwnerId, Placement, Record, Seq, ShardId, Timestamp,
};
use switch_engine::State;
use switch_store::{Appended, Hash, Journal, JournalRow, Tables};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::batch::Batch;
use crate::clock::Age;
use crate::clock_watch::ClockFault;
use crate::directory::Directory;
use crate::mailbox::{Envelope, Inbox, Mailbox};
use crate::metrics::{self, ShardMetrics};
use crate::pools::Pools;
use crate::running::Fatal;
use crate::settings::ShardSettings;

pub(crate) use courier::Parcel;
use fresh::Proof;
use lookup::Lookups;
pub(crate) use projected::Projected;
use recall::{Parked, ParkedBy};
use rescue::Recent;

/// What all shards of a node share.
pub(crate) struct Shared {
    pub(crate) placement: Placement,
    /// Cards that another generation made, where they are now (W-12).
    pub(crate) moved_cards: HashMap<CardId, ShardId>,
    pub(crate) directory: Directory,
    pub(crate) pools: Pools,
    pub(crate) settings: ShardSettings,
    /// The snapshot of the control shard that links and new commands see.
    pub(crate) control: watch::Sender<Arc<switch_domain::Control>>,
    /// Set once: why the process must end.
    pub(crate) fatal: watch::Sender<Option<Fatal>>,
    /// Set when no more messages are taken.
    pub(crate) stopping: CancellationToken,
    /// Set per shard while too much waits for the tables: authorizations are shed.
    pub(crate) shedding: Vec<std::sync::atomic::AtomicBool>,
    /// What is wrong with the wall clock, and that as a flag for every message.
    pub(crate) clock_fault: watch::Sender<Option<ClockFault>>,
    pub(crate) clock_is_off: std::sync::atomic::AtomicBool,
    /// Per shard, since when the row in flight has been waiting for its commit.
    pub(crate) waiting_since: Vec<std::sync::Mutex<Option<Instant>>>,
}

impl Shared {
    /// A shard's own, of what there is one of for each shard that serves.
    pub(crate) fn of_shard<'a, T>(&self, all: &'a [T], shard: ShardId) -> Option<&'a T> {
        all.get(self.placement.index(shard)?)
    }

    /// Where a card lives: with its account, which is in the shard that minted both or has moved.
    pub(crate) fn shard_of_card(&self, card: CardId) -> ShardId {
        let minted = card.shard();
        if self.placement.serves(minted) {
            return minted;
        }
        self.moved_cards.get(&card).copied().unwrap_or(minted)
    }

    /// The process must end, for this reason or an earlier one.
    pub(crate) fn end(&self, fatal: Fatal) {
        self.stopping.cancel();
        self.fatal.send_if_modified(|current| {
            let first = current.is_none();
            if first {
                *current = Some(fatal);
            }
            first
        });
    }
}

/// Where a shard's journal stands.
pub(crate) struct Head {
    pub(crate) epoch: Epoch,
    pub(crate) owner: OwnerId,
    pub(crate) seq: Seq,
    pub(crate) hash: Hash,
}

const NO_JOURNAL: &str = "the journal's task has ended";

/// A row on its way, and who waits for it.
struct InFlight {
    seq: Seq,
    hash: Hash,
    records: Arc<Vec<Record>>,
    batch: Batch,
    since: Instant,
    /// Once it is committed, the shard was ours at this moment.
    proof: Proof,
    /// How far the tables were when it was sent: once it is committed, they stay so far (W-21).
    projected: Seq,
}

/// One shard.
pub(crate) struct Worker {
    pub(crate) shard: ShardId,
    state: State,
    head: Head,
    /// By which what is remembered grows old.
    age: Age,
    inbox: Inbox,
    /// Received and not decided: what a full batch leaves, and commands whose subject is busy.
    waiting: VecDeque<Envelope>,
    open: Batch,
    /// As many records as a batch has had lately.
    usual: usize,
    in_flight: Option<InFlight>,
    /// When the shard was certainly ours, by the last row that was committed.
    proven: Option<Proof>,
    /// For when PostgreSQL goes back in time (W-24).
    recent: Recent,
    rows: mpsc::Sender<JournalRow>,
    /// What became of a row, and when that was learned.
    appended: mpsc::Receiver<(Appended, Instant)>,
    /// Ends with the worker: nothing is appended for a node that was stopped.
    _appending: AbortOnDropHandle<()>,
    projected: Projected,
    lookups: Lookups,
    /// Commands that are committed, on their way to who answers them.
    answering: mpsc::UnboundedSender<commit::DoneCommands>,
    /// What waits for an answer of the tables. Each still has its place in the mailbox's count. In
    /// order, so that what ends with the worker ends the same in every run of a seed.
    parked: BTreeMap<ParkedBy, Parked>,
    /// What was decided before this was in the tables when memory last let go of anything.
    known: Timestamp,
    /// What is looked up beside that, and so waits with it: the key of a completion's own.
    beside: BTreeMap<ParkedBy, ParkedBy>,
    /// Looked up, and busy until the next commit.
    after_commit: Vec<Envelope>,
    /// All mailboxes, by shard: the control shard sends snapshots through them.
    mailboxes: Arc<[Mailbox]>,
    shared: Arc<Shared>,
    metrics: ShardMetrics,
    /// A defect or a fence was found: nothing is decided or answered any more.
    broken: bool,
}

/// What a worker is made of.
pub(crate) struct Parts {
    pub(crate) state: State,
    pub(crate) head: Head,
    pub(crate) inbox: Inbox,
    pub(crate) projected: Projected,
    pub(crate) mailboxes: Arc<[Mailbox]>,
    pub(crate) shared: Arc<Shared>,
}

impl Worker {
    /// A worker over a journal, whose appends run in a task of their own.
    pub(crate) fn new(parts: Parts, journal: impl Journal, tables: impl Tables) -> Self {
        let (rows, mut to_append) = mpsc::channel::<JournalRow>(1);
        let (outcome, appended) = mpsc::channel(1);
        let mut journal = journal;
        let appending = tokio::spawn(async move {
            while let Some(row) = to_append.recv().await {
                let result = journal.append(&row).await;
                if outcome.send((result, Instant::now())).await.is_err() {
                    return;
                }
            }
        });
        let mut state = parts.state;
        let shard = state.shard();
        let settings = &parts.shared.settings;
        state.set_rate_life(i64::try_from(settings.rate_life.as_micros()).unwrap_or(i64::MAX));
        state.limit_controls(settings.control_limits);
        if shard == ShardId::CONTROL {
            metrics::rates(state.control());
        }
        let age = Age::since(settings.clock.now());
        let limits = (settings.lookup_limit, settings.lookup_timeout);
        let behind = parts.projected.nudger();
        let (answering, done) = mpsc::unbounded_channel();
        tokio::spawn(commit::answer(done, parts.projected.watch()));
        Self {
            shard,
            state,
            head: parts.head,
            age,
            inbox: parts.inbox,
            waiting: VecDeque::new(),
            open: Batch::default(),
            usual: 0,
            in_flight: None,
            proven: None,
            recent: Recent::default(),
            rows,
            appended,
            _appending: AbortOnDropHandle::new(appending),
            projected: parts.projected,
            lookups: Lookups::new(shard, tables, behind, limits),
            answering,
            parked: BTreeMap::new(),
            known: Timestamp::default(),
            beside: BTreeMap::new(),
            after_commit: Vec::new(),
            mailboxes: parts.mailboxes,
            shared: parts.shared,
            metrics: ShardMetrics::new(shard),
            broken: false,
        }
    }

    /// Runs until the node stops and everything taken is committed, or until the shard is fenced.
    pub(crate) async fn run(mut self) {
        let mut received = Vec::with_capacity(self.shared.settings.batch_limit);
        let stopping = self.shared.stopping.clone();
        self.carry_open();
        while !self.broken {
            self.start_append();
            // One look for both: stopping that began between two would be noticed by neither.
            let is_stopping = stopping.is_cancelled();
            if is_stopping && self.is_idle() {
                break;
            }
            let deadline = self.next_deadline();
            tokio::select! {
                biased;
                appended = self.appended.recv(), if self.in_flight.is_some() => match appended {
                    Some((result, at)) => self.finish_append(result, at),
                    None => self.fail(Fatal::Broken(NO_JOURNAL.into())),
                },
                count = self.inbox.receiver.recv_many(&mut received, 256) => {
                    if count == 0 { break }
                    self.receive(&mut received);
                }
                () = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)),
                    if deadline.is_some() => {}
                Some(found) = self.lookups.found(), if !self.parked.is_empty() => {
                    self.finish_lookup(found);
                }
                true = self.projected.moved(), if self.is_shedding() => self.judge_lag(),
                () = stopping.cancelled(), if !is_stopping => {}
            }
            self.expire(Instant::now());
            self.decide_waiting();
        }
        self.rescue();
        self.projected.close();
    }

    /// Everything taken was decided, committed and answered.
    fn is_idle(&self) -> bool {
        self.in_flight.is_none()
            && self.open.is_empty()
            && self.waiting.is_empty()
            && self.parked.is_empty()
            && self.after_commit.is_empty()
            && self.inbox.receiver.is_empty()
    }

    /// The earliest moment at which something undecided or unsent becomes late.
    fn next_deadline(&self) -> Option<Instant> {
        let undecided = self.waiting.iter().find_map(|envelope| match envelope {
            Envelope::Message(submission) => Some(submission.deadline),
            _ => None,
        });
        [self.open.earliest_deadline(), undecided].into_iter().flatten().min()
    }

    /// Freezes the open batch and hands its row to the journal, if none is in flight. A batch
    /// without records only waits for what was in flight before it, which is then nothing; unless
    /// nobody knows any more whose the shard is: then a row in which nothing changes finds out
    /// (W-13). It has a record all the same, for a takeover reads the time from the head.
    fn start_append(&mut self) {
        if self.in_flight.is_some() || self.open.is_empty() || self.broken {
            return;
        }
        if self.open.records.is_empty() {
            if self.proven.is_some_and(Proof::is_fresh) {
                let batch = std::mem::take(&mut self.open);
                self.release(batch, self.head.seq, Instant::now());
                return;
            }
            metrics::found_out_whose();
            if !self.adopt(self.nothing_changes()) {
                return;
            }
        }
        let mut batch = std::mem::take(&mut self.open);
        let records = Arc::new(std::mem::take(&mut batch.records));
        // The next batch grows while this one is on its way: most often to no more than those did
        // that were lately.
        self.usual = records.len().max(self.usual.saturating_sub(self.usual / 8));
        self.open.make_room(self.usual);
        let seq = self.head.seq.next();
        let head = &self.head;
        let row = JournalRow::seal(self.shard, seq, head.epoch, head.owner, head.hash, &records);
        self.metrics.batch.record(records.len() as f64);
        let hash = row.hash;
        self.recent.sent(row.clone());
        if self.rows.try_send(row).is_err() {
            self.fail(Fatal::Broken(NO_JOURNAL.into()));
            return;
        }
        let since = Instant::now();
        self.mark_waiting(Some(since));
        let projected = self.projected.seq();
        bugs::answered_early(&mut batch);
        let proof = Proof::at(since);
        self.in_flight = Some(InFlight { seq, hash, records, batch, since, proof, projected });
    }

    /// What finds out whose the shard is.
    fn nothing_changes(&self) -> Record {
        Record {
            at: self.shared.settings.clock.now_after(self.state.last_at()),
            cause: Cause::Switch,
            event: Event::NothingChanged,
            effects: Effects::default(),
        }
    }

    /// Ends the shard: the process must not answer anything any more.
    fn fail(&mut self, fatal: Fatal) {
        tracing::error!(shard = self.shard.0, %fatal, "this shard can go on no further");
        self.broken = true;
        self.shared.end(fatal);
    }

    /// Shows the node's health since when the row in flight has been waiting.
    fn mark_waiting(&self, since: Option<Instant>) {
        let slot = self.shared.of_shard(&self.shared.waiting_since, self.shard);
        if let Some(Ok(mut slot)) = slot.map(std::sync::Mutex::lock) {
            *slot = since;
        }
    }

    fn batch_is_full(&self) -> bool {
        self.open.records.len() >= self.shared.settings.batch_limit
    }
}
