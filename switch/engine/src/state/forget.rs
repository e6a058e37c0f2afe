//! Bounds what a shard remembers. It owns the order in which answers, early reversals and command
//! keys are let go; it never lets go of an open authorization or of anything not yet in the tables.

use switch_domain::{AuthorizationId, MessageKey, Timestamp};

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
            forgotten = forgotten.saturating_add(usize::from(self.forget_answer(at, &key)));
        }
        let limit = window_start.min(projected);
        while let Some((_, key)) = self.early_order.front().copied().filter(|(at, _)| *at < limit) {
            self.early_order.pop_front();
            if let Some(references) = self.early_reversals.get_mut(&key) {
                references.retain(|(at, _)| *at >= limit);
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

    /// Forgets the answer that a message got at `at`, and the authorization that it is about once
    /// nothing else needs that. False where the message got a newer answer: one rebuilt from the
    /// journal has seen messages that were forgotten, came again and were decided anew.
    fn forget_answer(&mut self, at: Timestamp, key: &MessageKey) -> bool {
        let Some(answer) = self.answers.get(key).filter(|answer| answer.decided_at == at) else {
            return false;
        };
        let about = answer.authorization;
        self.answers.remove(key);
        if let Some(id) = about {
            self.forget_authorization(id);
        }
        true
    }

    /// Forgets an authorization unless something is still held by it. One that was open when its
    /// own answer went comes here again with that of the reversal that closed it.
    fn forget_authorization(&mut self, id: AuthorizationId) {
        let Some(authorization) = self.authorizations.get(&id) else { return };
        if authorization.held().is_positive() {
            return;
        }
        let original = authorization.facts.key.as_original();
        self.authorizations.remove(&id);
        if let Some(ids) = self.originals.get_mut(&original) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.originals.remove(&original);
            }
        }
    }
}
