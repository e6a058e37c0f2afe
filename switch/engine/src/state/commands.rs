//! What a shard remembers of management commands: that they were done, and what each made (W-18).
//! It owns how long; a key that was let go is looked up in the tables.

use std::collections::VecDeque;

use switch_domain::{DoneCommand, IdempotencyKey, Timestamp};

use super::Map;

/// Commands done, by their keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Commands {
    done: Map<IdempotencyKey, DoneCommand>,
    order: VecDeque<(Timestamp, IdempotencyKey)>,
    /// True once a key is not here that the tables may have.
    incomplete: bool,
}

impl Commands {
    pub(super) fn get(&self, key: IdempotencyKey) -> Option<&DoneCommand> {
        self.done.get(&key)
    }

    /// Notes a command. One that was looked up at `at` is let go by that time, not by its own.
    pub(super) fn insert(&mut self, command: DoneCommand, at: Timestamp) {
        self.order.push_back((at, command.key));
        self.done.insert(command.key, command);
    }

    pub(super) const fn is_complete(&self) -> bool {
        !self.incomplete
    }

    pub(super) const fn set_incomplete(&mut self) {
        self.incomplete = true;
    }

    pub(super) fn forget(&mut self, window_start: Timestamp, most: usize, projected: Timestamp) {
        while let Some((at, key)) = self.order.front().copied() {
            let outside = at < window_start || self.order.len() > most;
            if !outside || at >= projected {
                return;
            }
            self.order.pop_front();
            self.done.remove(&key);
            self.incomplete = true;
        }
    }
}
