//! Applies records: what restricts when it was decided, what relaxes when it was committed (W-14).
//! It is the only code that changes a shard's money. It never judges: a record is what happened.

use std::sync::Arc;

use switch_domain::{
    AnsweredReversal, Authorization, AuthorizationDelta, Authorized, Balance, BalanceDelta,
    BalanceState, Card, CardStatus, Cause, ControlSubject, CustomerState, DoneCommand, Effects,
    Event, FeeTotals, PoolDelta, Record, Reversed, Timestamp, Totals, Voided,
};

use super::messages::Kept;
use super::{State, Subject};

/// A record does not fit the state: a defect here or a damaged journal. The process must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record does not fit the state of its shard: {0}")]
pub struct Broken(pub &'static str);

impl State {
    /// Applies what restricts: holds, locks, counters, remembered answers, taken money.
    ///
    /// # Errors
    /// The record does not fit; the state is unusable from then on.
    pub fn apply_decided(&mut self, record: &Record) -> Result<(), Broken> {
        self.last_at = self.last_at.max(record.at);
        let made = identifier_made(&record.event);
        if let Some((_, counter)) = made {
            self.next_counter = self.next_counter.max(counter.saturating_add(1));
        }
        if let Cause::Command { key, digest, .. } = &record.cause {
            let made = made.map(|(id, _)| id);
            let refused = record.event.refusal();
            let done = DoneCommand { key: *key, digest: *digest, made, refused, at: record.at };
            self.commands.insert(done, record.at);
        }
        self.in_flight.extend(Subject::of_event(&record.event));
        self.decided_event(record)?;
        self.decided_effects(&record.effects, record.at)
    }

    /// Applies what relaxes: releases, credits, unlocks, new accounts and cards.
    ///
    /// # Errors
    /// The record does not fit; the state is unusable from then on.
    pub fn apply_committed(&mut self, record: &Record) -> Result<(), Broken> {
        if let Some(subject) = Subject::of_event(&record.event) {
            self.in_flight.remove(&subject);
        }
        self.committed_event(&record.event)?;
        if let Some(delta) = record.effects.balance {
            self.add_to_balance(delta.split().1)?;
        }
        if let Some(delta) = record.effects.pool {
            self.add_to_share(delta.split().1)?;
        }
        record.effects.usage.iter().for_each(|delta| self.spending.add(&delta.split().1));
        if let Some(counters) = &record.effects.counters {
            self.count_committed(counters);
        }
        Ok(())
    }

    /// Applies a committed record to a state that has not seen it: replay.
    ///
    /// # Errors
    /// The record does not fit; the state is unusable from then on.
    pub fn replay(&mut self, record: &Record) -> Result<(), Broken> {
        self.apply_decided(record)?;
        self.apply_committed(record)
    }

    fn decided_event(&mut self, record: &Record) -> Result<(), Broken> {
        match &record.event {
            Event::Authorized(authorized) => return self.remember_authorized(record, authorized),
            Event::Reversed(reversed) => return self.remember_reversed(record, reversed),
            Event::Voided(voided) => return self.remember_voided(voided, record.at),
            Event::Founded(_) => self.begin_with_heritage(),
            Event::Inherited(estate) => return self.inherit(estate),
            Event::Sealed(_) => self.leave_everything(),
            Event::TransferSent(transfer) => self.transfers.send(transfer.clone()),
            Event::TransferReceived(one) => self.transfers.receive(one),
            Event::TransferClosed { transfer, .. } if !self.transfers.closing(*transfer) => {
                return Err(Broken("the end of a transfer that is not open"));
            }
            Event::ProgrammeDefined(programme) => {
                self.reserved_bins.insert(programme.id, programme.bins);
            }
            Event::BalanceStateChanged { balance, state } if *state != BalanceState::Active => {
                self.balance_mut(*balance)?.state = *state;
            }
            Event::CustomerStateChanged { customer, state: CustomerState::Blocked } => {
                self.customers.insert(*customer, CustomerState::Blocked);
            }
            Event::CardStatusChanged { card, status: CardStatus::Removed } => {
                self.card_mut(*card)?.status = CardStatus::Removed;
            }
            Event::CardLockChanged { card, lock: Some(lock) } => {
                self.card_mut(*card)?.lock = Some(*lock);
            }
            // The values of before are no longer good: what replaces them can wait for nobody.
            Event::CardReferencesChanged { card, references } => {
                self.card_mut(*card)?.references = Some(references.clone());
            }
            // Nor is the month of before, and nobody is told of the other one before the commit.
            Event::CardRenewed { card, expiry, references } => {
                let card = self.card_mut(*card)?;
                (card.expiry, card.references) = (*expiry, Some(references.clone()));
            }
            Event::ControlDefined(control) if !is_of_programme(control.terms.subject) => {
                self.spending.decide((**control).clone());
            }
            _ => {}
        }
        Ok(())
    }

    fn committed_event(&mut self, event: &Event) -> Result<(), Broken> {
        match event {
            Event::PartnerDefined(partner) => {
                Arc::make_mut(&mut self.control).put_partner(partner.clone());
            }
            Event::PoolDefined(pool) => Arc::make_mut(&mut self.control).put_pool(pool.clone()),
            Event::ProgrammeDefined(programme) => {
                self.reserved_bins.remove(&programme.id);
                Arc::make_mut(&mut self.control).put_programme(programme.clone());
            }
            Event::BalanceOpened(opened) => {
                let balance = Balance {
                    id: opened.balance,
                    programme: opened.programme,
                    partner: opened.partner,
                    customer: opened.customer,
                    currency: opened.currency,
                    state: BalanceState::Active,
                    ledger: switch_domain::MinorUnits::ZERO,
                    held: switch_domain::MinorUnits::ZERO,
                };
                self.balances.insert(opened.balance, balance);
            }
            Event::BalanceStateChanged { balance, state: BalanceState::Active } => {
                self.balance_mut(*balance)?.state = BalanceState::Active;
            }
            Event::CustomerStateChanged { customer, state: CustomerState::Active } => {
                self.customers.remove(customer);
            }
            Event::CardIssued(issued) => {
                let card = Card {
                    id: issued.card,
                    balance: issued.balance,
                    programme: issued.programme,
                    vault: issued.vault,
                    expiry: issued.expiry,
                    status: issued.status,
                    lock: None,
                    approvals: 0,
                    references: None,
                };
                self.cards.insert(issued.card, card);
            }
            Event::CardStatusChanged { card, status: CardStatus::Active } => {
                self.card_mut(*card)?.status = CardStatus::Active;
            }
            Event::ControlDefined(control) if is_of_programme(control.terms.subject) => {
                Arc::make_mut(&mut self.control).put_spend_control((**control).clone());
            }
            Event::ControlDefined(control) => self.spending.commit((**control).clone()),
            Event::ControlRemoved { control, subject: ControlSubject::Programme(programme) } => {
                Arc::make_mut(&mut self.control).remove_spend_control(*programme, *control);
            }
            Event::ControlRemoved { control, subject } => {
                self.spending.remove(*subject, *control);
                self.spending.forget(*control);
            }
            Event::RateSet(rate) => Arc::make_mut(&mut self.control).put_rate(**rate),
            Event::RateRemoved { from, to } => {
                Arc::make_mut(&mut self.control).remove_rate(*from, *to);
            }
            Event::FeesSet { programme, schedule } => {
                Arc::make_mut(&mut self.control).set_fees(*programme, schedule.as_deref().cloned());
            }
            Event::CardLockChanged { card, lock: None } => self.card_mut(*card)?.lock = None,
            Event::TransferClosed { transfer, .. } => self.transfers.closed(*transfer),
            _ => {}
        }
        Ok(())
    }

    fn remember_authorized(
        &mut self,
        record: &Record,
        authorized: &Authorized,
    ) -> Result<(), Broken> {
        if let Some(card) = authorized.card.and_then(|id| self.cards.get_mut(&id)) {
            card.approvals = card.approvals.max(authorized.approvals);
        }
        self.remember_new(Kept::Authorization(Authorization {
            id: authorized.id,
            facts: authorized.facts,
            card: authorized.card,
            balance: authorized.balance,
            pool: authorized.pool,
            currency: authorized.requested.currency,
            requested: authorized.requested.minor,
            portion: authorized.portion.clone(),
            reason: authorized.reason,
            answered: authorized.answered,
            approval_code: authorized.approval_code,
            stand_in: authorized.stand_in,
            completes: authorized.completes,
            conversion: authorized.conversion.clone(),
            counted: record.effects.counted(),
            totals: Totals::default(),
            fees: None,
            decided_at: record.at,
            closed: !authorized.holds(),
        }))
    }

    fn remember_reversed(&mut self, record: &Record, reversed: &Reversed) -> Result<(), Broken> {
        self.remember_new(Kept::Reversal(AnsweredReversal {
            id: reversed.id,
            key: reversed.key,
            reference: reversed.reference,
            original: reversed.original,
            standing: reversed.standing,
            reason: reversed.reason,
            decided_at: record.at,
        }))
    }

    pub(super) fn remember_new(&mut self, kept: Kept) -> Result<(), Broken> {
        let in_order = self.remember(kept);
        in_order.then_some(()).ok_or(Broken("an identifier that is not above those before it"))
    }

    fn remember_voided(&mut self, voided: &Voided, at: Timestamp) -> Result<(), Broken> {
        let Some(original) = self.messages.touch(voided.authorization, at) else {
            return self.let_go("a void of an authorization that is not there");
        };
        original.reason = voided.reason;
        original.answered = None;
        original.approval_code = None;
        original.closed = true;
        Ok(())
    }

    /// An authorization that was let go changes in the tables alone.
    const fn let_go(&self, what: &'static str) -> Result<(), Broken> {
        if self.messages.is_complete() { Err(Broken(what)) } else { Ok(()) }
    }

    fn decided_effects(&mut self, effects: &Effects, at: Timestamp) -> Result<(), Broken> {
        for delta in effects.of_authorizations() {
            self.add_to_authorization(delta, at)?;
        }
        for (of, delta) in effects.of_fees() {
            self.add_to_fees(of, delta, at)?;
        }
        if let Some(delta) = effects.balance {
            self.add_to_balance(delta.split().0)?;
        }
        if let Some(delta) = effects.pool {
            self.add_to_share(delta.split().0)?;
        }
        effects.usage.iter().for_each(|delta| self.spending.add(&delta.split().0));
        match &effects.counters {
            Some(counters) => self.count_decided(counters),
            None => Ok(()),
        }
    }

    fn add_to_authorization(
        &mut self,
        delta: AuthorizationDelta,
        at: Timestamp,
    ) -> Result<(), Broken> {
        let Some(authorization) = self.messages.touch(delta.authorization, at) else {
            return self.let_go("totals of an authorization that is not there");
        };
        let totals = authorization.totals.checked_add(delta.totals);
        authorization.totals = totals.ok_or(Broken("totals past the range of amounts"))?;
        authorization.closed |= delta.closes;
        Ok(())
    }

    fn add_to_fees(
        &mut self,
        of: AuthorizationDelta,
        delta: FeeTotals,
        at: Timestamp,
    ) -> Result<(), Broken> {
        let Some(authorization) = self.messages.touch(of.authorization, at) else {
            return self.let_go("fees of an authorization that is not there");
        };
        let fees = authorization.fee_totals().checked_add(delta);
        let fees = fees.ok_or(Broken("fees past the range of amounts"))?;
        authorization.fees = Some(Box::new(fees));
        Ok(())
    }

    fn add_to_balance(&mut self, delta: BalanceDelta) -> Result<(), Broken> {
        if delta.ledger.is_zero() && delta.held.is_zero() {
            return Ok(());
        }
        let balance = self.balance_mut(delta.balance)?;
        let ledger = balance.ledger.checked_add(delta.ledger);
        let held = balance.held.checked_add(delta.held).filter(|held| !held.is_negative());
        balance.ledger = ledger.ok_or(Broken("a ledger amount past the range of amounts"))?;
        balance.held = held.ok_or(Broken("a held amount below zero or past the range"))?;
        Ok(())
    }

    fn add_to_share(&mut self, delta: PoolDelta) -> Result<(), Broken> {
        let share = self.shares.entry(delta.pool).or_default();
        let level = share.level.checked_add(delta.level);
        let held = share.held.checked_add(delta.held).filter(|held| !held.is_negative());
        share.level = level.ok_or(Broken("a pool level past the range of amounts"))?;
        share.held = held.ok_or(Broken("a pool's held amount below zero or past the range"))?;
        Ok(())
    }

    fn balance_mut(&mut self, id: switch_domain::BalanceId) -> Result<&mut Balance, Broken> {
        self.balances.get_mut(&id).ok_or(Broken("a balance that is not there"))
    }

    pub(super) fn card_mut(&mut self, id: switch_domain::CardId) -> Result<&mut Card, Broken> {
        self.cards.get_mut(&id).ok_or(Broken("a card that is not there"))
    }
}

/// Whether it is the control shard's to keep.
const fn is_of_programme(subject: ControlSubject) -> bool {
    matches!(subject, ControlSubject::Programme(_))
}

/// The identifier that an event minted, and its counter.
fn identifier_made(event: &Event) -> Option<(i64, u64)> {
    match event {
        Event::PartnerDefined(partner) => Some((partner.id.0, partner.id.counter())),
        Event::PoolDefined(pool) => Some((pool.id.0, pool.id.counter())),
        Event::ProgrammeDefined(programme) => Some((programme.id.0, programme.id.counter())),
        Event::BalanceOpened(opened) => Some((opened.balance.0, opened.balance.counter())),
        Event::CardIssued(issued) => Some((issued.card.0, issued.card.counter())),
        Event::Authorized(authorized) => Some((authorized.id.0, authorized.id.counter())),
        Event::Reversed(reversed) => Some((reversed.id.0, reversed.id.counter())),
        Event::TransferSent(transfer) => Some((transfer.id.0, transfer.id.counter())),
        Event::ControlDefined(control) => Some((control.id.0, control.id.counter())),
        _ => None,
    }
}
