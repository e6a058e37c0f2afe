//! Deadlines (W-16, W-20). It owns what happens to a message that is late: undecided, it is
//! declined or dropped; decided and not handed to the journal, it is voided in the same batch and
//! declined; handed over, nothing happens here, for only the journal knows.

use switch_domain::Reason;
use switch_engine::Command;
use switch_store::fault_points::{Bug, has};
use tokio::time::Instant;

use super::Worker;
use crate::mailbox::Envelope;
use crate::metrics;
use crate::submission::{ReplyOutcome, Submission};

impl Worker {
    /// Ends every message that is late at `now`.
    pub(super) fn expire(&mut self, now: Instant) {
        self.expire_undecided(now);
        self.expire_unsent(now);
    }

    /// Messages come in the order of their deadlines, but for links with different ones: what is
    /// late behind one that is not is found when its turn comes to be decided. Commands before the
    /// first message have no deadline, and must not hide its own.
    fn expire_undecided(&mut self, now: Instant) {
        let is_message = |envelope: &Envelope| matches!(envelope, Envelope::Message(_));
        while let Some(index) = self.waiting.iter().position(is_message) {
            let first = self.waiting.get(index);
            if !matches!(first, Some(Envelope::Message(first)) if first.deadline <= now) {
                return;
            }
            if let Some(Envelope::Message(late)) = self.waiting.remove(index) {
                self.inbox.waiting.leave();
                self.end_undecided(late);
            }
        }
    }

    /// Ends a message that is late and was not decided. One that came before, marked as a repeat or
    /// not, has its answer already: a decline now would contradict it.
    pub(super) fn end_undecided(&self, late: Submission) {
        if late.may_be_declined() && !self.state.has_answered(&late.command) {
            metrics::late("declined_undecided");
            late.reply.send(ReplyOutcome::Declined(Reason::IssuerInoperative));
        } else {
            metrics::late("silent_undecided");
            late.reply.send(ReplyOutcome::Silent);
        }
    }

    fn expire_unsent(&mut self, now: Instant) {
        for message in self.open.take_late(now) {
            let Some(authorization) = message.voidable else {
                metrics::late("silent_unsent");
                message.reply.send(ReplyOutcome::Silent);
                continue;
            };
            let reason = Reason::IssuerInoperative;
            if has(Bug::VoidForgotten) {
                message.reply.send(ReplyOutcome::Declined(reason));
                continue;
            }
            let void = Command::Void { authorization, reason };
            let record = self.decide(&void).and_then(|outcome| outcome.record);
            let Some(record) = record else {
                metrics::late("silent_unsent");
                message.reply.send(ReplyOutcome::Silent);
                continue;
            };
            if !self.adopt(record) {
                return;
            }
            self.open.replace_approval(authorization, reason);
            metrics::late("voided");
            message.reply.send(ReplyOutcome::Declined(reason));
        }
    }
}
