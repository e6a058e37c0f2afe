//! What a record does to money: deltas of an account, of a pool's share, and postings. It owns the
//! rule which part of a delta restricts and which relaxes (W-14); it knows nothing of why.

use crate::{
    AuthorizationId, BalanceId, Counted, CounterEffect, Currency, FeeEffect, FeeTotals, MinorUnits,
    PartnerId, PoolId, Timestamp, Totals, UsageDelta,
};

/// Change of an account's two amounts, in minor units of its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BalanceDelta {
    /// The account.
    pub balance: BalanceId,
    /// Added to the ledger amount.
    pub ledger: MinorUnits,
    /// Added to the held amount.
    pub held: MinorUnits,
}

/// Change of this shard's share of a pool, in minor units of its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolDelta {
    /// The pool.
    pub pool: PoolId,
    /// Added to the share's level.
    pub level: MinorUnits,
    /// Added to the share's held amount.
    pub held: MinorUnits,
}

/// Change of one authorization's running totals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthorizationDelta {
    /// The authorization.
    pub authorization: AuthorizationId,
    /// When it was decided: with its name, the key of its row.
    pub decided_at: Timestamp,
    /// Added to its totals, each by itself.
    pub totals: Totals,
    /// True where this ends it: nothing is held from then on.
    pub closes: bool,
}

/// What one shard contributed to a pool. Single shares may be negative; their sum is the pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolShare {
    /// Reloads less what was spent, through this shard.
    pub level: MinorUnits,
    /// Open holds, through this shard; never negative.
    pub held: MinorUnits,
}

impl PoolShare {
    /// What this share adds to the pool's available amount.
    #[must_use]
    pub const fn available(&self) -> MinorUnits {
        MinorUnits(self.level.0.saturating_sub(self.held.0))
    }
}

/// Where a posting goes: the chart of accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// A customer's account: what is owed to the customer.
    Balance(BalanceId),
    /// A partner's pool: what is owed to the partner.
    Pool(PoolId),
    /// The issuer's own bank account for this partner: where reloads come from.
    SettlementBank(PartnerId),
    /// Contra of customers' memorandum balances, where the partner itself holds their money.
    Memorandum(PartnerId),
    /// What is on its way between two accounts of this partner: the sum of its open transfers.
    InTransit(PartnerId),
    /// What is owed to the networks for this partner's cards: settled and not yet paid.
    NetworkSettlement(PartnerId),
    /// What was earned by fees from this partner's customers.
    FeeIncome(PartnerId),
}

/// One leg of a double entry: positive raises what is owed to the account's holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Where.
    pub account: Account,
    /// How much, in minor units.
    pub amount: MinorUnits,
    /// Of what. The legs of one record sum to zero in each currency.
    pub currency: Currency,
}

/// All that a record does to money. Replay and projection apply it as it stands (W-8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Change of one authorization's totals.
    pub authorization: Option<AuthorizationDelta>,
    /// Change of the totals of the authorization that this one completes. Apart, because few do and
    /// every record has room for it.
    pub completed: Option<Box<AuthorizationDelta>>,
    /// Change of one account.
    pub balance: Option<BalanceDelta>,
    /// Change of one pool's share.
    pub pool: Option<PoolDelta>,
    /// Double entry of settled movements; empty for holds.
    pub postings: Vec<Posting>,
    /// What counts towards limits.
    pub usage: Vec<UsageDelta>,
    /// What it does to the counters of a card, and to its lock. Apart, because few do anything.
    pub counters: Option<Box<CounterEffect>>,
    /// What it does to the fees of purchases: what is held or posted of them is in the deltas above
    /// and in the postings. Apart, because programmes without a schedule have none.
    pub fees: Option<Box<FeeEffect>>,
}

impl Effects {
    /// The changes of authorizations' totals: its own or its original's first.
    pub fn of_authorizations(&self) -> impl Iterator<Item = AuthorizationDelta> + '_ {
        self.authorization.into_iter().chain(self.completed.as_deref().copied())
    }

    /// The changes of authorizations' fees, in the same order: none where no fee changes.
    pub fn of_fees(&self) -> impl Iterator<Item = (AuthorizationDelta, FeeTotals)> + '_ {
        self.fees.iter().flat_map(|fees| {
            let own = self.authorization.map(|delta| (delta, fees.own));
            let completed = self.completed.as_deref().map(|delta| (*delta, fees.completed));
            own.into_iter().chain(completed).filter(|(_, fees)| !fees.is_zero())
        })
    }

    /// Where the authorization that the record makes counts towards limits; `None` where nowhere.
    #[must_use]
    pub fn counted(&self) -> Option<Box<[Counted]>> {
        let begins = self.usage.iter().filter(|delta| delta.oldest.is_some());
        let counted: Box<[Counted]> = begins.map(|delta| delta.counted).collect();
        (!counted.is_empty()).then_some(counted)
    }
}

/// Splits an amount pair into the part that lowers what is available and the part that raises it.
const fn restricts(level: MinorUnits, held: MinorUnits) -> ((i64, i64), (i64, i64)) {
    let (down, up) = if level.0 < 0 { (level.0, 0) } else { (0, level.0) };
    let (hold, release) = if held.0 > 0 { (held.0, 0) } else { (0, held.0) };
    ((down, hold), (up, release))
}

impl BalanceDelta {
    /// The part that counts when decided, and the part that counts when committed (W-14).
    #[must_use]
    pub const fn split(self) -> (Self, Self) {
        let ((down, hold), (up, release)) = restricts(self.ledger, self.held);
        (
            Self { balance: self.balance, ledger: MinorUnits(down), held: MinorUnits(hold) },
            Self { balance: self.balance, ledger: MinorUnits(up), held: MinorUnits(release) },
        )
    }
}

impl PoolDelta {
    /// The part that counts when decided, and the part that counts when committed (W-14).
    #[must_use]
    pub const fn split(self) -> (Self, Self) {
        let ((down, hold), (up, release)) = restricts(self.level, self.held);
        (
            Self { pool: self.pool, level: MinorUnits(down), held: MinorUnits(hold) },
            Self { pool: self.pool, level: MinorUnits(up), held: MinorUnits(release) },
        )
    }

    /// What it adds to the pool's available amount.
    #[must_use]
    pub const fn available(self) -> i64 {
        self.level.0.saturating_sub(self.held.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_restricts_is_told_from_what_relaxes_and_nothing_is_lost() {
        let pool = PoolId(1);
        for (level, held) in [(5, 0), (-5, 0), (0, 7), (0, -7), (-5, -5), (5, 5), (0, 0)] {
            let whole = PoolDelta { pool, level: MinorUnits(level), held: MinorUnits(held) };
            let (decided, committed) = whole.split();
            assert!(decided.available() <= 0 && committed.available() >= 0);
            assert_eq!(decided.level.0 + committed.level.0, level);
            assert_eq!(decided.held.0 + committed.held.0, held);
        }
    }
}
