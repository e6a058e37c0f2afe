//! The two ends of a shard's life in a resharding (W-12): a sealed shard has nothing any more, and
//! a new one has what is stated in its first records. It owns that nothing stays behind in memory;
//! how rows are shared out among the new shards is decided by whoever writes the records.

use switch_domain::Estate;

use super::card_security::Counting;
use super::messages::Kept;
use super::{Broken, State};

impl State {
    /// The shard is sealed: everything that it had is stated in the first records of others.
    pub(super) fn leave_everything(&mut self) {
        self.balances.clear();
        self.customers.clear();
        self.cards.clear();
        self.counting.clear();
        self.shares.clear();
        self.spending = Default::default();
        self.messages = Default::default();
        self.commands = Default::default();
        self.begin_with_heritage();
    }

    /// What others answered and closed before is in the tables and not in any record here.
    pub(super) fn begin_with_heritage(&mut self) {
        self.messages.set_incomplete();
        self.commands.set_incomplete();
    }

    /// Takes rows that sealed shards left, as they stand.
    pub(super) fn inherit(&mut self, estate: &Estate) -> Result<(), Broken> {
        let Estate {
            balances,
            customers,
            cards,
            spend_controls,
            usage,
            counters,
            shares,
            authorizations,
        } = estate;
        let before = self.balances.len();
        self.balances.extend(balances.iter().map(|one| (one.id, one.clone())));
        self.customers.extend(customers.iter().copied());
        self.cards.extend(cards.iter().map(|one| (one.id, one.clone())));
        if self.balances.len() != before.saturating_add(balances.len()) {
            return Err(Broken("a balance that was inherited twice"));
        }
        spend_controls.iter().for_each(|one| self.spending.commit(one.clone()));
        for (key, usage) in usage {
            if self.spending.usage.insert(*key, usage.clone()).is_some() {
                return Err(Broken("usage that was inherited twice"));
            }
        }
        for (card, counters) in counters {
            if self.counting.insert(*card, Counting::settled(counters.clone())).is_some() {
                return Err(Broken("counters of a card that were inherited twice"));
            }
        }
        for (pool, share) in shares {
            if self.shares.insert(*pool, *share).is_some() {
                return Err(Broken("a share of a pool that was inherited twice"));
            }
        }
        for one in authorizations {
            self.remember_new(Kept::Authorization(one.clone()))?;
        }
        Ok(())
    }
}
