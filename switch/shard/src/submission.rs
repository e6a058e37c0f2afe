//! How a link hands a message to a shard and gets its answer. It owns the promise that every
//! accepted message ends in exactly one reply, even if that is "stay silent".

use switch_domain::{Fingerprint, Reason};
use switch_engine::{Command, Decision};
use switch_store::PROOF_LASTS;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

/// A message for a shard.
#[derive(Debug)]
pub struct Submission {
    /// What it asks for: an authorization or a reversal, what it advises of, or the management
    /// command that a file action is.
    pub command: Box<Command>,
    /// The card, which finds the shard.
    pub card: Fingerprint,
    /// After this an approval is no longer wanted. Judged once, just before the write (W-16).
    pub deadline: Instant,
    /// Where the answer goes.
    pub reply: ReplyTo,
}

impl Submission {
    /// Whether it may be declined at all where no copy of it was taken. A marked repeat may have
    /// been approved when it came first: a decline would contradict a hold that stands, so it gets
    /// silence, as a reversal does (W-20, W-22).
    pub(crate) const fn may_be_declined(&self) -> bool {
        match &*self.command {
            Command::Authorize(request) => !request.repeat,
            _ => false,
        }
    }

    /// Whether it is a file action: a management command that came by a link.
    pub(crate) const fn is_file_action(&self) -> bool {
        matches!(&*self.command, Command::Manage(_))
    }
}

/// Whether a shard took a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It will reply.
    Accepted,
    /// It will not: answer with this now. Nothing is remembered of the message, and no copy of it
    /// was ever taken.
    Declined(Reason),
    /// It will not, and a decline might be wrong: send nothing, the peer repeats (W-22).
    Silent,
}

/// What a shard has to say to a link.
#[derive(Debug)]
pub struct Reply {
    /// The link's own name for the message.
    pub token: u64,
    /// What to do.
    pub outcome: ReplyOutcome,
    /// When what it rests on was known.
    pub known: Instant,
}

impl Reply {
    /// Whether it lay about so long that the process must have stood still meanwhile: its shards
    /// may have been taken over, and a decision is then no answer any more (W-13).
    #[must_use]
    pub fn is_stale(&self) -> bool {
        matches!(self.outcome, ReplyOutcome::Decided(_)) && self.known.elapsed() > PROOF_LASTS
    }
}

/// What to do with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyOutcome {
    /// Answer so: it is committed.
    Decided(Decision),
    /// Answer so: it came too late to be committed, or there was no room for it, and it will not
    /// be.
    Declined(Reason),
    /// Send nothing: the outcome is not known, or cannot be told as a decline (W-20).
    Silent,
}

/// The way back to a link, for one message. Dropped without an answer, it says "silent".
#[derive(Debug)]
pub struct ReplyTo {
    sender: UnboundedSender<Reply>,
    token: u64,
    answered: bool,
}

impl ReplyTo {
    /// The way back through `sender`. The channel needs no bound of its own: a link has a limit on
    /// messages in flight, and each gets one reply.
    #[must_use]
    pub const fn new(sender: UnboundedSender<Reply>, token: u64) -> Self {
        Self { sender, token, answered: false }
    }

    /// Sends the one reply. A link that has gone is no error: the decision stands, and a repeat or
    /// a reversal will come.
    pub fn send(self, outcome: ReplyOutcome) {
        self.send_known(outcome, Instant::now());
    }

    /// The same, where what the reply rests on was known at a moment before.
    pub(crate) fn send_known(mut self, outcome: ReplyOutcome, known: Instant) {
        self.answered = true;
        let _ = self.sender.send(Reply { token: self.token, outcome, known });
    }

    /// Forgets the way back without a reply: the link was told by [`Admission`].
    pub(crate) fn forget(mut self) {
        self.answered = true;
    }
}

impl Drop for ReplyTo {
    fn drop(&mut self) {
        if !self.answered {
            let (outcome, known) = (ReplyOutcome::Silent, Instant::now());
            let reply = Reply { token: self.token, outcome, known };
            let _ = self.sender.send(reply);
        }
    }
}
