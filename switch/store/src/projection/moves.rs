//! What moved since rows were last flushed: amounts of balances, shares of pools, approvals of
//! cards (W-23). It owns the sums, taken from records as they stand (W-8); it reads no table.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use switch_domain::{
    BalanceId, CardId, Event, MinorUnits, PartnerId, PoolId, PoolShare, Record, Seq,
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

/// Everything that moved in a run of journal rows, folded so that each row is written once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// Balances.
    pub balances: FxHashMap<BalanceId, BalanceMove>,
    /// Shares of pools.
    pub shares: BTreeMap<PoolId, ShareMove>,
    /// Cards.
    pub cards: FxHashMap<CardId, CardMove>,
}

/// The sum of two deltas of one row. It cannot pass an i64 where the row itself does not.
const fn sum(one: MinorUnits, other: MinorUnits) -> MinorUnits {
    MinorUnits(one.0.saturating_add(other.0))
}

impl Moves {
    /// True when nothing moved.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.balances.is_empty() && self.shares.is_empty() && self.cards.is_empty()
    }

    /// Rows to be written.
    #[must_use]
    pub fn rows(&self) -> usize {
        let Self { balances, shares, cards } = self;
        balances.len().saturating_add(shares.len()).saturating_add(cards.len())
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
}
