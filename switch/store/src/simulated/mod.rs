//! A database in memory for simulations: it lags, fails, loses answers, hangs, goes away, and loses
//! what was not synced when it crashes; all of it by a seed and in the runtime's own time. It owns
//! how PostgreSQL behaves as far as journal and projector can tell; it exists with the feature
//! `testing` alone, and keeps nothing.

mod database;
mod dice;
mod image;
mod journal;
mod rows;
mod server;
mod start;
mod tables;

pub use dice::Dice;
pub use journal::SimulatedJournal;
pub use start::SimulatedProcess;
pub use tables::SimulatedTables;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use switch_domain::{Fingerprint, OwnerId, Seq, ShardId, VaultRef};
use tokio::sync::Notify;

use crate::journal::JournalRow;

use database::Database;
use server::{Border, Reach};

/// How well things go between processes and the database.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// One way takes up to so long.
    pub delay: Duration,
    /// A commit takes up to so long.
    pub commit: Duration,
    /// So many calls in a thousand fail, and nothing was done.
    pub failures: u64,
    /// So many answers in a thousand are lost, though all was done.
    pub lost_answers: u64,
    /// So many commits in a thousand take up to `stall` instead.
    pub stalls: u64,
    /// How long a commit that stalls takes at most.
    pub stall: Duration,
}

/// What the database does wrongly on purpose, to try those who watch it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Defect {
    /// Nothing.
    #[default]
    None,
    /// Some rows are said to be committed, and are not kept.
    KeepsNothing,
    /// Rows are said to be committed before they are.
    AnswersEarly,
    /// A row takes the place of another owner's.
    FenceOff,
    /// The tables miss a record of each chunk that has rows of several.
    SkipsRecord,
    /// What is held is flushed twice.
    FlushesTwice,
}

/// Something that happened in the database.
#[derive(Clone, Debug)]
pub enum StoreEvent {
    /// A journal row is there for good.
    Committed(JournalRow),
    /// A row was put and taken back.
    RolledBack {
        /// Whose journal.
        shard: ShardId,
        /// Which row.
        seq: Seq,
    },
    /// History is in the tables.
    Written {
        /// Whose.
        shard: ShardId,
        /// Up to which row.
        to: Seq,
    },
    /// What moved is in the tables.
    Flushed {
        /// Whose.
        shard: ShardId,
        /// Up to which row.
        to: Seq,
    },
    /// The database crashed.
    Crashed {
        /// Transactions that it forgot.
        lost: usize,
    },
    /// A call failed, or its answer was lost.
    Failed {
        /// Which.
        call: &'static str,
        /// Whether it was done all the same.
        done: bool,
    },
}

/// What is behind the lock.
#[derive(Debug)]
struct Inner {
    database: Database,
    border: Border,
    dice: Dice,
    weather: Weather,
    /// Processes whose connections were ended, and how often.
    ended: Vec<(OwnerId, u64)>,
    transactions: u64,
}

/// The database. A clone is another handle to the same one.
#[derive(Clone, Debug)]
pub struct SimulatedStore {
    inner: Arc<Mutex<Inner>>,
    /// Wakes whoever waits for the border or for a key, in the order of their coming: a `watch`
    /// wakes in an order of chance.
    changed: Arc<Notify>,
}

impl SimulatedStore {
    /// An empty database whose whims follow from a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let inner = Inner {
            database: Database::default(),
            border: Border::default(),
            dice: Dice::new(seed),
            weather: Weather::default(),
            ended: Vec::new(),
            transactions: 0,
        };
        Self { inner: Arc::new(Mutex::new(inner)), changed: Arc::default() }
    }

    /// Changes how well things go.
    pub fn set_weather(&self, weather: Weather) {
        self.lock().weather = weather;
    }

    /// Makes the database do something wrongly.
    pub fn set_defect(&self, defect: Defect) {
        self.lock().database.defect = defect;
    }

    /// Nothing is answered until [`Self::recover`].
    pub fn hang(&self) {
        self.at_border(|border| border.reach = Reach::Hanging);
    }

    /// Nobody gets a connection until [`Self::recover`]; what was under way goes on.
    pub fn refuse(&self) {
        self.at_border(|border| border.reach = Reach::Refusing);
    }

    /// Ends without warning: connections break, open transactions and some writes that were not
    /// synced are gone, the last ones first. It comes back with [`Self::recover`].
    pub fn crash(&self) {
        let kept = {
            let mut inner = self.lock();
            let unsynced = inner.database.unsynced() as u64;
            inner.dice.below(unsynced.saturating_add(1))
        };
        self.crash_keeping(usize::try_from(kept).unwrap_or(usize::MAX));
    }

    /// The same, and so many of the writes that were not synced are there afterwards.
    pub fn crash_keeping(&self, kept: usize) {
        self.lock().database.crash(kept);
        self.at_border(|border| {
            border.reach = Reach::Refusing;
            border.crashes = border.crashes.saturating_add(1);
        });
    }

    /// Ends a hang or an outage.
    pub fn recover(&self) {
        self.at_border(|border| border.reach = Reach::Up);
    }

    /// A process stands still: nothing goes out of it, and nothing comes in.
    pub fn freeze(&self, owner: OwnerId) {
        self.at_border(|border| border.frozen.push(owner));
    }

    /// A process goes on.
    pub fn thaw(&self, owner: OwnerId) {
        self.at_border(|border| border.frozen.retain(|frozen| *frozen != owner));
    }

    /// What has happened since this was asked last, in order.
    #[must_use]
    pub fn take_events(&self) -> Vec<StoreEvent> {
        std::mem::take(&mut self.lock().database.events)
    }

    /// A shard's journal, in order.
    #[must_use]
    pub fn journal_rows(&self, shard: ShardId) -> Vec<JournalRow> {
        self.lock().database.journal(shard, Seq::NONE).cloned().collect()
    }

    /// Keeps the number of a card.
    pub fn keep_card(&self, vault: VaultRef, print: Fingerprint) {
        self.lock().database.prints.insert(vault.row, print);
    }

    /// The way of a process to the database.
    #[must_use]
    pub fn process(&self, owner: OwnerId) -> SimulatedProcess {
        SimulatedProcess::new(self.clone(), owner)
    }

    fn at_border(&self, change: impl FnOnce(&mut Border)) {
        change(&mut self.lock().border);
        self.changed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
