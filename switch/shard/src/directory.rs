//! The card directory: from the keyed hash of a card number to the card and its shard. It owns the
//! concurrent map, and that no guard of it ever leaves this file, let alone crosses an await.

use dashmap::DashMap;
use switch_domain::{BalanceId, CardId, Fingerprint, ShardId};

/// Where a card is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardEntry {
    /// The card.
    pub card: CardId,
    /// Its account.
    pub balance: BalanceId,
    /// The shard that owns both.
    pub shard: ShardId,
}

/// All cards of the node. Links read it; shards add to it when an issue is committed.
#[derive(Debug, Default)]
pub struct Directory {
    by_fingerprint: DashMap<Fingerprint, CardEntry>,
}

impl Directory {
    /// Where the card with this fingerprint is, if it was issued.
    #[must_use]
    pub fn find(&self, card: &Fingerprint) -> Option<CardEntry> {
        self.by_fingerprint.get(card).map(|entry| *entry.value())
    }

    /// How many cards there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_fingerprint.len()
    }

    /// True without cards.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_fingerprint.is_empty()
    }

    pub(crate) fn insert(&self, card: Fingerprint, entry: CardEntry) {
        self.by_fingerprint.insert(card, entry);
    }
}
