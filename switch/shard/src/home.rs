//! Which shard an account is in. It owns the one place that says so: whoever sends something to an
//! account's shard asks here.

use switch_domain::{BalanceId, ShardId};

/// The shard of an account.
pub(crate) const fn home_of(balance: BalanceId) -> ShardId {
    balance.shard()
}
