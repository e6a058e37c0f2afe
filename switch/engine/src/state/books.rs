//! Checks a shard's own books: what is held is what open authorizations hold, fees included. It
//! owns the sums; the check of pools over all shards and of the tables is made by those who see
//! them all.

use std::collections::BTreeMap;

use switch_domain::{BalanceId, Counted, PoolId, Used};

use super::State;

/// One figure that does not follow from the others.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: the books say {stated}, its parts add up to {computed}")]
pub struct BookFault {
    /// Which figure, with the row it stands in.
    pub what: String,
    /// What it says.
    pub stated: i64,
    /// What its parts add up to.
    pub computed: i64,
}

impl State {
    /// Every figure of this shard that does not add up; empty when the books balance. Meant for a
    /// state at rest: between decision and commit a release is still counted as held. Where older
    /// authorizations were let go, at least what the others hold must be held: the exact sums are
    /// those of the tables.
    #[must_use]
    pub fn books(&self) -> Vec<BookFault> {
        let mut by_balance: BTreeMap<BalanceId, i64> = BTreeMap::new();
        let mut by_pool: BTreeMap<PoolId, i64> = BTreeMap::new();
        for authorization in self.messages.authorizations() {
            let held = authorization.held().0;
            if let Some(balance) = authorization.balance {
                let sum = by_balance.entry(balance).or_default();
                let held_too = !authorization.closed;
                let fees = if held_too { authorization.fee_totals().held.0 } else { 0 };
                *sum = sum.saturating_add(held).saturating_add(fees);
            }
            if let Some(pool) = authorization.pool {
                let sum = by_pool.entry(pool).or_default();
                *sum = sum.saturating_add(held);
            }
        }
        let mut faults = Vec::new();
        let complete = self.messages.is_complete();
        for balance in self.balances.values() {
            let computed = by_balance.remove(&balance.id).unwrap_or_default();
            let what = || format!("held on balance {}", balance.id);
            check(&mut faults, complete, what, balance.held.0, computed);
        }
        for (pool, share) in &self.shares {
            let computed = by_pool.remove(pool).unwrap_or_default();
            let what = || format!("held of pool {pool} by shard {}", self.shard);
            check(&mut faults, complete, what, share.held.0, computed);
        }
        for (balance, computed) in by_balance {
            let what = || format!("held on missing balance {balance}");
            check(&mut faults, complete, what, 0, computed);
        }
        for (pool, computed) in by_pool {
            let what = || format!("held of missing pool share {pool}");
            check(&mut faults, complete, what, 0, computed);
        }
        self.books_of_usage(complete, &mut faults);
        faults
    }

    /// What was used of limits is what the authorizations say that count towards them, in the parts
    /// that still do.
    fn books_of_usage(&self, complete: bool, faults: &mut Vec<BookFault>) {
        let mut computed: BTreeMap<Counted, Used> = BTreeMap::new();
        for one in self.messages.authorizations() {
            let amount = one.totals.used(one.closed);
            let used = Used { amount, count: i32::from(amount.is_positive()) };
            for at in one.counted.iter().flatten() {
                let sum = computed.entry(*at).or_default();
                *sum = sum.plus(used);
            }
        }
        for ((control, holder), usage) in &self.spending.usage {
            for (part, used) in usage.parts() {
                let at = Counted { control: *control, holder: *holder, part: *part };
                let found = computed.get(&at).copied().unwrap_or_default();
                let what = || format!("amount used of {at:?}");
                check(faults, complete, what, used.amount.0, found.amount.0);
                let what = || format!("count used of {at:?}");
                check(faults, complete, what, used.count.into(), found.count.into());
            }
        }
    }
}

fn check(
    faults: &mut Vec<BookFault>,
    complete: bool,
    what: impl FnOnce() -> String,
    stated: i64,
    computed: i64,
) {
    if stated < computed || (complete && stated != computed) {
        faults.push(BookFault { what: what(), stated, computed });
    }
}
