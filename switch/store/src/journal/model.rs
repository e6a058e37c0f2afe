//! A journal in memory, for tests of whoever appends. It behaves as PostgreSQL does at the same
//! places, and can be told to hang, to lose its answers, or to be taken over. It is not durable.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use switch_domain::{Epoch, OwnerId, Seq, ShardId};
use tokio::sync::watch;

use super::{Appended, Hash, Journal, JournalRow};

/// What happens to the appends that come next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mood {
    /// They are answered.
    #[default]
    Answering,
    /// They wait, and are not in the journal yet.
    HangingBefore,
    /// They are in the journal, but nobody is told.
    HangingAfter,
}

#[derive(Debug, Default)]
struct Rows {
    by_key: BTreeMap<(ShardId, Seq), JournalRow>,
    lost_answers: u32,
    attempts: u64,
    questions: u64,
}

/// The journal, shared by its appenders and the test.
#[derive(Clone, Debug)]
pub struct ModelJournalHandle {
    rows: Arc<Mutex<Rows>>,
    mood: Arc<watch::Sender<Mood>>,
}

/// An appender of the model.
#[derive(Debug)]
pub struct ModelJournal {
    handle: ModelJournalHandle,
}

impl Default for ModelJournalHandle {
    fn default() -> Self {
        Self { rows: Arc::default(), mood: Arc::new(watch::Sender::new(Mood::default())) }
    }
}

impl ModelJournalHandle {
    /// An empty journal that answers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more appender to it.
    #[must_use]
    pub fn journal(&self) -> ModelJournal {
        ModelJournal { handle: self.clone() }
    }

    /// The rows of a shard, in order.
    #[must_use]
    pub fn rows(&self, shard: ShardId) -> Vec<JournalRow> {
        let rows = self.lock();
        rows.by_key
            .range((shard, Seq::NONE)..=(shard, Seq(i64::MAX)))
            .map(|(_, r)| r.clone())
            .collect()
    }

    /// How many attempts there were, of all appenders.
    #[must_use]
    pub fn attempts(&self) -> u64 {
        self.lock().attempts
    }

    /// How many questions tables that follow it were asked.
    #[must_use]
    pub fn questions(&self) -> u64 {
        self.lock().questions
    }

    /// Notes a question to the tables.
    pub(crate) fn note_question(&self) {
        let mut rows = self.lock();
        rows.questions = rows.questions.saturating_add(1);
    }

    /// From now on appends wait; they get in once [`Self::resume`] is called, if still wanted.
    pub fn hang_before_commit(&self) {
        self.mood.send_replace(Mood::HangingBefore);
    }

    /// From now on appends get in at once, but their outcome is told after [`Self::resume`].
    pub fn hang_after_commit(&self) {
        self.mood.send_replace(Mood::HangingAfter);
    }

    /// Ends a hang.
    pub fn resume(&self) {
        self.mood.send_replace(Mood::Answering);
    }

    /// The next so many attempts commit and then lose their answer, so that their outcome is
    /// unknown and the same row is sent again.
    pub fn lose_answers(&self, attempts: u32) {
        self.lock().lost_answers = attempts;
    }

    /// Another owner takes a shard over: an empty row of a higher epoch at its head.
    pub fn take_over(&self, shard: ShardId, owner: OwnerId) -> JournalRow {
        let mut rows = self.lock();
        let head = rows.by_key.range((shard, Seq::NONE)..=(shard, Seq(i64::MAX))).next_back();
        let (seq, epoch, previous) = head
            .map_or((Seq(0), Epoch(1), Hash::genesis(shard)), |(_, row)| {
                (row.seq.next(), Epoch(row.epoch.0.saturating_add(1)), row.hash)
            });
        let row = JournalRow::seal(shard, seq, epoch, owner, previous, &[]);
        rows.by_key.insert((shard, seq), row.clone());
        row
    }

    /// PostgreSQL goes back in time: rows behind `last` are gone.
    pub fn forget_after(&self, shard: ShardId, last: Seq) {
        self.lock().by_key.retain(|(of, seq), _| *of != shard || *seq <= last);
    }

    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fate of the row, and whether the answer gets through.
    fn put(&self, row: &JournalRow) -> (Appended, bool) {
        let mut rows = self.lock();
        rows.attempts = rows.attempts.saturating_add(1);
        let key = (row.shard, row.seq);
        let outcome = if let Some(found) = rows.by_key.get(&key) {
            if found.hash == row.hash {
                Appended::Committed
            } else {
                Appended::Taken { owner: found.owner, epoch: found.epoch }
            }
        } else {
            let before = (row.shard, Seq(row.seq.0.saturating_sub(1)));
            let chained = rows.by_key.get(&before).is_some_and(|r| r.hash == row.previous);
            if chained || row.seq == Seq(0) {
                rows.by_key.insert(key, row.clone());
                Appended::Committed
            } else {
                Appended::PredecessorMissing
            }
        };
        let lost = rows.lost_answers > 0;
        rows.lost_answers = rows.lost_answers.saturating_sub(1);
        (outcome, !lost)
    }

    async fn until_not(&self, mood: Mood) {
        // The sender lives in this handle, so that waiting cannot fail.
        let _ = self.mood.subscribe().wait_for(|now| *now != mood).await;
    }
}

impl Journal for ModelJournal {
    async fn append(&mut self, row: &JournalRow) -> Appended {
        loop {
            self.handle.until_not(Mood::HangingBefore).await;
            let (outcome, told) = self.handle.put(row);
            self.handle.until_not(Mood::HangingAfter).await;
            if told {
                return outcome;
            }
            tokio::task::yield_now().await;
        }
    }
}
