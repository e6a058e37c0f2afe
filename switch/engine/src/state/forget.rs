//! Bounds what a shard remembers. It owns the order in which answers, early reversals and command
//! keys are let go; it never lets go of an open authorization or of anything not yet in the tables.

use switch_domain::{MessageKey, Timestamp};

use super::State;

impl State {
    /// Lets go of what was decided before `window_start`, and of the oldest answers past `most`;
    /// nothing decided at or after `projected`, the time up to which the tables have everything
    /// (W-21). Returns how many answers were let go.
    pub fn forget(&mut self, window_start: Timestamp, most: usize, projected: Timestamp) -> usize {
        let mut forgotten: usize = 0;
        while let Some((at, key)) = self.answer_order.front().copied() {
            let outside = at < window_start || self.answers.len() > most;
            if !outside || at >= projected {
                break;
            }
            self.answer_order.pop_front();
            self.forget_answer(&key);
            forgotten = forgotten.saturating_add(1);
        }
        let limit = window_start.min(projected);
        while let Some((at, key)) = self.early_order.front().copied().filter(|(at, _)| *at < limit)
        {
            self.early_order.pop_front();
            let _ = at;
            if let Some(references) = self.early_reversals.get_mut(&key) {
                references.drain(..references.len().min(1));
                if references.is_empty() {
                    self.early_reversals.remove(&key);
                }
            }
        }
        while let Some((_, key)) = self.command_order.front().copied().filter(|(at, _)| *at < limit)
        {
            self.command_order.pop_front();
            self.commands.remove(&key);
        }
        forgotten
    }

    /// Forgets an answer, and its authorization unless something is still held by it.
    fn forget_answer(&mut self, key: &MessageKey) {
        let Some(answer) = self.answers.remove(key) else { return };
        let Some(id) = answer.authorization else { return };
        let Some(authorization) = self.authorizations.get(&id) else { return };
        let of_this_message = authorization.facts.key == *key;
        if !of_this_message || authorization.held().is_positive() {
            return;
        }
        self.authorizations.remove(&id);
        let original = key.as_original();
        if let Some(ids) = self.originals.get_mut(&original) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.originals.remove(&original);
            }
        }
    }
}
