//! What moved since rows were last flushed: amounts of balances, shares of pools, approvals of
//! cards (W-23). It owns the sums, taken from records as they stand (W-8); it reads no table.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use switch_domain::{
    BalanceId, CardCounters, CardId, ControlId, Event, MinorUnits, Part, PartnerId, PoolId,
    PoolShare, Record, Seq, UsageDelta, Used,
};

use super::events::subject;

/// Change of one balance's amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BalanceMove {
    /// Added to the ledger amount.
    pub ledger: MinorUnits,
    /// Added to the held amount.
    pub held: MinorUnits,
    /// The last journal row that it comes from.
    pub seq: Seq,
}

/// Change of one shard's share of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareMove {
    /// Added to the share.
    pub added: PoolShare,
    /// Whose pool it is, where a record says so.
    pub partner: Option<PartnerId>,
    /// The last journal row that it comes from.
    pub seq: Seq,
}

/// A card's count of approvals, which never falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardMove {
    /// The count afterwards.
    pub approvals: u32,
    /// The journal row that it comes from.
    pub seq: Seq,
}

/// What is counted of a card, whole: none of it ever falls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterMove {
    /// From that row on.
    pub counters: CardCounters,
    /// The journal row that it comes from.
    pub seq: Seq,
}

/// What was used of one control by one holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageMove {
    /// By part, what is added, and whether the part is made where it is not there: what is given
    /// back to a part that was forgotten is nobody's.
    pub parts: BTreeMap<Part, (Used, bool)>,
    /// What is older is forgotten.
    pub oldest: Part,
    /// The last journal row that it comes from.
    pub seq: Seq,
}

/// Everything that moved in a run of journal rows, folded so that each row is written once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// Balances.
    pub balances: FxHashMap<BalanceId, BalanceMove>,
    /// Shares of pools.
    pub shares: BTreeMap<PoolId, ShareMove>,
    /// Cards.
    pub cards: FxHashMap<CardId, CardMove>,
    /// What is counted of cards.
    pub counters: BTreeMap<CardId, CounterMove>,
    /// What was used of limits, by control and holder.
    pub usage: BTreeMap<(ControlId, i64), UsageMove>,
    /// Controls that are no more, by the journal row that says so: what was used of them goes.
    pub removed_controls: BTreeMap<ControlId, Seq>,
}

/// The sum of two deltas of one row. It cannot pass an i64 where the row itself does not.
const fn sum(one: MinorUnits, other: MinorUnits) -> MinorUnits {
    MinorUnits(one.0.saturating_add(other.0))
}

impl Moves {
    /// True when nothing moved.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { balances, shares, cards, counters, usage, removed_controls } = self;
        let controls = usage.is_empty() && removed_controls.is_empty();
        controls
            && counters.is_empty()
            && balances.is_empty()
            && shares.is_empty()
            && cards.is_empty()
    }

    /// Rows to be written.
    #[must_use]
    pub fn rows(&self) -> usize {
        let Self { balances, shares, cards, counters, usage, removed_controls } = self;
        let parts = usage.values().map(|one| one.parts.len());
        let cards = cards.len().saturating_add(counters.len());
        let rows = [balances.len(), shares.len(), cards, removed_controls.len()];
        let rows = rows.into_iter().chain(parts);
        rows.fold(0, usize::saturating_add)
    }

    /// Adds a journal row.
    pub fn add(&mut self, seq: Seq, records: &[Record]) {
        for record in records {
            self.add_record(seq, record);
        }
    }

    fn add_record(&mut self, seq: Seq, record: &Record) {
        let effects = &record.effects;
        if let Some(delta) = effects.balance
            && !(delta.ledger.is_zero() && delta.held.is_zero())
        {
            let (ledger, held) = (MinorUnits::ZERO, MinorUnits::ZERO);
            let none = BalanceMove { ledger, held, seq };
            let moved = self.balances.entry(delta.balance).or_insert(none);
            moved.ledger = sum(moved.ledger, delta.ledger);
            moved.held = sum(moved.held, delta.held);
            moved.seq = seq;
        }
        if let Some(delta) = effects.pool {
            let none = ShareMove { added: PoolShare::default(), partner: None, seq };
            let moved = self.shares.entry(delta.pool).or_insert(none);
            moved.added.level = sum(moved.added.level, delta.level);
            moved.added.held = sum(moved.added.held, delta.held);
            moved.partner = moved.partner.or_else(|| subject(record).partner);
            moved.seq = seq;
        }
        for delta in &effects.usage {
            self.add_usage(seq, delta);
        }
        if let Some(effect) = &effects.counters {
            let counters = effect.counters.clone();
            self.counters.insert(effect.card, CounterMove { counters, seq });
        }
        // A removed control takes what was used of it along.
        if let Event::ControlRemoved { control, .. } = &record.event {
            self.usage.retain(|(id, _), _| id != control);
            self.removed_controls.insert(*control, seq);
        }
        // A decline leaves the card's count as it was, and so does an advice, whatever code was
        // given in our stead: its row need not be written.
        if let Event::Authorized(authorized) = &record.event
            && let Some(card) = authorized.card.filter(|_| authorized.reason.is_approval())
        {
            let moved = self.cards.entry(card).or_insert(CardMove { approvals: 0, seq });
            moved.approvals = moved.approvals.max(authorized.approvals);
            moved.seq = seq;
        }
    }

    fn add_usage(&mut self, seq: Seq, delta: &UsageDelta) {
        let key = (delta.counted.control, delta.counted.holder);
        let none = UsageMove { parts: BTreeMap::new(), oldest: Part(i64::MIN), seq };
        let moved = self.usage.entry(key).or_insert(none);
        if let Some(oldest) = delta.oldest {
            moved.oldest = moved.oldest.max(oldest);
            moved.parts.retain(|part, _| *part >= oldest);
        }
        moved.seq = seq;
        let part = delta.counted.part;
        if part >= moved.oldest {
            let (used, made) = moved.parts.entry(part).or_default();
            *used = used.plus(Used { amount: delta.amount, count: delta.count });
            *made |= delta.oldest.is_some();
        }
    }
}
