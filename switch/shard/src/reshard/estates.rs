//! Who inherits what in a resharding: accounts by the rule of their placement, cards and open holds
//! with their account. It owns that everything is shared out, nothing of it twice; sums stay.

use std::collections::{BTreeMap, BTreeSet};

use switch_domain::{
    Balance, BalanceId, ControlSubject, CustomerId, CustomerState, Estate, MinorUnits, Placement,
    PoolId, PoolShare, ShardId, ShardImage,
};
use switch_store::Heir;

/// Shares out what the images hold among the shards of `to`.
pub(super) fn share_out(images: Vec<ShardImage>, to: Placement) -> Vec<Heir> {
    let mut heirs = Heirs::new(to);
    let mut blocked: BTreeSet<CustomerId> = BTreeSet::new();
    for image in images {
        // By what each card or account spends from: its controls and its usage go with it.
        let cards: BTreeMap<i64, BalanceId> =
            image.cards.iter().map(|(card, _)| (card.id.0, card.balance)).collect();
        for control in image.spend_controls {
            let balance = match control.terms.subject {
                ControlSubject::Card(card) => cards.get(&card.0).copied(),
                ControlSubject::Balance(balance) => Some(balance),
                ControlSubject::Programme(_) => None,
            };
            let Some(balance) = balance else { continue };
            heirs.of(balance).spend_controls.push(control);
        }
        for (key, usage) in image.usage {
            let balance = cards.get(&key.1).copied().unwrap_or(BalanceId(key.1));
            heirs.of(balance).usage.push((key, usage));
        }
        for (card, counters) in image.counters {
            let Some(balance) = cards.get(&card.0) else { continue };
            heirs.of(*balance).counters.push((card, counters));
        }
        for balance in image.balances {
            heirs.of(balance.id).balances.push(balance);
        }
        for (card, _) in image.cards {
            heirs.of(card.balance).cards.push(card);
        }
        for one in image.authorizations {
            let Some(balance) = one.balance else { continue };
            if let Some(pool) = one.pool {
                heirs.hold(to.of_balance(balance), pool, one.held());
            }
            heirs.of(balance).authorizations.push(one);
        }
        for (pool, share) in image.shares {
            heirs.level(pool, share.level);
        }
        blocked.extend(image.customers.into_iter().map(|(customer, _)| customer));
    }
    heirs.finish(&blocked)
}

struct Heirs {
    to: Placement,
    estates: BTreeMap<ShardId, Estate>,
    shares: BTreeMap<(ShardId, PoolId), PoolShare>,
}

fn add(sum: &mut MinorUnits, more: MinorUnits) {
    sum.0 = sum.0.saturating_add(more.0);
}

impl Heirs {
    fn new(to: Placement) -> Self {
        let estates = to.data().map(|shard| (shard, Estate::default())).collect();
        Self { to, estates, shares: BTreeMap::new() }
    }

    fn of(&mut self, balance: BalanceId) -> &mut Estate {
        self.estates.entry(self.to.of_balance(balance)).or_default()
    }

    /// What an open hold holds of a pool is held where the hold is: its release comes there.
    fn hold(&mut self, shard: ShardId, pool: PoolId, held: MinorUnits) {
        add(&mut self.shares.entry((shard, pool)).or_default().held, held);
    }

    /// The level is a sum over shards, of which one may have it all.
    fn level(&mut self, pool: PoolId, level: MinorUnits) {
        add(&mut self.shares.entry((self.to.first(), pool)).or_default().level, level);
    }

    /// A customer who is blocked anywhere is blocked in every heir: an account of theirs may be
    /// opened in any of them.
    fn finish(mut self, blocked: &BTreeSet<CustomerId>) -> Vec<Heir> {
        for ((shard, pool), share) in self.shares {
            self.estates.entry(shard).or_default().shares.push((pool, share));
        }
        let finish = |(shard, mut estate): (ShardId, Estate)| {
            estate.customers = blocked.iter().map(|id| (*id, CustomerState::Blocked)).collect();
            estate.balances.sort_unstable_by_key(|one: &Balance| one.id);
            estate.cards.sort_unstable_by_key(|one| one.id);
            estate.spend_controls.sort_unstable_by_key(|one| one.id);
            estate.usage.sort_unstable_by_key(|(key, _)| *key);
            estate.counters.sort_unstable_by_key(|(card, _)| *card);
            estate.authorizations.sort_unstable_by_key(|one| one.id);
            Heir { shard, estate }
        };
        self.estates.into_iter().map(finish).collect()
    }
}
