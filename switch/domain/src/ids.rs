//! Identifiers. It owns their shapes and how a shard mints them; it never hands one out by itself.

/// Defines an identifier that a shard mints: its shard in the upper bits, a journalled counter in
/// the lower forty, so that it is unique without asking anybody (W-16).
macro_rules! minted_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl $name {
            /// The identifier number `counter` of `shard`.
            #[must_use]
            pub const fn mint(shard: ShardId, counter: u64) -> Self {
                Self(mint(shard, counter))
            }

            /// The shard that minted it.
            #[must_use]
            pub const fn shard(self) -> ShardId {
                shard_of(self.0)
            }

            /// The shard's counter when it was minted.
            #[must_use]
            pub const fn counter(self) -> u64 {
                counter_of(self.0)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

const COUNTER_BITS: u32 = 40;
const COUNTER_MASK: u64 = (1 << COUNTER_BITS) - 1;

const fn mint(shard: ShardId, counter: u64) -> i64 {
    // The shard is a u16, so the sum stays below 2^56 and is always a positive i64.
    (((shard.0 as u64) << COUNTER_BITS) | (counter & COUNTER_MASK)) as i64
}

const fn shard_of(id: i64) -> ShardId {
    ShardId(((id as u64) >> COUNTER_BITS) as u16)
}

const fn counter_of(id: i64) -> u64 {
    (id as u64) & COUNTER_MASK
}

/// One shard. Number 0 is the control shard of its group: it owns programmes, partners and pools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(pub u16);

impl ShardId {
    /// The control shard: home of partners, pools and programmes.
    pub const CONTROL: Self = Self(0);
}

impl std::fmt::Display for ShardId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

minted_id!(
    /// An institution whose cards are served: a tenant.
    PartnerId
);
minted_id!(
    /// A pool of a partner's money: credit or deposit.
    PoolId
);
minted_id!(
    /// A card product: BIN range, currency, funding.
    ProgrammeId
);
minted_id!(
    /// An account of a customer.
    BalanceId
);
minted_id!(
    /// A card. Cards are addressed by it, never by PAN.
    CardId
);
minted_id!(
    /// A transfer between accounts, by the shard of the one that pays (W-17).
    TransferId
);
minted_id!(
    /// A spend control.
    ControlId
);
minted_id!(
    /// One authorization (or one reversal message: they share the counter).
    AuthorizationId
);

/// An end user. Customers are made by the management service, not by a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerId(pub i64);

/// A configured ISO 8583 link. The number is the owner's, and stays the same over restarts: it
/// stands in for the acquirer where a message names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u16);

impl LinkId {
    /// What stands for files of clearing. No link of a configuration has this number.
    pub const CLEARING: Self = Self(0);
}

/// Position of a row in a shard's journal, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub i64);

impl Seq {
    /// Before the first row.
    pub const NONE: Self = Self(-1);

    /// The position after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl std::fmt::Display for Seq {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Counts the owners of a shard: each takeover raises it by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub i64);

/// A process that owns shards: a fresh random value at each start (W-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OwnerId(pub [u8; 16]);

impl std::fmt::Display for OwnerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Names one management command, so that sending it twice does it once (W-18).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(pub [u8; 16]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minted_id_tells_its_shard_and_counter() {
        let id = BalanceId::mint(ShardId(513), 77);
        assert_eq!((id.shard(), id.counter()), (ShardId(513), 77));
        assert!(CardId::mint(ShardId(u16::MAX), COUNTER_MASK).0 > 0);
    }
}
