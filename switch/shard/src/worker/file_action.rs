//! File actions of a link (x302, x304): management commands that come as messages, and are answered
//! over their link as soon as they are committed. It owns that difference; what is decided, and
//! that it is decided once, is the engine's as with every other command.

use switch_domain::Reason;
use switch_engine::{Answer, Decision, Outcome};
use tokio::time::Instant;

use super::Worker;
use crate::batch::PendingMessage;
use crate::mailbox::Envelope;
use crate::submission::{ReplyOutcome, Submission};

impl Worker {
    /// Decides a file action; gives it back while another command about its card is on its way.
    pub(super) fn take_file_action(&mut self, submission: Submission) -> Option<Envelope> {
        if submission.deadline <= Instant::now() {
            self.inbox.waiting.leave();
            self.end_undecided(submission);
            return None;
        }
        let outcome = self.decide(&submission.command);
        if let Some(Outcome { answer: Answer::Busy, .. }) = outcome {
            return Some(Envelope::Message(submission));
        }
        self.inbox.waiting.leave();
        let Submission { deadline, reply, .. } = submission;
        let decided = outcome.and_then(|outcome| {
            let reason = outcome.answer.file_action_reason()?;
            Some((reason, outcome.record))
        });
        let Some((reason, record)) = decided else {
            self.metrics.malfunctions.increment(1);
            reply.send(ReplyOutcome::Silent);
            return None;
        };
        // Another message came under its key: that is no repeat, and somebody should look at it.
        let repeated = record.is_none() && reason != Reason::DuplicateTransmission;
        if repeated {
            self.metrics.repeats.increment(1);
        } else {
            self.metrics.decided(reason);
        }
        if let Some(record) = record
            && !self.adopt(record)
        {
            return None;
        }
        let decision = Decision { repeated, ..Decision::plain(reason) };
        self.open.push_message(PendingMessage { reply, decision, deadline, voidable: None });
        None
    }
}
