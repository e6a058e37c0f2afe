//! What all shards of a node share of the counts. It owns the lock, and that a message for which
//! there is nothing to look up takes none.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use switch_domain::Timestamp;

use crate::Pair;
use crate::block::{Block, Verdict};
use crate::kind::{Kind, Kinds};
use crate::news::{News, Subject};
use crate::settings::{Mode, Settings};
use crate::state::State;
use crate::window::Column;

/// The counts and the blocks of a node.
#[derive(Debug)]
pub struct Watch {
    settings: Settings,
    state: Mutex<State>,
    /// How many pairs are counted, and how many are blocked, so that most messages look at nothing
    /// else.
    pairs: AtomicUsize,
    blocks: AtomicUsize,
}

/// How full it is, and what came of it, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// What was counted, by kind in the order of [`Kind::ALL`].
    pub counted: [u64; Kind::COUNT],
    /// Pairs, merchants, BINs and acquirers that are counted.
    pub entries: [usize; 4],
    /// Of the same, how many were forgotten for want of room.
    pub dropped: [u64; 4],
    /// Blocks in force.
    pub blocks: usize,
    /// Blocks that refuse nothing.
    pub shadow_blocks: usize,
    /// Attempts that were refused.
    pub refused: u64,
    /// Attempts that would have been.
    pub shadowed: u64,
    /// News that nobody heard of.
    pub untold: u64,
}

impl Watch {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let state = Mutex::new(State::new(&settings));
        Self { settings, state, pairs: AtomicUsize::new(0), blocks: AtomicUsize::new(0) }
    }

    /// Its settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether any pair is blocked: else nothing need be judged.
    #[must_use]
    pub fn has_blocks(&self) -> bool {
        self.blocks.load(Ordering::Acquire) > 0
    }

    /// Whether any pair is counted: else an attempt that was none of a kind need not be told.
    #[must_use]
    pub fn has_counts(&self) -> bool {
        self.pairs.load(Ordering::Acquire) > 0
    }

    /// What is to become of an attempt.
    #[must_use]
    pub fn judge(&self, pair: &Pair, now: Timestamp) -> Verdict {
        if !self.has_blocks() {
            return Verdict::Free;
        }
        let mut state = self.state();
        let Some(block) = state.block_of(pair).filter(|block| block.until > now) else {
            return Verdict::Free;
        };
        block.met = block.met.saturating_add(1);
        if block.shadow {
            state.shadowed = state.shadowed.saturating_add(1);
            return Verdict::Shadow;
        }
        state.met = state.met.saturating_add(1);
        Verdict::Blocked
    }

    /// Counts an attempt that was decided, unless it was refused for a block.
    pub fn count(&self, pair: &Pair, kinds: Kinds, now: Timestamp) {
        if kinds.is_empty() {
            return self.count_other(pair, now);
        }
        let mut state = self.state();
        state.count(&self.settings, pair, kinds, now);
        self.publish(&state);
    }

    /// One of no kind counts only towards what others are a share of.
    fn count_other(&self, pair: &Pair, now: Timestamp) {
        if !self.has_counts() {
            return;
        }
        let mut state = self.state();
        if let Some(entry) = state.pairs.get_mut(pair) {
            entry.window.add(self.settings.slot(now), Column::Attempts);
        }
    }

    /// How many of a kind count of a subject at a moment.
    #[must_use]
    pub fn counted(&self, subject: &Subject, kind: Kind, now: Timestamp) -> u32 {
        let state = self.state();
        let entry = match subject {
            Subject::Pair(pair) => state.pairs.get(pair),
            Subject::Merchant(acquirer, merchant) => state.merchants.get(&(*acquirer, *merchant)),
            Subject::Bin(bin) => state.bins.get(bin),
            Subject::Acquirer(acquirer) => state.acquirers.get(acquirer),
        };
        let slot = self.settings.slot(now);
        entry.map_or(0, |entry| entry.window.sum(slot, Column::Of(kind)))
    }

    /// Puts blocks of before in force again, as they were.
    pub fn restore(&self, blocks: impl IntoIterator<Item = Block>) {
        let mut state = self.state();
        for block in blocks {
            let shadow = block.shadow || self.settings.mode == Mode::Shadow;
            state.restore(&self.settings, Block { shadow, ..block });
        }
        self.publish(&state);
    }

    /// Takes a block out of force before its time; what was counted of the pair is forgotten, or
    /// the next wrong one would block it again. `None` where it is not blocked.
    pub fn lift(&self, pair: &Pair) -> Option<Block> {
        let mut state = self.state();
        let lifted = state.take(pair);
        if let Some(entry) = state.pairs.get_mut(pair).filter(|_| lifted.is_some()) {
            entry.forget();
        }
        self.publish(&state);
        lifted
    }

    /// The blocks in force at a moment, the first to end first.
    #[must_use]
    pub fn blocks(&self, now: Timestamp) -> Vec<Block> {
        let mut blocks = self.state().blocks();
        blocks.retain(|block| block.until > now);
        blocks
    }

    /// Ends blocks whose time is over, forgets what counts no more, and tells what happened since
    /// it was last asked. To be called every second or so.
    #[must_use]
    pub fn tidy(&self, now: Timestamp) -> Vec<News> {
        let mut state = self.state();
        state.tidy(&self.settings, now);
        let news = state.news();
        self.publish(&state);
        news
    }

    /// How it stands.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let state = self.state();
        let State { pairs, merchants, bins, acquirers, .. } = &*state;
        let shadow_blocks = state.blocks().iter().filter(|block| block.shadow).count();
        Figures {
            counted: state.counted,
            entries: [pairs.len(), merchants.len(), bins.len(), acquirers.len()],
            dropped: [pairs.dropped, merchants.dropped, bins.dropped, acquirers.dropped],
            blocks: state.block_count().saturating_sub(shadow_blocks),
            shadow_blocks,
            refused: state.met,
            shadowed: state.shadowed,
            untold: state.untold,
        }
    }

    /// A thread that failed left whole counts behind: each is one addition.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, state: &State) {
        self.pairs.store(state.pairs.len(), Ordering::Release);
        self.blocks.store(state.block_count(), Ordering::Release);
    }
}
