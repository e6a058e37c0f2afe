//! Which shards serve, and in which of them an account lives (W-12). It owns the one rule that
//! every part of the switch follows; it moves nothing by itself.

use crate::{BalanceId, ShardId};

/// The shards of a group that serve: the control shard, and the data shards of one generation.
/// Numbers are never used again, so the earlier generations are all shards below the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    first: u16,
    data: u16,
}

impl Placement {
    /// The first generation of a group.
    #[must_use]
    pub const fn founding(data_shards: u16) -> Self {
        let most = u16::MAX - 1;
        Self { first: 1, data: if data_shards > most { most } else { data_shards } }
    }

    /// The generation of `data_shards` shards from `first` on; `None` where there are no such
    /// numbers.
    #[must_use]
    pub fn new(first: ShardId, data_shards: u16) -> Option<Self> {
        let past = first.0.checked_add(data_shards);
        (first.0 > 0 && past.is_some()).then_some(Self { first: first.0, data: data_shards })
    }

    /// The generation after this one; `None` where it has no shards, or the numbers have run out.
    #[must_use]
    pub fn next(self, data_shards: u16) -> Option<Self> {
        let first = ShardId(self.first.checked_add(self.data)?);
        Self::new(first, data_shards).filter(|_| data_shards > 0)
    }

    /// The first data shard.
    #[must_use]
    pub const fn first(self) -> ShardId {
        ShardId(self.first)
    }

    /// How many data shards there are.
    #[must_use]
    pub const fn data_shards(self) -> u16 {
        self.data
    }

    /// The data shards.
    pub fn data(self) -> impl ExactSizeIterator<Item = ShardId> + DoubleEndedIterator {
        (self.first..self.first.saturating_add(self.data)).map(ShardId)
    }

    /// Every shard that serves, the control shard first.
    pub fn shards(self) -> impl Iterator<Item = ShardId> {
        std::iter::once(ShardId::CONTROL).chain(self.data())
    }

    /// The shards of earlier generations: sealed, all of them.
    pub fn sealed(self) -> impl Iterator<Item = ShardId> {
        (1..self.first).map(ShardId)
    }

    /// The place of a shard among those that serve; `None` where it does not.
    #[must_use]
    pub fn index(self, shard: ShardId) -> Option<usize> {
        if shard == ShardId::CONTROL {
            return Some(0);
        }
        let place = shard.0.checked_sub(self.first).filter(|place| *place < self.data)?;
        Some(usize::from(place).saturating_add(1))
    }

    /// Whether a shard serves.
    #[must_use]
    pub fn serves(self, shard: ShardId) -> bool {
        self.index(shard).is_some()
    }

    /// One of the data shards, by any evenly spread number.
    #[must_use]
    pub fn spread(self, number: u64) -> ShardId {
        let place = number.checked_rem(u64::from(self.data)).unwrap_or(0);
        ShardId(self.first.saturating_add(u16::try_from(place).unwrap_or(0)))
    }

    /// Where an account lives: in the shard that minted it while that serves, and else in one that
    /// follows from its identifier alone. It is the same in every version: journals rest on it.
    #[must_use]
    pub fn of_balance(self, id: BalanceId) -> ShardId {
        if self.serves(id.shard()) {
            return id.shard();
        }
        // Counters of accounts may have a stride: the multiplication spreads them (Fibonacci
        // hashing), and the upper half is the part that is spread well.
        let mixed = id.0.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.spread(mixed >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_never_share_a_number() {
        let one = Placement::founding(2);
        let two = one.next(3).expect("numbers");
        let numbers = |placement: Placement| placement.shards().map(|id| id.0).collect::<Vec<_>>();
        assert_eq!((numbers(one), numbers(two)), (vec![0, 1, 2], vec![0, 3, 4, 5]));
        assert_eq!(two.sealed().map(|id| id.0).collect::<Vec<_>>(), [1, 2]);
        assert_eq!((two.index(ShardId(4)), two.index(ShardId(2))), (Some(2), None));
        assert_eq!((two.next(0), two.next(u16::MAX)), (None, None));
        assert_eq!(Placement::new(ShardId(0), 1), None);
    }

    /// The founding rows of shards follow from this: it never changes.
    #[test]
    fn where_an_account_lives_is_pinned() {
        let placement = Placement::new(ShardId(3), 4).expect("numbers");
        let at = |shard, counter| placement.of_balance(BalanceId::mint(ShardId(shard), counter)).0;
        let moved: Vec<_> = (1..9).map(|counter| at(1, 2 * counter)).collect();
        assert_eq!(moved, PINNED);
        assert_eq!(at(5, 77), 5, "who minted it and serves has it");
    }

    /// Computed by another implementation, from the rule alone.
    const PINNED: [u16; 8] = [5, 4, 3, 6, 5, 4, 3, 6];

    #[test]
    fn accounts_are_spread_whatever_their_stride() {
        for (data, stride) in [(2, 1), (2, 2), (3, 3), (4, 2), (4, 4), (7, 5)] {
            let placement = Placement::new(ShardId(9), data).expect("numbers");
            let mut counts = vec![0_u32; usize::from(data) + 1];
            for counter in 0..7_000 {
                let id = BalanceId::mint(ShardId(1), counter * stride);
                counts[placement.index(placement.of_balance(id)).expect("it serves")] += 1;
            }
            let fair = 7_000 / u32::from(data);
            let even = counts[1..].iter().all(|count| count.abs_diff(fair) < fair / 10);
            assert!(even && counts[0] == 0, "{data} shards, stride {stride}: {counts:?}");
        }
    }
}
