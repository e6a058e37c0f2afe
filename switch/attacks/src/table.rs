//! Counts by subject, so many at most. It owns who is forgotten when there is no more room: the one
//! of which nothing was counted for the longest time, and never one that is kept on purpose.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use switch_domain::Timestamp;

use crate::block::Block;
use crate::kind::Kind;
use crate::window::{Column, SLOTS, Window};

/// What is known of one subject.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    pub(crate) window: Window,
    /// Until when an alarm of a kind is not said again.
    quiet: [Timestamp; Kind::COUNT],
    /// Of a pair.
    pub(crate) block: Option<Box<Block>>,
    turn: u64,
    last: i64,
}

impl Entry {
    /// Whether an alarm of a kind is to be said now; then not again until this moment.
    pub(crate) fn is_news(&mut self, kind: Kind, now: Timestamp, until: Timestamp) -> bool {
        let Some(quiet) = self.quiet.get_mut(kind.index()) else { return false };
        let news = *quiet <= now;
        if news {
            *quiet = until;
        }
        news
    }

    /// Begins anew.
    pub(crate) fn forget(&mut self) {
        self.window = Window::default();
        self.quiet = Default::default();
    }
}

/// All of one sort.
#[derive(Debug)]
pub(crate) struct Table<K> {
    entries: HashMap<K, Entry>,
    /// Those that may be forgotten, by when anything was last counted of them.
    order: BTreeMap<u64, K>,
    turns: u64,
    limit: usize,
    /// How many were forgotten for want of room.
    pub(crate) dropped: u64,
}

impl<K: Copy + Eq + Hash> Table<K> {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            entries: HashMap::new(),
            order: BTreeMap::new(),
            turns: 0,
            limit: limit.max(1),
            dropped: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn get(&self, key: &K) -> Option<&Entry> {
        self.entries.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut Entry> {
        self.entries.get_mut(key)
    }

    /// The entry of which something is counted now; `None` where there is no room, and nothing
    /// that may be forgotten.
    pub(crate) fn touch(&mut self, key: K, slot: i64) -> Option<&mut Entry> {
        self.turns = self.turns.saturating_add(1);
        match self.entries.get(&key) {
            // What is kept on purpose is in no order.
            Some(entry) => {
                if self.order.remove(&entry.turn).is_some() {
                    self.order.insert(self.turns, key);
                }
            }
            None => {
                if self.entries.len() >= self.limit && !self.drop_oldest() {
                    return None;
                }
                self.order.insert(self.turns, key);
            }
        }
        let entry = self.entries.entry(key).or_default();
        (entry.turn, entry.last) = (self.turns, slot.max(entry.last));
        Some(entry)
    }

    /// Counts one of a kind; how many there are, and the entry.
    pub(crate) fn count(&mut self, key: K, slot: i64, kind: Kind) -> Option<(u32, &mut Entry)> {
        let entry = self.touch(key, slot)?;
        entry.window.add(slot, Column::Of(kind));
        Some((entry.window.sum(slot, Column::Of(kind)), entry))
    }

    /// Never forgets this one, until [`Table::release`].
    pub(crate) fn keep(&mut self, key: &K) {
        if let Some(entry) = self.entries.get(key) {
            self.order.remove(&entry.turn);
        }
    }

    /// May forget it again.
    pub(crate) fn release(&mut self, key: &K) {
        if let Some(entry) = self.entries.get(key) {
            self.order.insert(entry.turn, *key);
        }
    }

    /// Forgets those of which nothing counts any more.
    pub(crate) fn forget_old(&mut self, slot: i64) {
        while let Some((turn, key)) = self.order.first_key_value().map(|(turn, key)| (*turn, *key))
        {
            let last = self.entries.get(&key).map_or(i64::MIN, |entry| entry.last);
            if last.saturating_add(SLOTS as i64) >= slot {
                return;
            }
            self.order.remove(&turn);
            self.entries.remove(&key);
        }
    }

    fn drop_oldest(&mut self) -> bool {
        let Some((_, key)) = self.order.pop_first() else { return false };
        self.entries.remove(&key);
        self.dropped = self.dropped.saturating_add(1);
        true
    }
}
