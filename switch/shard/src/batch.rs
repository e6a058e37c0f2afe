//! A batch: records that go into one journal row, and the answers that wait for it. It owns the
//! pairing of the two; which answers may leave is for the worker to say.

use switch_domain::{
    AuthorizationId, BalanceId, Fingerprint, Reason, Record, TransferId, TransferOutcome,
};
use switch_engine::{Answer, Decision};
use tokio::time::Instant;

use crate::mailbox::{ManageReply, Tell};
use crate::submission::ReplyTo;

/// Records decided and not yet committed, and those who wait for them.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) records: Vec<Record>,
    pub(crate) messages: Vec<PendingMessage>,
    pub(crate) commands: Vec<PendingCommand>,
    pub(crate) reads: Vec<Tell>,
    /// What became of transfers that came, for the shards of the accounts that paid.
    pub(crate) receipts: Vec<Receipt>,
    /// Numbers of cards in `records`, for the directory.
    pub(crate) issued: Vec<(usize, Fingerprint)>,
    /// The earliest deadline among `messages`, or earlier than that after some were answered.
    earliest: Option<Instant>,
}

/// What became of a transfer that came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Receipt {
    pub(crate) transfer: TransferId,
    /// The account that paid.
    pub(crate) from: BalanceId,
    pub(crate) outcome: TransferOutcome,
}

/// A message of a link whose answer waits for the batch.
pub(crate) struct PendingMessage {
    pub(crate) reply: ReplyTo,
    pub(crate) decision: Decision,
    pub(crate) deadline: Instant,
    /// The authorization that this message made, which a void takes back; `None` for a repeat, a
    /// reversal or an advice.
    pub(crate) voidable: Option<AuthorizationId>,
}

/// A management command whose answer waits for the batch, and for the tables.
pub(crate) struct PendingCommand {
    pub(crate) reply: ManageReply,
    pub(crate) answer: Answer,
}

impl Batch {
    /// True when nothing and nobody waits in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
            && self.messages.is_empty()
            && self.commands.is_empty()
            && self.reads.is_empty()
            && self.receipts.is_empty()
    }

    /// Makes room for so many records and those who wait for them: growing copies all that is
    /// there.
    pub(crate) fn make_room(&mut self, records: usize) {
        self.records.reserve(records);
        self.messages.reserve(records);
    }

    /// Lets a message wait for the batch.
    pub(crate) fn push_message(&mut self, message: PendingMessage) {
        self.earliest = Some(self.earliest.map_or(message.deadline, |e| e.min(message.deadline)));
        self.messages.push(message);
    }

    /// Takes back who waited for a batch that is committed, before everybody else.
    pub(crate) fn put_back(&mut self, committed: &mut Self) {
        let later = std::mem::take(&mut self.messages);
        for message in committed.messages.drain(..) {
            self.push_message(PendingMessage { voidable: None, ..message });
        }
        later.into_iter().for_each(|message| self.push_message(message));
        let later = std::mem::replace(&mut self.reads, std::mem::take(&mut committed.reads));
        self.reads.extend(later);
        self.receipts.append(&mut committed.receipts);
    }

    /// The earliest deadline of those who wait.
    pub(crate) const fn earliest_deadline(&self) -> Option<Instant> {
        self.earliest
    }

    /// Answers repeats of a voided approval as their original is answered (W-21).
    pub(crate) fn replace_approval(&mut self, voided: AuthorizationId, reason: Reason) {
        for message in &mut self.messages {
            let decision = &mut message.decision;
            if decision.authorization == Some(voided) && decision.reason.is_approval() {
                decision.reason = reason;
                decision.approval_code = None;
                decision.part = None;
            }
        }
    }

    /// Takes out the messages whose deadline is over.
    pub(crate) fn take_late(&mut self, now: Instant) -> Vec<PendingMessage> {
        if self.earliest.is_none_or(|earliest| earliest > now) {
            return Vec::new();
        }
        let late = self.messages.extract_if(.., |message| message.deadline <= now).collect();
        self.earliest = self.messages.iter().map(|message| message.deadline).min();
        late
    }
}
