//! Takes what waits and decides it into the open batch. It owns the race for a pool's money (W-15)
//! and that a defect in deciding costs one command only (W-14).

use std::panic::{AssertUnwindSafe, catch_unwind};

use switch_domain::{Event, Fingerprint, Reason, Record};
use switch_engine::{Answer, Command, Outcome};
use switch_store::fault_points::{KillPoint, reach};
use tokio::time::Instant;

use super::Worker;
use crate::ManageError;
use crate::batch::{PendingCommand, PendingMessage};
use crate::mailbox::{Envelope, ManageReply};
use crate::metrics;
use crate::pools::NothingLeft;
use crate::running::Fatal;
use crate::submission::{ReplyOutcome, Submission};

/// How often a lost race for a pool is run again before the request is decided as if it were empty.
const POOL_ATTEMPTS: usize = 8;

impl Worker {
    /// Decides what waits, as far as the open batch has room.
    pub(super) fn decide_waiting(&mut self) {
        let mut busy = Vec::new();
        while !self.batch_is_full() && !self.broken {
            let Some(envelope) = self.waiting.pop_front() else { break };
            let Some(envelope) = self.park(envelope) else { continue };
            if let Some(deferred) = self.take(envelope) {
                busy.push(deferred);
            }
        }
        for envelope in busy.into_iter().rev() {
            self.waiting.push_front(envelope);
        }
        self.metrics.queue.set(self.inbox.waiting.count() as f64);
    }

    /// Decides one envelope; gives it back when its subject is busy until the next commit.
    pub(super) fn take(&mut self, envelope: Envelope) -> Option<Envelope> {
        match envelope {
            Envelope::Message(submission) if submission.is_file_action() => {
                return self.take_file_action(submission);
            }
            Envelope::Message(submission) => self.take_message(submission),
            // Never among what waits: see `receive`.
            Envelope::Shed(submission) => submission.reply.send(ReplyOutcome::Silent),
            Envelope::Manage { command, card, reply } => {
                return self.take_command(command, card, reply);
            }
            Envelope::Expire { hold, reply } => self.take_hold(hold, reply),
            Envelope::Parcel(parcel) => return self.take_parcel(parcel),
            Envelope::Install { control, done } => {
                self.inbox.waiting.leave();
                self.state.install_control(control);
                let _ = done.send(());
            }
            Envelope::Read(look) => {
                self.inbox.waiting.leave();
                let tell = look(&self.state);
                self.open.reads.push(tell);
            }
        }
        None
    }

    fn take_message(&mut self, submission: Submission) {
        self.inbox.waiting.leave();
        if submission.deadline <= Instant::now() {
            return self.end_undecided(submission);
        }
        let Submission { command, deadline, reply, .. } = submission;
        let mut command = super::bugs::renamed(command);
        self.mark_blocked(&mut command);
        let outcome = super::bugs::released_again(&self.state, self.decide(&command));
        let Some(Outcome { answer: Answer::Decided(decision), record }) = outcome else {
            self.metrics.malfunctions.increment(1);
            match *command {
                Command::Authorize(_) => {
                    reply.send(ReplyOutcome::Declined(Reason::SystemMalfunction));
                }
                _ => reply.send(ReplyOutcome::Silent),
            }
            return;
        };
        if decision.repeated {
            reach(KillPoint::K3);
            self.metrics.repeats.increment(1);
        } else {
            self.metrics.decided(reason_of(record.as_ref()).unwrap_or(decision.reason));
            metrics::shadowed(record.as_ref());
            metrics::verified(record.as_ref());
            self.count_attempt(&command, record.as_ref());
            if let Command::Advise(_) = *command {
                metrics::advised(record.as_ref());
            }
        }
        let voidable = record.as_ref().and_then(|record| match &record.event {
            // What was given in our stead cannot be taken back.
            Event::Authorized(one) if one.stand_in.is_none() => Some(one.id),
            _ => None,
        });
        if let Some(record) = record
            && !self.adopt(record)
        {
            return;
        }
        self.open.push_message(PendingMessage { reply, decision, deadline, voidable });
        reach(KillPoint::K5);
    }

    fn take_command(
        &mut self,
        command: Box<Command>,
        card: Option<Fingerprint>,
        reply: ManageReply,
    ) -> Option<Envelope> {
        let outcome = self.decide(&command);
        let Some(Outcome { answer, record }) = outcome else {
            self.inbox.waiting.leave();
            self.metrics.malfunctions.increment(1);
            let _ = reply.send(Err(ManageError::Malfunction));
            return None;
        };
        if answer == Answer::Busy {
            return Some(Envelope::Manage { command, card, reply });
        }
        self.inbox.waiting.leave();
        metrics::control_refused(answer);
        if self.is_a_transfer_too_many(record.as_ref()) {
            metrics::shed("transfers_open");
            let _ = reply.send(Err(ManageError::Overloaded));
            return None;
        }
        if let Some(record) = record {
            if let (Event::CardIssued(_), Some(card)) = (&record.event, card) {
                self.open.issued.push((self.open.records.len(), card));
            }
            if !self.adopt(record) {
                return None;
            }
        }
        self.open.commands.push(PendingCommand { reply, answer });
        None
    }

    /// Whether a record would send more than may be on its way at a time.
    fn is_a_transfer_too_many(&self, record: Option<&switch_domain::Record>) -> bool {
        let sends = record.is_some_and(|record| matches!(record.event, Event::TransferSent(_)));
        sends && self.state.open_transfer_count() >= self.shared.settings.transfer_limit
    }

    /// Puts a decided record into the open batch. False when the state broke on it.
    pub(super) fn adopt(&mut self, record: switch_domain::Record) -> bool {
        if let Err(broken) = self.state.apply_decided(&record) {
            self.fail(Fatal::Broken(broken.to_string()));
            return false;
        }
        reach(KillPoint::Applying);
        self.open.records.push(record);
        reach(KillPoint::K4);
        true
    }

    /// Decides, and takes from a pool what the outcome needs. `None` when deciding panicked.
    pub(super) fn decide(&self, command: &Command) -> Option<Outcome> {
        let now = self.shared.settings.clock.now_after(self.state.last_at());
        let pools = &self.shared.pools;
        // What was given in our stead, or given back by mistake, is owed whether or not there is
        // enough for it.
        let forced = !matches!(command, Command::Authorize(_) | Command::Manage(_));
        let attempt = |headroom: &dyn switch_engine::Headroom| {
            // Nothing is changed by deciding, so a panic leaves nothing half done.
            let deciding = || {
                reach(KillPoint::Deciding);
                self.state.decide(command, headroom, now)
            };
            catch_unwind(AssertUnwindSafe(deciding)).ok()
        };
        for _ in 0..POOL_ATTEMPTS {
            let outcome = attempt(pools)?;
            match outcome.pool_take() {
                Some(take) if forced => pools.owe(take),
                Some(take) if !pools.take(take) => continue,
                _ => {}
            }
            return Some(outcome);
        }
        attempt(&NothingLeft).filter(|outcome| outcome.pool_take().is_none())
    }
}

/// Why it was decided so: what is answered need not say it.
const fn reason_of(record: Option<&Record>) -> Option<Reason> {
    match record {
        Some(Record { event: Event::Authorized(made), .. }) => Some(made.reason),
        _ => None,
    }
}
