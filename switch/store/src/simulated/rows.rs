//! Rows of one shard as a projector leaves them, kept in maps. It owns what each record and each
//! flush does to them, written apart from the statements for PostgreSQL, so that the parity suite
//! holds the two against each other. It judges nothing.

use std::collections::{BTreeMap, BTreeSet};

use switch_domain::{
    AnsweredReversal, Authorization, AuthorizationDelta, AuthorizationId, Authorized, Balance,
    BalanceId, BalanceOpened, BalanceState, Card, CardCounters, CardId, CardIssued, CardReferences,
    Cause, ControlId, ControlSubject, Currency, CustomerId, CustomerState, DoneCommand, Event,
    ExchangeRate, Expiry, FeeSchedule, LockCode, MinorUnits, Part, Partner, PartnerId, Pool,
    PoolId, PoolShare, Posting, Programme, ProgrammeId, Record, Reversed, Seq, ShardId,
    SpendControl, Timestamp, Totals, Transfer, TransferId, TransferOutcome, TransferReceived, Used,
    Voided,
};

use crate::projection::{Moves, Position};

/// A row, and the last journal row that its moving part reflects.
#[derive(Clone, Debug)]
pub(super) struct AsOf<T> {
    pub(super) row: T,
    as_of: Seq,
}

/// All rows of one shard.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    shard: ShardId,
    /// How far; `None` before the first write, as in a table without the shard's row.
    pub(super) position: Option<Position>,
    pub(super) last_counter: u64,
    pub(super) last_decided: Timestamp,
    pub(super) control_version: u64,
    pub(super) partners: BTreeMap<PartnerId, Partner>,
    pub(super) pools: BTreeMap<PoolId, Pool>,
    pub(super) programmes: BTreeMap<ProgrammeId, Programme>,
    pub(super) balances: BTreeMap<BalanceId, AsOf<Balance>>,
    pub(super) customers: BTreeMap<CustomerId, CustomerState>,
    pub(super) cards: BTreeMap<CardId, AsOf<Card>>,
    pub(super) counters: BTreeMap<CardId, AsOf<CardCounters>>,
    pub(super) shares: BTreeMap<PoolId, AsOf<PoolShare>>,
    pub(super) spend_controls: BTreeMap<ControlId, SpendControl>,
    pub(super) usage: BTreeMap<(ControlId, i64, Part), AsOf<Used>>,
    pub(super) rates: BTreeMap<(Currency, Currency), ExchangeRate>,
    pub(super) fees: BTreeMap<ProgrammeId, FeeSchedule>,
    pub(super) authorizations: BTreeMap<AuthorizationId, Authorization>,
    pub(super) reversals: Vec<AnsweredReversal>,
    /// Reversals that gave nothing back.
    pub(super) gave_nothing: BTreeSet<AuthorizationId>,
    pub(super) commands: Vec<DoneCommand>,
    pub(super) postings: Vec<Posting>,
    /// What was sent, and how it ended.
    pub(super) transfers: BTreeMap<TransferId, (Transfer, Option<TransferOutcome>)>,
    /// What was said to those of others, and whether they are closed there.
    pub(super) received: BTreeMap<TransferId, (TransferOutcome, bool)>,
}

/// The sum of two amounts. It stays in range where the journal's own sums do.
const fn sum(one: MinorUnits, other: MinorUnits) -> MinorUnits {
    MinorUnits(one.0.saturating_add(other.0))
}

/// One before a journal row: what a new row reflects of what moves.
const fn before(seq: Seq) -> Seq {
    Seq(seq.0.saturating_sub(1))
}

impl Rows {
    pub(super) const fn new(shard: ShardId) -> Self {
        Self {
            shard,
            position: None,
            last_counter: 0,
            last_decided: Timestamp(0),
            control_version: 0,
            partners: BTreeMap::new(),
            pools: BTreeMap::new(),
            programmes: BTreeMap::new(),
            balances: BTreeMap::new(),
            customers: BTreeMap::new(),
            cards: BTreeMap::new(),
            counters: BTreeMap::new(),
            shares: BTreeMap::new(),
            spend_controls: BTreeMap::new(),
            usage: BTreeMap::new(),
            rates: BTreeMap::new(),
            fees: BTreeMap::new(),
            authorizations: BTreeMap::new(),
            reversals: Vec::new(),
            gave_nothing: BTreeSet::new(),
            commands: Vec::new(),
            postings: Vec::new(),
            transfers: BTreeMap::new(),
            received: BTreeMap::new(),
        }
    }

    /// Adds what a journal row says, and moves the watermark of history to it.
    pub(super) fn project(&mut self, seq: Seq, records: &[Record]) {
        for record in records {
            self.record(seq, record);
        }
        let flushed = self.position.map_or(Seq::NONE, |position| position.flushed);
        self.position = Some(Position { history: seq, flushed });
    }

    /// Adds what moved, each row's part only where the row does not reflect it yet.
    pub(super) fn flush(&mut self, to: Seq, moves: &Moves) {
        for (id, moved) in &moves.balances {
            if let Some(old) = self.balances.get_mut(id).filter(|old| old.as_of < moved.seq) {
                old.row.ledger = sum(old.row.ledger, moved.ledger);
                old.row.held = sum(old.row.held, moved.held);
                old.as_of = moved.seq;
            }
        }
        for (id, moved) in &moves.cards {
            if let Some(old) = self.cards.get_mut(id).filter(|old| old.as_of < moved.seq) {
                old.row.approvals = old.row.approvals.max(moved.approvals);
                old.as_of = moved.seq;
            }
        }
        for (id, moved) in &moves.counters {
            let none = AsOf { row: CardCounters::default(), as_of: Seq::NONE };
            let old = self.counters.entry(*id).or_insert(none);
            if old.as_of < moved.seq {
                old.row = moved.counters.clone();
                old.as_of = moved.seq;
            }
        }
        for (id, moved) in &moves.shares {
            let none = AsOf { row: PoolShare::default(), as_of: Seq::NONE };
            let old = self.shares.entry(*id).or_insert(none);
            if old.as_of < moved.seq {
                old.row.level = sum(old.row.level, moved.added.level);
                old.row.held = sum(old.row.held, moved.added.held);
                old.as_of = moved.seq;
            }
        }
        self.flush_usage(moves);
        if let Some(position) = &mut self.position {
            position.flushed = to;
        }
    }

    fn record(&mut self, seq: Seq, record: &Record) {
        self.last_decided = self.last_decided.max(record.at);
        let made = made(&record.event).map(AuthorizationId);
        if let Some(ours) = made.filter(|id| id.shard() == self.shard) {
            self.last_counter = self.last_counter.max(ours.counter());
        }
        if let Cause::Command { key, digest, .. } = &record.cause {
            let made = made.map(|id| id.0);
            let refused = record.event.refusal();
            let (key, digest, at) = (*key, *digest, record.at);
            self.commands.push(DoneCommand { key, digest, made, refused, at });
        }
        self.postings.extend_from_slice(&record.effects.postings);
        self.event(seq, record);
        if let Some(effect) = record.effects.counters.as_ref().filter(|effect| effect.locks) {
            self.lock(effect.card, Some(LockCode::PinTriesExceeded));
        }
        // The totals that a record gives to its own authorization are added to the new row.
        for delta in record.effects.of_authorizations() {
            self.totals(delta);
        }
        for (delta, fees) in record.effects.of_fees() {
            if let Some(row) = self.authorizations.get_mut(&delta.authorization) {
                row.fees = row.fee_totals().checked_add(fees).map(Box::new);
            }
        }
    }

    fn event(&mut self, seq: Seq, record: &Record) {
        match &record.event {
            Event::PartnerDefined(partner) => {
                self.control_version = self.control_version.saturating_add(1);
                self.partners.insert(partner.id, partner.clone());
            }
            Event::PoolDefined(pool) => {
                self.control_version = self.control_version.saturating_add(1);
                self.pools.insert(pool.id, pool.clone());
            }
            Event::ProgrammeDefined(programme) => {
                self.control_version = self.control_version.saturating_add(1);
                self.programmes.insert(programme.id, programme.clone());
            }
            Event::BalanceOpened(opened) => self.open(seq, opened),
            Event::BalanceStateChanged { balance, state } => {
                if let Some(old) = self.balances.get_mut(balance) {
                    old.row.state = *state;
                }
            }
            Event::CustomerStateChanged { customer, state } => {
                self.customers.insert(*customer, *state);
            }
            Event::CardIssued(issued) => self.issue(seq, issued),
            Event::CardStatusChanged { card, status } => {
                if let Some(old) = self.cards.get_mut(card) {
                    old.row.status = *status;
                }
            }
            Event::CardLockChanged { card, lock } => self.lock(*card, *lock),
            Event::CardReferencesChanged { card, references } => self.refer(*card, references),
            Event::CardRenewed { card, expiry, references } => {
                self.refer(*card, references);
                self.renew(*card, *expiry);
            }
            Event::ControlDefined(control) => {
                self.control_changed(control.terms.subject);
                self.spend_controls.insert(control.id, (**control).clone());
            }
            Event::ControlRemoved { control, subject } => {
                self.control_changed(*subject);
                self.spend_controls.remove(control);
            }
            Event::RateSet(rate) => self.rate((rate.from, rate.to), Some(**rate)),
            Event::RateRemoved { from, to } => self.rate((*from, *to), None),
            Event::FeesSet { programme, schedule } => {
                self.set_fees(*programme, schedule.as_deref());
            }
            Event::Authorized(authorized) => self.authorize(record, authorized),
            Event::Reversed(reversed) => self.reverse(record, reversed),
            Event::Voided(voided) => self.void(voided),
            Event::TransferSent(one) => {
                self.transfers.insert(one.id, (one.clone(), None));
            }
            Event::TransferClosed { transfer, outcome, .. } => self.close(*transfer, *outcome),
            Event::TransferReceived(one) => self.receive(one),
            // No simulated node is resharded.
            Event::Sealed(_)
            | Event::Founded(_)
            | Event::Inherited(_)
            | Event::TakenOver(_)
            | Event::NothingChanged
            | Event::LockRefused { .. }
            | Event::PoolReloaded { .. }
            | Event::BalanceCredited { .. }
            | Event::FeeCharged(_)
            | Event::Expired(_) => {}
        }
    }

    fn lock(&mut self, card: CardId, lock: Option<LockCode>) {
        if let Some(old) = self.cards.get_mut(&card) {
            old.row.lock = lock;
        }
    }

    fn renew(&mut self, card: CardId, expiry: Expiry) {
        if let Some(old) = self.cards.get_mut(&card) {
            old.row.expiry = expiry;
        }
    }

    fn refer(&mut self, card: CardId, references: &CardReferences) {
        if let Some(old) = self.cards.get_mut(&card) {
            old.row.references = Some(Box::new(references.clone()));
        }
    }

    fn open(&mut self, seq: Seq, opened: &BalanceOpened) {
        let row = Balance {
            id: opened.balance,
            programme: opened.programme,
            partner: opened.partner,
            customer: opened.customer,
            currency: opened.currency,
            state: BalanceState::Active,
            ledger: MinorUnits::ZERO,
            held: MinorUnits::ZERO,
        };
        self.balances.insert(row.id, AsOf { row, as_of: before(seq) });
    }

    fn issue(&mut self, seq: Seq, issued: &CardIssued) {
        let row = Card {
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
        self.cards.insert(row.id, AsOf { row, as_of: before(seq) });
    }

    fn close(&mut self, transfer: TransferId, outcome: TransferOutcome) {
        if let Some((_, ended)) = self.transfers.get_mut(&transfer) {
            *ended = Some(outcome);
        }
    }

    fn rate(&mut self, pair: (Currency, Currency), rate: Option<ExchangeRate>) {
        self.control_version = self.control_version.saturating_add(1);
        match rate {
            Some(rate) => self.rates.insert(pair, rate),
            None => self.rates.remove(&pair),
        };
    }

    fn set_fees(&mut self, programme: ProgrammeId, schedule: Option<&FeeSchedule>) {
        self.control_version = self.control_version.saturating_add(1);
        match schedule {
            Some(schedule) => self.fees.insert(programme, schedule.clone()),
            None => self.fees.remove(&programme),
        };
    }

    fn control_changed(&mut self, subject: ControlSubject) {
        if matches!(subject, ControlSubject::Programme(_)) {
            self.control_version = self.control_version.saturating_add(1);
        }
    }

    fn flush_usage(&mut self, moves: &Moves) {
        let removed = &moves.removed_controls;
        self.usage.retain(|(id, ..), old| removed.get(id).is_none_or(|seq| old.as_of >= *seq));
        let is_known =
            |id: &ControlId| id.shard() == ShardId::CONTROL || self.spend_controls.contains_key(id);
        let known = moves.usage.iter().filter(|((control, _), _)| is_known(control));
        let known: Vec<_> = known.collect();
        for ((control, holder), moved) in known {
            self.usage.retain(|(id, who, part), old| {
                let ours = id == control && who == holder;
                !ours || *part >= moved.oldest || old.as_of >= moved.seq
            });
            for (part, (used, made)) in &moved.parts {
                let key = (*control, *holder, *part);
                let none = || AsOf { row: Used::default(), as_of: Seq::NONE };
                if *made {
                    self.usage.entry(key).or_insert_with(none);
                }
                let old = self.usage.get_mut(&key).filter(|old| old.as_of < moved.seq);
                if let Some(old) = old {
                    old.row = old.row.plus(*used);
                    old.as_of = moved.seq;
                }
            }
        }
    }

    fn authorize(&mut self, record: &Record, made: &Authorized) {
        let row = Authorization {
            id: made.id,
            facts: made.facts,
            card: made.card,
            balance: made.balance,
            pool: made.pool,
            currency: made.requested.currency,
            requested: made.requested.minor,
            portion: made.portion.clone(),
            reason: made.reason,
            answered: made.answered,
            approval_code: made.approval_code,
            stand_in: made.stand_in,
            completes: made.completes,
            conversion: made.conversion.clone(),
            counted: record.effects.counted(),
            totals: Totals::default(),
            fees: None,
            decided_at: record.at,
            closed: !made.holds(),
        };
        self.authorizations.insert(row.id, row);
    }

    fn reverse(&mut self, record: &Record, one: &Reversed) {
        if record.effects.authorization.is_none() {
            self.gave_nothing.insert(one.id);
        }
        self.reversals.push(AnsweredReversal {
            id: one.id,
            key: one.key,
            reference: one.reference,
            original: one.original,
            standing: one.standing,
            reason: one.reason,
            decided_at: record.at,
        });
    }

    fn receive(&mut self, one: &TransferReceived) {
        let source = one.transfer.id.shard();
        for (id, (_, settled)) in &mut self.received {
            *settled |= id.shard() == source && *id < one.settled_below;
        }
        self.received.insert(one.transfer.id, (one.outcome, false));
    }

    fn void(&mut self, voided: &Voided) {
        if let Some(row) = self.authorizations.get_mut(&voided.authorization) {
            row.reason = voided.reason;
            row.answered = None;
            row.approval_code = None;
            row.closed = true;
        }
    }

    fn totals(&mut self, delta: AuthorizationDelta) {
        if let Some(row) = self.authorizations.get_mut(&delta.authorization) {
            row.totals = row.totals.checked_add(delta.totals).unwrap_or(row.totals);
            row.closed |= delta.closes;
        }
    }
}

/// The identifier that an event minted.
fn made(event: &Event) -> Option<i64> {
    match event {
        Event::PartnerDefined(one) => Some(one.id.0),
        Event::PoolDefined(one) => Some(one.id.0),
        Event::ProgrammeDefined(one) => Some(one.id.0),
        Event::BalanceOpened(one) => Some(one.balance.0),
        Event::CardIssued(one) => Some(one.card.0),
        Event::Authorized(one) => Some(one.id.0),
        Event::Reversed(one) => Some(one.id.0),
        Event::TransferSent(one) => Some(one.id.0),
        Event::ControlDefined(one) => Some(one.id.0),
        _ => None,
    }
}
