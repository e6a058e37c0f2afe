//! Declines what there was no room for (W-22). It owns the one question that comes before: was this
//! message taken before? Then a decline would contradict what the other copy was answered, or is
//! about to be, so it gets silence, and a repeat gets the one definite answer (W-20). Nothing is
//! remembered of what is shed, and nothing here costs a message that is taken more than a branch.

use std::collections::HashSet;

use switch_domain::{MessageKey, Reason};
use switch_engine::Command;

use super::Worker;
use super::recall::ParkedBy;
use crate::mailbox::Envelope;
use crate::metrics;
use crate::submission::{ReplyOutcome, Submission};

/// The key of an authorization request.
fn key_of(submission: &Submission) -> Option<MessageKey> {
    match &*submission.command {
        Command::Authorize(request) => Some(request.facts.key),
        _ => None,
    }
}

impl Worker {
    /// Takes in what came: the most waits for its turn, what is shed is told so at once.
    pub(super) fn receive(&mut self, received: &mut Vec<Envelope>) {
        let mut shed = Vec::new();
        for envelope in received.drain(..) {
            match envelope {
                Envelope::Shed(submission) => shed.push(submission),
                other => self.waiting.push_back(other),
            }
        }
        if !shed.is_empty() {
            self.decline_shed(shed);
        }
    }

    /// All of them are held against what waits at once: a queue that is full is long.
    fn decline_shed(&self, shed: Vec<Submission>) {
        let keys: HashSet<MessageKey> = shed.iter().filter_map(key_of).collect();
        let mut waiting: HashSet<MessageKey> = HashSet::new();
        for envelope in &self.waiting {
            if let Envelope::Message(submission) = envelope
                && let Some(key) = key_of(submission)
                && keys.contains(&key)
            {
                waiting.insert(key);
            }
        }
        for submission in shed {
            self.inbox.shed.leave();
            let taken = self.state.has_answered(&submission.command)
                || key_of(&submission).is_none_or(|key| {
                    let parked = ParkedBy::Original(key.as_original());
                    waiting.contains(&key) || self.parked_under(parked).is_some()
                });
            if taken {
                metrics::shed_in_silence("taken_before");
                submission.reply.send(ReplyOutcome::Silent);
            } else {
                submission.reply.send(ReplyOutcome::Declined(Reason::IssuerInoperative));
            }
        }
    }
}
