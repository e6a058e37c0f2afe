//! What partners' pools have left, over all shards: one atomic counter each. It admits; it is not
//! the books: what a shard took stands in that shard's own journal (W-15).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use dashmap::DashMap;
use switch_domain::{MinorUnits, PoolId};
use switch_engine::{Headroom, PoolTake};

/// The live levels of all pools of the node.
#[derive(Debug, Default)]
pub(crate) struct Pools {
    available: DashMap<PoolId, Arc<AtomicI64>>,
}

impl Pools {
    /// Takes what an outcome asks for, if that much is left. Another shard may be faster.
    pub(crate) fn take(&self, take: PoolTake) -> bool {
        let level = self.level(take.pool);
        let taken = level.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| {
            left.checked_sub(take.amount.0).filter(|_| take.is_there(MinorUnits(left)))
        });
        taken.is_ok()
    }

    /// Takes what an outcome asks for whatever is left: below zero where need be.
    pub(crate) fn owe(&self, take: PoolTake) {
        self.level(take.pool).fetch_sub(take.amount.0, Ordering::AcqRel);
    }

    /// Gives back, or adds, at commit. A negative amount takes without asking: replay does that.
    pub(crate) fn give(&self, pool: PoolId, amount: MinorUnits) {
        if !amount.is_zero() {
            self.level(pool).fetch_add(amount.0, Ordering::AcqRel);
        }
    }

    fn level(&self, pool: PoolId) -> Arc<AtomicI64> {
        if let Some(level) = self.available.get(&pool) {
            return Arc::clone(level.value());
        }
        Arc::clone(self.available.entry(pool).or_default().value())
    }
}

impl Headroom for Pools {
    fn available(&self, pool: PoolId) -> MinorUnits {
        MinorUnits(self.level(pool).load(Ordering::Acquire))
    }
}

/// A headroom of nothing: for deciding when every attempt to take lost its race.
pub(crate) struct NothingLeft;

impl Headroom for NothingLeft {
    fn available(&self, _: PoolId) -> MinorUnits {
        MinorUnits::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn racing_threads_never_take_more_than_there_is() {
        let pools = Pools::default();
        let pool = PoolId(1);
        pools.give(pool, MinorUnits(1_000));
        let take = PoolTake { pool, amount: MinorUnits(3), covered: MinorUnits::ZERO };
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..500).filter(|_| pools.take(take)).count()))
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        assert_eq!(taken, 333);
        assert_eq!(pools.available(pool), MinorUnits(1));
        // What is covered by a hold is there whatever is left.
        assert!(pools.take(PoolTake { covered: MinorUnits(2), ..take }));
        assert!(!pools.take(PoolTake { covered: MinorUnits(2), ..take }));
        assert!(pools.take(PoolTake { covered: MinorUnits(3), ..take }));
        assert_eq!(pools.available(pool), MinorUnits(-5));
    }
}
