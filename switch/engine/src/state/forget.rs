//! Bounds what a shard remembers, and says what it has to be told again (W-21). It never lets go of
//! anything that is not in the tables, and never of money: balances and shares stay.

use switch_domain::{
    Forgotten, MessageFacts, NetworkTrace, OriginalReference, Recalled, Timestamp, Traces,
};

use super::State;
use super::messages::Kept;
use crate::{Advise, Authorize, Command};

impl State {
    /// Lets go of what was decided before `window_start`, and of the oldest past `most`; nothing
    /// that anything was decided about at or after `projected`, the time up to which the tables
    /// have everything. Open authorizations go too: the tables know what they hold. Returns how
    /// many messages went.
    pub fn forget(&mut self, window_start: Timestamp, most: usize, projected: Timestamp) -> usize {
        self.commands.forget(window_start, most, projected);
        self.messages.forget(window_start, most, projected)
    }

    /// What has to be looked up in the tables before a command can be decided rightly. Requests
    /// that are not marked as repeats are never looked up: nearly all of them are new.
    #[must_use]
    pub fn forgotten_by(&self, command: &Command) -> Option<Forgotten> {
        match command {
            Command::Authorize(request) => {
                if let Some(one) = &request.adds_to {
                    return self.forgotten_by_later(request, &one.reference, one.named);
                }
                if let Some(one) = &request.completes {
                    return self.forgotten_by_later(request, &one.reference, one.named);
                }
                let key = &request.facts.key;
                let wanted = request.repeat && !self.messages.is_complete();
                let unknown = wanted && self.messages.find(key).is_none();
                unknown.then(|| of_message(&request.facts, None))
            }
            Command::Advise(advice) => self.forgotten_by_advice(advice),
            Command::Reverse(request) => {
                if self.messages.is_complete() || self.messages.find(&request.key).is_some() {
                    return None;
                }
                let certain = self.is_certain(&request.reference);
                let OriginalReference { key: original, network_trace: spoken_of, .. } =
                    request.reference;
                let leads_to = self.traced_original(&request.reference);
                let traces = Traces { spoken_of, leads_to, ..Traces::default() };
                let answered = Some(request.key);
                let wanted = request.repeat || !certain;
                wanted.then_some(Forgotten::Message { original, answered, traces })
            }
            Command::Manage(manage) => {
                let unknown =
                    !self.commands.is_complete() && self.command_done(manage.key).is_none();
                unknown.then_some(Forgotten::Command(manage.key))
            }
            Command::Expire(hold) => {
                let unknown =
                    !self.messages.is_complete() && self.messages.get(hold.authorization).is_none();
                unknown.then_some(Forgotten::Hold(*hold))
            }
            Command::Void { .. } | Command::Receive { .. } | Command::Close { .. } => None,
        }
    }

    /// Advices are few, and come late by their nature. One that speaks of an authorization asks for
    /// that and for itself at once; both are under one key where it does not name another.
    fn forgotten_by_advice(&self, advice: &Advise) -> Option<Forgotten> {
        let key = &advice.request.facts.key;
        if self.messages.is_complete() || self.messages.find(key).is_some() {
            return None;
        }
        Some(of_message(&advice.request.facts, advice.spoken_of()))
    }

    /// An increment, or what completes, comes hours or days after what it speaks of. That is looked
    /// up where memory does not have it for certain; the message itself only where it says that it
    /// is a repeat.
    fn forgotten_by_later(
        &self,
        request: &Authorize,
        of: &OriginalReference,
        named: bool,
    ) -> Option<Forgotten> {
        let key = &request.facts.key;
        if self.messages.is_complete() || self.messages.find(key).is_some() {
            return None;
        }
        if !request.repeat && self.is_certain_original(of, named) {
            return None;
        }
        Some(of_message(&request.facts, Some(of)))
    }

    /// Takes note of what was looked up at `now`. What memory has is newer, and stays as it is.
    /// What is recalled is let go again once the tables have everything decided up to now.
    pub fn recall(&mut self, recalled: Recalled, now: Timestamp) {
        for authorization in recalled.authorizations {
            self.messages.recall(Kept::Authorization(authorization), now);
        }
        let by_name = recalled.hold.into_iter().chain(recalled.firsts).chain(recalled.traced);
        for authorization in by_name {
            self.messages.recall_alone(authorization, now);
        }
        if let Some(reversal) = recalled.reversal {
            self.messages.recall(Kept::Reversal(reversal), now);
        }
        for (reversal, of_declined) in self.not_used_up(recalled.early) {
            self.messages.recall_early(reversal, of_declined, now);
        }
        if let Some(command) = recalled.command
            && self.command_done(command.key).is_none()
        {
            self.commands.insert(command, now);
        }
    }
}

/// The question about a message with these facts, and about what it speaks of. Both are under one
/// key where it names no other.
fn of_message(facts: &MessageFacts, spoken_of: Option<&OriginalReference>) -> Forgotten {
    let own = facts.key.as_original();
    let traces = Traces {
        spoken_of: spoken_of.map_or(NetworkTrace::NONE, |reference| reference.network_trace),
        own: facts.network_trace,
        leads_to: None,
    };
    match spoken_of.map(|reference| reference.key).filter(|original| *original != own) {
        Some(original) => Forgotten::Message { original, answered: Some(facts.key), traces },
        None => Forgotten::Message { original: own, answered: None, traces },
    }
}
