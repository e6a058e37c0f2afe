//! What a run of journal rows does to the tables, folded so that each table row is written once. It
//! takes records as they stand (W-8): it reads no table and re-checks nothing.

use std::collections::BTreeMap;

use switch_domain::{
    AuthorizationId, BalanceId, BalanceOpened, BalanceState, CardId, CardIssued, CardReferences,
    CardStatus, ControlId, ControlSubject, Currency, CustomerId, CustomerState, Event,
    ExchangeRate, Expiry, FeeSchedule, FeeTotals, LockCode, Partner, PartnerId, Pool, PoolId,
    Programme, ProgrammeId, Reason, Record, Seq, ShardId, SpendControl, Timestamp, Totals,
    Transfer, TransferId, TransferOutcome, TransferReceived,
};

use super::authorizations::NewAuthorizations;
use super::columns::Place;
use super::events::subject;
use super::history::History;

/// A change of a row, and the last journal row that it comes from.
#[derive(Debug)]
pub(super) struct Change<T> {
    pub(super) what: T,
    pub(super) seq: i64,
}

/// What seldom changes of a balance. Its amounts move: see `moves`.
#[derive(Debug, Default)]
pub(super) struct BalanceChange {
    pub(super) opened: Option<BalanceOpened>,
    pub(super) state: Option<BalanceState>,
}

/// What seldom changes of a card. Its count of approvals moves: see `moves`.
#[derive(Debug, Default)]
pub(super) struct CardChange {
    pub(super) issued: Option<CardIssued>,
    pub(super) status: Option<CardStatus>,
    /// Outer: whether the lock changed. Inner: the lock from then on.
    pub(super) lock: Option<Option<LockCode>>,
    /// What its values are compared with from then on.
    pub(super) references: Option<Box<CardReferences>>,
    /// Its month from then on.
    pub(super) expiry: Option<Expiry>,
}

/// What happened to an authorization after the record that made it.
#[derive(Debug, Default)]
pub(super) struct AuthorizationChange {
    pub(super) decided_at: Timestamp,
    pub(super) totals: Totals,
    /// `None` where none changed.
    pub(super) fees: Option<FeeTotals>,
    pub(super) closes: bool,
    pub(super) voided: Option<Reason>,
}

/// What became of a transfer, in the shard of the account that pays.
#[derive(Debug, Default)]
pub(super) struct TransferChange {
    pub(super) sent: Option<(Transfer, Timestamp)>,
    pub(super) outcome: Option<TransferOutcome>,
}

pub(super) type Changes<K, T> = BTreeMap<K, Change<T>>;

/// Everything that a run of journal rows does.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) shard: ShardId,
    /// The row before the first.
    pub(super) after: Seq,
    /// The last row.
    pub(super) last: Seq,
    pub(super) records: usize,
    pub(super) last_counter: u64,
    pub(super) last_decided: Timestamp,
    pub(super) control_changes: i64,
    pub(super) history: History,
    pub(super) partners: Changes<PartnerId, Option<Partner>>,
    pub(super) pools: Changes<PoolId, Option<Pool>>,
    pub(super) programmes: Changes<ProgrammeId, Option<Programme>>,
    pub(super) balances: Changes<BalanceId, BalanceChange>,
    pub(super) customers: Changes<CustomerId, Option<CustomerState>>,
    pub(super) cards: Changes<CardId, CardChange>,
    /// As each is from then on; `None` where it is no more.
    pub(super) spend_controls: Changes<ControlId, Option<SpendControl>>,
    /// The same.
    pub(super) rates: Changes<(Currency, Currency), Option<ExchangeRate>>,
    /// The same.
    pub(super) fees: Changes<ProgrammeId, Option<Box<FeeSchedule>>>,
    pub(super) authorizations: NewAuthorizations,
    pub(super) changed: Changes<AuthorizationId, AuthorizationChange>,
    pub(super) transfers: Changes<TransferId, TransferChange>,
    pub(super) received: Changes<TransferId, Option<TransferReceived>>,
}

/// The change of one row, noted as of `seq`.
fn of<K: Ord, T: Default>(changes: &mut Changes<K, T>, key: K, seq: Seq) -> &mut T {
    let change = changes.entry(key).or_insert_with(|| Change { what: T::default(), seq: seq.0 });
    change.seq = seq.0;
    &mut change.what
}

impl Chunk {
    /// Nothing yet, behind row `after`.
    pub(super) fn new(shard: ShardId, after: Seq) -> Self {
        Self {
            shard,
            after,
            last: after,
            records: 0,
            last_counter: 0,
            last_decided: Timestamp::default(),
            control_changes: 0,
            history: History::new(),
            partners: BTreeMap::new(),
            pools: BTreeMap::new(),
            programmes: BTreeMap::new(),
            balances: BTreeMap::new(),
            customers: BTreeMap::new(),
            cards: BTreeMap::new(),
            spend_controls: BTreeMap::new(),
            rates: BTreeMap::new(),
            fees: BTreeMap::new(),
            authorizations: NewAuthorizations::new(),
            changed: BTreeMap::new(),
            transfers: BTreeMap::new(),
            received: BTreeMap::new(),
        }
    }

    /// Nothing again, behind row `after` of the same shard, in the room of what was there.
    pub(super) fn restart(&mut self, after: Seq) {
        let empty = Self::new(self.shard, after);
        let Self { mut history, mut authorizations, .. } = std::mem::replace(self, empty);
        history.clear();
        authorizations.0.clear();
        self.history = history;
        self.authorizations = authorizations;
    }

    /// Adds a journal row.
    pub(super) fn add_row(&mut self, seq: Seq, records: &[Record]) {
        let mut postings = 0_i32;
        for (idx, record) in (0_i32..).zip(records) {
            let place = Place { shard: i32::from(self.shard.0), seq: seq.0, idx, at: record.at };
            self.history.add(place, record, postings);
            let legs = i32::try_from(record.effects.postings.len()).unwrap_or(i32::MAX);
            postings = postings.saturating_add(legs);
            self.last_decided = self.last_decided.max(record.at);
            self.note_counter(record);
            self.event(seq, record);
            self.lock(seq, record);
            self.totals(seq, record);
        }
        self.records = self.records.saturating_add(records.len());
        self.last = seq;
    }

    /// The highest counter that the shard has minted (W-16).
    fn note_counter(&mut self, record: &Record) {
        let made = subject(record).made.map(AuthorizationId);
        let ours = made.filter(|id| id.shard() == self.shard);
        self.last_counter = self.last_counter.max(ours.map_or(0, AuthorizationId::counter));
    }

    fn event(&mut self, seq: Seq, record: &Record) {
        match &record.event {
            Event::PartnerDefined(partner) => {
                *of(&mut self.partners, partner.id, seq) = Some(partner.clone());
                self.control_changes = self.control_changes.saturating_add(1);
            }
            Event::PoolDefined(pool) => self.define_pool(seq, pool),
            Event::ProgrammeDefined(programme) => {
                *of(&mut self.programmes, programme.id, seq) = Some(programme.clone());
                self.control_changes = self.control_changes.saturating_add(1);
            }
            Event::BalanceOpened(opened) => {
                of(&mut self.balances, opened.balance, seq).opened = Some(opened.clone());
            }
            Event::BalanceStateChanged { balance, state } => {
                of(&mut self.balances, *balance, seq).state = Some(*state);
            }
            Event::CustomerStateChanged { customer, state } => {
                *of(&mut self.customers, *customer, seq) = Some(*state);
            }
            Event::CardIssued(issued) => {
                of(&mut self.cards, issued.card, seq).issued = Some(issued.clone());
            }
            Event::CardStatusChanged { card, status } => {
                of(&mut self.cards, *card, seq).status = Some(*status);
            }
            Event::CardLockChanged { card, lock } => {
                of(&mut self.cards, *card, seq).lock = Some(*lock);
            }
            Event::CardReferencesChanged { card, references } => {
                of(&mut self.cards, *card, seq).references = Some(references.clone());
            }
            Event::CardRenewed { .. } => self.renew(seq, &record.event),
            Event::ControlDefined(control) => {
                self.control_changed(control.terms.subject);
                *of(&mut self.spend_controls, control.id, seq) = Some((**control).clone());
            }
            Event::ControlRemoved { control, subject } => {
                self.remove_control(seq, *control, *subject);
            }
            Event::RateSet(rate) => self.rate(seq, (rate.from, rate.to), Some(**rate)),
            Event::RateRemoved { from, to } => self.rate(seq, (*from, *to), None),
            Event::FeesSet { programme, schedule } => {
                self.set_fees(seq, *programme, schedule.as_deref());
            }
            Event::Authorized(authorized) => self.authorizations.add(seq, record, authorized),
            Event::Voided(voided) => {
                of(&mut self.changed, voided.authorization, seq).voided = Some(voided.reason);
            }
            Event::TransferSent(one) => {
                of(&mut self.transfers, one.id, seq).sent = Some((one.clone(), record.at));
            }
            Event::TransferClosed { transfer, outcome, .. } => {
                of(&mut self.transfers, *transfer, seq).outcome = Some(*outcome);
            }
            Event::TransferReceived(one) => self.receive(seq, one),
            // A resharding moves its rows itself, in the transaction of these records.
            Event::Sealed(_)
            | Event::Founded(_)
            | Event::Inherited(_)
            | Event::TakenOver(_)
            | Event::NothingChanged
            | Event::LockRefused { .. }
            | Event::PoolReloaded { .. }
            | Event::BalanceCredited { .. }
            | Event::FeeCharged(_)
            | Event::Reversed(_)
            | Event::Expired(_) => {}
        }
    }

    fn renew(&mut self, seq: Seq, event: &Event) {
        let Event::CardRenewed { card, expiry, references } = event else { return };
        let change = of(&mut self.cards, *card, seq);
        (change.expiry, change.references) = (Some(*expiry), Some(references.clone()));
    }

    fn receive(&mut self, seq: Seq, one: &TransferReceived) {
        *of(&mut self.received, one.transfer.id, seq) = Some(one.clone());
    }

    fn define_pool(&mut self, seq: Seq, pool: &Pool) {
        *of(&mut self.pools, pool.id, seq) = Some(pool.clone());
        self.control_changes = self.control_changes.saturating_add(1);
    }

    fn remove_control(&mut self, seq: Seq, control: ControlId, subject: ControlSubject) {
        self.control_changed(subject);
        *of(&mut self.spend_controls, control, seq) = None;
    }

    fn set_fees(&mut self, seq: Seq, id: ProgrammeId, schedule: Option<&FeeSchedule>) {
        self.control_changes = self.control_changes.saturating_add(1);
        *of(&mut self.fees, id, seq) = schedule.cloned().map(Box::new);
    }

    fn rate(&mut self, seq: Seq, pair: (Currency, Currency), rate: Option<ExchangeRate>) {
        self.control_changes = self.control_changes.saturating_add(1);
        *of(&mut self.rates, pair, seq) = rate;
    }

    /// What every shard sees is counted: it is a version of theirs.
    const fn control_changed(&mut self, subject: ControlSubject) {
        if let ControlSubject::Programme(_) = subject {
            self.control_changes = self.control_changes.saturating_add(1);
        }
    }

    /// A message locks the card whose PIN it had wrong once too often: no other lock is there.
    fn lock(&mut self, seq: Seq, record: &Record) {
        let locks = record.effects.counters.as_ref().filter(|effect| effect.locks);
        if let Some(effect) = locks {
            let lock = LockCode::PinTriesExceeded;
            of(&mut self.cards, effect.card, seq).lock = Some(Some(lock));
        }
    }

    /// Totals that a record adds to an authorization which another record made. Those that it adds
    /// to its own stand in the new row.
    fn totals(&mut self, seq: Seq, record: &Record) {
        let own = match &record.event {
            Event::Authorized(made) => Some(made.id),
            _ => None,
        };
        let deltas = record.effects.of_authorizations();
        for delta in deltas.filter(|delta| Some(delta.authorization) != own) {
            let change = of(&mut self.changed, delta.authorization, seq);
            change.decided_at = delta.decided_at;
            // As with deltas of balances, the sum stays in range where the row does.
            change.totals = change.totals.checked_add(delta.totals).unwrap_or(change.totals);
            change.closes |= delta.closes;
        }
        let fees = record.effects.of_fees();
        for (delta, fees) in fees.filter(|(delta, _)| Some(delta.authorization) != own) {
            let change = of(&mut self.changed, delta.authorization, seq);
            let before = change.fees.unwrap_or_default();
            change.fees = Some(before.checked_add(fees).unwrap_or(before));
        }
    }
}
