//! What a run of journal rows does to the tables, folded so that each table row is written once. It
//! takes records as they stand (W-8): it reads no table and re-checks nothing.

use std::collections::BTreeMap;

use switch_domain::{
    AuthorizationId, Authorized, BalanceDelta, BalanceId, BalanceOpened, BalanceState, CardId,
    CardIssued, CardStatus, CustomerId, CustomerState, Event, LockCode, MinorUnits, Partner,
    PartnerId, Pool, PoolId, PoolShare, Programme, ProgrammeId, Reason, Record, Seq, ShardId,
    Timestamp, Totals,
};

use super::columns::Place;
use super::events::subject;
use super::history::History;

/// A change of a row, and the last journal row that it comes from.
#[derive(Debug)]
pub(super) struct Change<T> {
    pub(super) what: T,
    pub(super) seq: i64,
}

/// A balance; sums of deltas, so that the row is written once.
#[derive(Debug, Default)]
pub(super) struct BalanceChange {
    pub(super) opened: Option<BalanceOpened>,
    pub(super) state: Option<BalanceState>,
    pub(super) ledger: i64,
    pub(super) held: i64,
}

/// A card.
#[derive(Debug, Default)]
pub(super) struct CardChange {
    pub(super) issued: Option<CardIssued>,
    pub(super) status: Option<CardStatus>,
    /// Outer: whether the lock changed. Inner: the lock from then on.
    pub(super) lock: Option<Option<LockCode>>,
    /// Its count of approvals afterwards; 0 where unchanged, as the count never falls.
    pub(super) approvals: u32,
}

/// An authorization.
#[derive(Debug, Default)]
pub(super) struct AuthorizationChange {
    pub(super) made: Option<(Authorized, Timestamp)>,
    pub(super) totals: Totals,
    pub(super) closes: bool,
    pub(super) voided: Option<Reason>,
}

/// A share of a pool.
#[derive(Debug, Default)]
pub(super) struct ShareChange {
    pub(super) added: PoolShare,
    pub(super) partner: Option<PartnerId>,
}

type Changes<K, T> = BTreeMap<K, Change<T>>;

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
    pub(super) authorizations: Changes<AuthorizationId, AuthorizationChange>,
    pub(super) shares: Changes<PoolId, ShareChange>,
}

/// The change of one row, noted as of `seq`.
fn of<K: Ord, T: Default>(changes: &mut Changes<K, T>, key: K, seq: Seq) -> &mut T {
    let change = changes.entry(key).or_insert_with(|| Change { what: T::default(), seq: seq.0 });
    change.seq = seq.0;
    &mut change.what
}

/// The sum of two deltas of one row. It cannot pass an i64 where the row itself does not.
fn add(sum: &mut i64, delta: MinorUnits) {
    *sum = sum.saturating_add(delta.0);
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
            authorizations: BTreeMap::new(),
            shares: BTreeMap::new(),
        }
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
            self.effects(seq, record);
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
            Event::PoolDefined(pool) => {
                *of(&mut self.pools, pool.id, seq) = Some(pool.clone());
                self.control_changes = self.control_changes.saturating_add(1);
            }
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
            Event::Authorized(authorized) => self.authorized(seq, record, authorized),
            Event::Voided(voided) => {
                of(&mut self.authorizations, voided.authorization, seq).voided =
                    Some(voided.reason);
            }
            Event::TakenOver(_)
            | Event::PoolReloaded { .. }
            | Event::BalanceCredited { .. }
            | Event::Reversed(_) => {}
        }
    }

    fn authorized(&mut self, seq: Seq, record: &Record, authorized: &Authorized) {
        of(&mut self.authorizations, authorized.id, seq).made =
            Some((authorized.clone(), record.at));
        // A decline leaves the card's count as it was: its row need not be written.
        if let Some(card) = authorized.card.filter(|_| authorized.approval_code.is_some()) {
            let change = of(&mut self.cards, card, seq);
            change.approvals = change.approvals.max(authorized.approvals);
        }
    }

    fn effects(&mut self, seq: Seq, record: &Record) {
        if let Some(delta) = record.effects.authorization {
            let change = of(&mut self.authorizations, delta.authorization, seq);
            // As with deltas of balances, the sum stays in range where the row does.
            change.totals = change.totals.checked_add(delta.totals).unwrap_or(change.totals);
            change.closes |= delta.closes;
        }
        if let Some(delta) = record.effects.balance.filter(moves_money) {
            let change = of(&mut self.balances, delta.balance, seq);
            add(&mut change.ledger, delta.ledger);
            add(&mut change.held, delta.held);
        }
        if let Some(delta) = record.effects.pool {
            let partner = subject(record).partner;
            let change = of(&mut self.shares, delta.pool, seq);
            add(&mut change.added.level.0, delta.level);
            add(&mut change.added.held.0, delta.held);
            change.partner = change.partner.or(partner);
        }
    }
}

fn moves_money(delta: &BalanceDelta) -> bool {
    !delta.ledger.is_zero() || !delta.held.is_zero()
}
