//! What a committed row sets free: releases, credits, new cards, and the answers. It owns the
//! order: state first, then the projector, then those who wait.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use switch_domain::{Control, Event, Record, Seq, ShardId};
use switch_engine::Answer;
use switch_store::fault_points::{KillPoint, reach};
use switch_store::{Appended, CommittedBatch};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::fresh::Proof;
use super::{InFlight, Worker};
use crate::ManageError;
use crate::batch::{Batch, PendingCommand};
use crate::directory::Listed;
use crate::mailbox::Envelope;
use crate::running::Fatal;
use crate::submission::ReplyOutcome;

/// Commands of one committed row, and what they have yet to wait for.
pub(super) struct DoneCommands {
    commands: Vec<PendingCommand>,
    seq: Seq,
    installed: Vec<oneshot::Receiver<()>>,
}

/// Answers commands, row for row in their order. Ends when the worker has and all are answered.
pub(super) async fn answer(
    mut done: mpsc::UnboundedReceiver<DoneCommands>,
    mut progress: watch::Receiver<Seq>,
) {
    while let Some(DoneCommands { commands, seq, installed }) = done.recv().await {
        for shard in installed {
            let _ = shard.await;
        }
        let in_tables = progress.wait_for(|projected| *projected >= seq).await.is_ok();
        for command in commands {
            let result = match command.answer {
                Answer::Done(made) if in_tables => Ok(made),
                Answer::Refused(refusal) => Err(ManageError::Refused(refusal)),
                Answer::Done(_) => Err(ManageError::Unknown),
                Answer::Decided(_)
                | Answer::HoldEnded(_)
                | Answer::Transferred(_)
                | Answer::Busy => Err(ManageError::Malfunction),
            };
            let _ = command.reply.send(result);
        }
    }
}

impl Worker {
    /// The journal knows what became of the row in flight.
    pub(super) fn finish_append(&mut self, result: Appended, at: Instant) {
        let Some(in_flight) = self.in_flight.take() else { return };
        self.mark_waiting(None);
        match result {
            Appended::Committed => self.committed(in_flight, at),
            Appended::Taken { owner, epoch } => {
                let shard = self.shard;
                self.fail(Fatal::Fenced { shard, owner, epoch });
            }
            Appended::PredecessorMissing => {
                let shard = self.shard;
                self.fail(Fatal::JournalWentBack { shard, seq: in_flight.seq });
            }
        }
    }

    fn committed(&mut self, in_flight: InFlight, at: Instant) {
        reach(KillPoint::K9);
        let InFlight { seq, hash, records, mut batch, since, proof, projected } = in_flight;
        self.proven = Some(proof);
        self.head.seq = seq;
        self.head.hash = hash;
        self.projected.stays_at(projected);
        self.recent.trim(self.projected.durable());
        self.metrics.commit.record(Instant::now().duration_since(since).as_secs_f64());
        for record in records.iter() {
            if let Err(broken) = self.state.apply_committed(record) {
                self.fail(Fatal::Broken(broken.to_string()));
                return;
            }
            if let Some(delta) = record.effects.pool {
                let back = delta.split().1;
                self.shared.pools.give(delta.pool, switch_domain::MinorUnits(back.available()));
            }
        }
        for (index, card) in batch.issued.drain(..) {
            if let Some(Event::CardIssued(issued)) = records.get(index).map(|one| &one.event) {
                self.shared.directory.insert(card, Listed::issued(issued, self.shard));
            }
        }
        self.publish_references(&records);
        for busy in self.after_commit.drain(..).rev() {
            self.waiting.push_front(busy);
        }
        self.projected.announce(CommittedBatch { seq, records: Arc::clone(&records) });
        self.carry_sent(&records);
        let installed = self.publish_control(&records);
        if !self.was_paused_since(at, &mut batch) {
            self.release_after(batch, seq, installed, at);
        } else if !batch.commands.is_empty() {
            self.answer_commands(batch.commands, seq, installed);
        }
        self.tidy_memory();
    }

    /// Lets those go who wait for nothing but the journal.
    pub(super) fn release(&mut self, batch: Batch, seq: Seq, at: Instant) {
        self.release_after(batch, seq, Vec::new(), at);
    }

    /// Whether this process stood still between learning of a commit and now. Its shards may have
    /// been taken over then: the answers go back into the open batch, whose row finds out (W-13).
    /// They are committed, so no lateness voids them any more.
    fn was_paused_since(&mut self, at: Instant, batch: &mut Batch) -> bool {
        let paused = Proof::at(at).is_stale();
        if paused {
            self.proven = None;
            self.open.put_back(batch);
        }
        paused
    }

    fn release_after(
        &mut self,
        batch: Batch,
        seq: Seq,
        installed: Vec<oneshot::Receiver<()>>,
        at: Instant,
    ) {
        for message in batch.messages {
            message.reply.send_known(ReplyOutcome::Decided(message.decision), at);
        }
        for tell in batch.reads {
            tell();
        }
        self.send_receipts(batch.receipts);
        if !batch.commands.is_empty() {
            self.answer_commands(batch.commands, seq, installed);
        }
    }

    /// Answers commands when their records are in the tables and in force in all shards, so that a
    /// caller reads what it wrote (design section 3).
    fn answer_commands(
        &self,
        commands: Vec<PendingCommand>,
        seq: Seq,
        installed: Vec<oneshot::Receiver<()>>,
    ) {
        self.projected.nudge();
        let _ = self.answering.send(DoneCommands { commands, seq, installed });
    }

    /// What changed of cards that their messages are verified by. It is there before anybody is
    /// told that it was changed: what comes after that answer is verified by it.
    fn publish_references(&self, records: &[Record]) {
        for record in records {
            let changed = match &record.event {
                Event::CardReferencesChanged { card, .. } | Event::CardRenewed { card, .. } => {
                    Some(*card)
                }
                _ => record.effects.counters.as_ref().map(|effect| effect.card),
            };
            if let Some(card) = changed.and_then(|card| self.state.card(card)) {
                self.shared.directory.learn(card, self.state.pin_tries(card.id));
            }
        }
    }

    /// Sends a new snapshot of the control shard to the others, and tells who has yet to take it.
    fn publish_control(&self, records: &[Record]) -> Vec<oneshot::Receiver<()>> {
        let changes = |record: &Record| {
            // In the control shard the only spend controls are those of programmes.
            matches!(
                record.event,
                Event::PartnerDefined(_)
                    | Event::PoolDefined(_)
                    | Event::ProgrammeDefined(_)
                    | Event::ControlDefined(_)
                    | Event::ControlRemoved { .. }
                    | Event::RateSet(_)
                    | Event::RateRemoved { .. }
                    | Event::FeesSet { .. }
            )
        };
        if self.shard != ShardId::CONTROL || !records.iter().any(changes) {
            return Vec::new();
        }
        let control: Arc<Control> = Arc::clone(self.state.control());
        crate::metrics::rates(&control);
        self.shared.directory.learn_terms(&control);
        self.shared.control.send_replace(Arc::clone(&control));
        let others = self.mailboxes.iter().skip(1);
        others
            .map(|mailbox| {
                let (done, installed) = oneshot::channel();
                mailbox.put_always(Envelope::Install { control: Arc::clone(&control), done });
                installed
            })
            .collect()
    }

    /// Forgets what is past the window and in the tables.
    fn tidy_memory(&mut self) {
        let settings = &self.shared.settings;
        let wall = self.age.now(settings.clock.now());
        let window = Duration::as_micros(&settings.repeat_window);
        let start = wall.minus_micros(i64::try_from(window).unwrap_or(i64::MAX));
        let limit = settings.repeat_limit;
        let projected = self.projected.everything_before(wall);
        let projected = self.may_let_go(projected);
        self.state.forget(start, limit, projected);
        self.metrics.remembered.set(self.state.remembered() as f64);
        self.judge_lag();
    }

    /// Sheds authorizations while the tables are too far behind. Judged at each commit, and while
    /// shedding whenever the tables move: without authorizations there may be no other commit.
    pub(super) fn judge_lag(&mut self) {
        let lag = self.projected.lag();
        if let Some(flag) = self.shared.of_shard(&self.shared.shedding, self.shard) {
            flag.store(lag > self.shared.settings.projection_lag_limit, Ordering::Release);
        }
    }

    pub(super) fn is_shedding(&self) -> bool {
        let flag = self.shared.of_shard(&self.shared.shedding, self.shard);
        flag.is_some_and(|flag| flag.load(Ordering::Acquire))
    }
}
