//! Tables over a journal in memory, for tests of whoever asks them: they have what the journal has,
//! as soon as it has it. They can be told to fall silent. They are not durable.

use std::collections::{BTreeMap, BTreeSet};

use switch_domain::{
    AnsweredReversal, Authorization, AuthorizationId, Cause, DoneCommand, Event, Forgotten, Reach,
    Recalled, Record, Seq, ShardId, Totals,
};
use tokio::sync::watch;

use super::{CommittedBatch, Moves, Position, Tables};
use crate::error::StoreError;
use crate::journal::ModelJournalHandle;

/// Tables that follow a [`ModelJournalHandle`].
#[derive(Clone, Debug)]
pub struct ModelTables {
    journal: ModelJournalHandle,
    silent: watch::Receiver<bool>,
}

impl ModelTables {
    /// Tables that have what `journal` has; while `silent` is true they answer no question.
    #[must_use]
    pub const fn new(journal: ModelJournalHandle, silent: watch::Receiver<bool>) -> Self {
        Self { journal, silent }
    }

    fn rows(&self, shard: ShardId) -> Vec<(Seq, Vec<Record>)> {
        let rows = self.journal.rows(shard).into_iter();
        rows.map(|row| (row.seq, row.decode().unwrap_or_default())).collect()
    }

    fn head(&self, shard: ShardId) -> Seq {
        self.journal.rows(shard).last().map_or(Seq::NONE, |row| row.seq)
    }
}

impl Tables for ModelTables {
    async fn position(&mut self, shard: ShardId) -> Result<Position, StoreError> {
        let head = self.head(shard);
        Ok(Position { history: head, flushed: head })
    }

    async fn journal(
        &mut self,
        shard: ShardId,
        after: Seq,
    ) -> Result<Vec<(Seq, Vec<Record>)>, StoreError> {
        Ok(self.rows(shard).into_iter().filter(|(seq, _)| *seq > after).collect())
    }

    async fn recall(
        &mut self,
        shard: ShardId,
        at_least: Seq,
        what: &Forgotten,
    ) -> Result<Option<Recalled>, StoreError> {
        self.journal.note_question();
        // The sender may be gone: then nobody makes them silent any more.
        let _ = self.silent.wait_for(|silent| !silent).await;
        if self.head(shard) < at_least {
            return Ok(None);
        }
        let mut rows = Rows::default();
        for record in self.rows(shard).iter().flat_map(|(_, records)| records) {
            rows.add(record);
        }
        Ok(Some(rows.find(what)))
    }

    async fn write(
        &mut self,
        _: ShardId,
        _: Seq,
        _: &[CommittedBatch],
    ) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn flush(&mut self, _: ShardId, _: Seq, _: Seq, _: &Moves) -> Result<bool, StoreError> {
        Ok(true)
    }
}

/// The rows of messages and commands, as a projector would have made them.
#[derive(Default)]
struct Rows {
    authorizations: BTreeMap<AuthorizationId, Authorization>,
    reversals: Vec<AnsweredReversal>,
    gave_nothing: BTreeSet<AuthorizationId>,
    commands: Vec<DoneCommand>,
}

impl Rows {
    fn add(&mut self, record: &Record) {
        if let Cause::Command { key, digest, .. } = record.cause {
            let made = super::events::subject(record).made;
            let (refused, at) = (record.event.refusal(), record.at);
            self.commands.push(DoneCommand { key, digest, made, refused, at });
        }
        match &record.event {
            Event::Authorized(one) => {
                let row = Authorization {
                    id: one.id,
                    facts: one.facts,
                    card: one.card,
                    balance: one.balance,
                    pool: one.pool,
                    currency: one.requested.currency,
                    requested: one.requested.minor,
                    portion: one.portion.clone(),
                    reason: one.reason,
                    answered: one.answered,
                    approval_code: one.approval_code,
                    stand_in: one.stand_in,
                    completes: one.completes,
                    conversion: one.conversion.clone(),
                    counted: record.effects.counted(),
                    totals: Totals::default(),
                    fees: None,
                    decided_at: record.at,
                    closed: !one.holds(),
                };
                self.authorizations.insert(one.id, row);
            }
            Event::Reversed(one) => {
                self.reversals.push(AnsweredReversal {
                    id: one.id,
                    key: one.key,
                    reference: one.reference,
                    original: one.original,
                    standing: one.standing,
                    reason: one.reason,
                    decided_at: record.at,
                });
                if record.effects.authorization.is_none() {
                    self.gave_nothing.insert(one.id);
                }
            }
            Event::Voided(voided) => {
                if let Some(row) = self.authorizations.get_mut(&voided.authorization) {
                    row.reason = voided.reason;
                    row.answered = None;
                    row.approval_code = None;
                    row.closed = true;
                }
            }
            _ => {}
        }
        for delta in record.effects.of_authorizations() {
            if let Some(row) = self.authorizations.get_mut(&delta.authorization) {
                row.totals = row.totals.checked_add(delta.totals).unwrap_or(row.totals);
                row.closed |= delta.closes;
            }
        }
        for (delta, fees) in record.effects.of_fees() {
            if let Some(row) = self.authorizations.get_mut(&delta.authorization) {
                row.fees = row.fee_totals().checked_add(fees).map(Box::new);
            }
        }
    }

    /// What there is as far as a search has come.
    fn reached(&self, reach: &Reach) -> Recalled {
        let rows = self.authorizations.values();
        let of_key = rows.clone().filter(|row| reach.has_key(&row.facts));
        let authorizations: Vec<Authorization> = of_key.cloned().collect();
        let traced: Vec<_> = rows.filter(|row| reach.has_trace(&row.facts)).cloned().collect();
        let early = self
            .reversals
            .iter()
            .filter(|row| self.gave_nothing.contains(&row.id) && reach.has_early(&row.reference));
        let found = authorizations.iter().chain(&traced);
        let firsts = found.filter_map(|one| one.completes);
        let firsts: BTreeSet<_> = firsts.map(|one| one.authorization).collect();
        let firsts = firsts.iter().filter_map(|id| self.authorizations.get(id));
        Recalled {
            firsts: firsts.cloned().collect(),
            traced,
            authorizations,
            early: early.copied().collect(),
            ..Recalled::default()
        }
    }

    fn find(&self, what: &Forgotten) -> Recalled {
        match what {
            Forgotten::Message { answered, .. } => {
                let answered = answered
                    .and_then(|key| self.reversals.iter().rfind(|row| row.key == key).copied());
                let mut found = Recalled::default();
                let Some(mut reach) = Reach::of(what) else { return found };
                loop {
                    found = self.reached(&reach);
                    if !reach.grow(&found) {
                        return Recalled { reversal: answered, ..found };
                    }
                }
            }
            Forgotten::Hold(hold) => Recalled {
                hold: self.authorizations.get(&hold.authorization).cloned(),
                ..Recalled::default()
            },
            Forgotten::Command(key) => Recalled {
                command: self.commands.iter().rfind(|row| row.key == *key).copied(),
                ..Recalled::default()
            },
        }
    }
}
