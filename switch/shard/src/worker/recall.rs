//! Parks what cannot be decided before the tables were asked (W-21), and everything else about
//! the same message or key, so that nothing overtakes. It owns what becomes of it when the tables
//! do not answer: silence, for nobody knows what it was answered before.

use switch_domain::{Forgotten, IdempotencyKey, OriginalKey, OriginalReference, Timestamp};
use switch_engine::Command;

use super::Worker;
use super::lookup::Found;
use crate::mailbox::Envelope;
use crate::submission::ReplyOutcome;
use crate::{ManageError, metrics};

/// What parked envelopes have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ParkedBy {
    Original(OriginalKey),
    Command(IdempotencyKey),
}

/// What waits for one answer.
pub(super) struct Parked {
    envelopes: Vec<Envelope>,
    /// What was decided before this was in the rows that were asked: nothing later may be let go
    /// until the answer is here, or it could bring back what has changed since.
    known: Timestamp,
}

impl ParkedBy {
    const fn named(reference: &OriginalReference) -> Self {
        Self::Original(reference.key)
    }

    const fn of(what: &Forgotten) -> Self {
        match what {
            Forgotten::Message { original, .. } => Self::Original(*original),
            // With its reversals and repeats: one that is looked up beside it could be decided
            // meanwhile, and what was found here would be of before that.
            Forgotten::Hold(hold) => Self::Original(hold.original),
            Forgotten::Command(key) => Self::Command(*key),
        }
    }
}

impl Worker {
    /// Parks an envelope that has to be looked up, or that is about what is being looked up. Gives
    /// it back where it is neither.
    pub(super) fn park(&mut self, envelope: Envelope) -> Option<Envelope> {
        let keys = self.parked_with(&envelope).into_iter().flatten();
        let under = keys.into_iter().find_map(|by| self.parked_under(by));
        if let Some(parked) = under.and_then(|by| self.parked.get_mut(&by)) {
            parked.envelopes.push(envelope);
            return None;
        }
        match self.forgotten_by(&envelope) {
            Some(what) => {
                self.look_up(what, vec![envelope]);
                None
            }
            None => Some(envelope),
        }
    }

    /// Under which key waits what has this one.
    pub(super) fn parked_under(&self, by: ParkedBy) -> Option<ParkedBy> {
        if self.parked.contains_key(&by) { Some(by) } else { self.beside.get(&by).copied() }
    }

    /// The keys of an envelope: a completion, and an increment, has its own beside that of what it
    /// speaks of, and both are looked up at once.
    fn parked_with(&self, envelope: &Envelope) -> [Option<ParkedBy>; 2] {
        if self.parked.is_empty() {
            return [None, None];
        }
        let one = match envelope {
            Envelope::Message(submission) => match &*submission.command {
                Command::Authorize(request) => {
                    let own = ParkedBy::Original(request.facts.key.as_original());
                    return [request.spoken_of().map(ParkedBy::named), Some(own)];
                }
                Command::Advise(advice) => {
                    let own = ParkedBy::Original(advice.request.facts.key.as_original());
                    return [advice.spoken_of().map(ParkedBy::named), Some(own)];
                }
                Command::Reverse(request) => Some(ParkedBy::Original(request.reference.key)),
                Command::Manage(manage) => Some(ParkedBy::Command(manage.key)),
                _ => None,
            },
            Envelope::Manage { command, .. } => match &**command {
                Command::Manage(manage) => Some(ParkedBy::Command(manage.key)),
                _ => None,
            },
            Envelope::Expire { hold, .. } => Some(ParkedBy::Original(hold.original)),
            _ => None,
        };
        [one, None]
    }

    fn forgotten_by(&self, envelope: &Envelope) -> Option<Forgotten> {
        match envelope {
            Envelope::Message(submission) => self.state.forgotten_by(&submission.command),
            Envelope::Manage { command, .. } => self.state.forgotten_by(command),
            Envelope::Expire { hold, .. } => self.state.forgotten_by(&Command::Expire(*hold)),
            _ => None,
        }
    }

    /// Asks the tables, while envelopes wait for the answer.
    fn look_up(&mut self, what: Forgotten, envelopes: Vec<Envelope>) {
        let by = ParkedBy::of(&what);
        if let Some(parked) = self.parked.get_mut(&by) {
            parked.envelopes.extend(envelopes);
        } else if self.lookups.ask(what, self.projected.recallable()) {
            self.parked.insert(by, Parked { envelopes, known: self.known });
            let own = what.own().map(ParkedBy::Original).filter(|own| *own != by);
            self.beside.extend(own.map(|own| (own, by)));
        } else {
            for envelope in envelopes {
                self.end_unknown(envelope, "too_many");
            }
        }
    }

    /// The tables have answered, or will not.
    pub(super) fn finish_lookup(&mut self, found: Found) {
        let Found { what, recalled } = found;
        let answered = recalled.is_some();
        metrics::looked_up(match &recalled {
            None => "unanswered",
            Some(recalled) if *recalled == switch_domain::Recalled::default() => "nothing",
            Some(_) => "found",
        });
        if let Some(recalled) = recalled {
            let now = self.shared.settings.clock.now_after(self.state.last_at());
            self.state.recall(recalled, now);
        }
        let by = ParkedBy::of(&what);
        self.beside.retain(|_, under| *under != by);
        let parked = self.parked.remove(&by).map(|parked| parked.envelopes);
        let mut parked = parked.unwrap_or_default().into_iter();
        while let Some(envelope) = parked.next() {
            match self.forgotten_by(&envelope) {
                _ if !answered => self.end_unknown(envelope, "unanswered"),
                Some(needed) if needed != what => {
                    let rest = std::iter::once(envelope).chain(parked).collect();
                    return self.look_up(needed, rest);
                }
                // Its subject is free at a commit: until then it would be looked up for nothing.
                _ => {
                    let busy = self.take(envelope);
                    self.after_commit.extend(busy);
                }
            }
        }
    }

    /// Before which memory may let go, where the tables have everything before `projected`.
    pub(super) fn may_let_go(&mut self, projected: Timestamp) -> Timestamp {
        self.known = projected;
        let asked = self.parked.values().map(|parked| parked.known).min();
        asked.map_or(projected, |known| known.min(projected))
    }

    fn end_unknown(&mut self, envelope: Envelope, cause: &'static str) {
        self.inbox.waiting.leave();
        metrics::shed(cause);
        match envelope {
            Envelope::Message(submission) => submission.reply.send(ReplyOutcome::Silent),
            Envelope::Manage { reply, .. } => {
                let _ = reply.send(Err(ManageError::Unknown));
            }
            _ => {}
        }
    }
}
