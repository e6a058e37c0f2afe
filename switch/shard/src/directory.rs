//! The card directory: from the keyed hash of a card number to the card and its shard, and to what
//! its messages are verified by. It owns the concurrent maps, and that no guard of them ever leaves
//! this file, let alone crosses an await.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dashmap::DashMap;
use switch_domain::{
    BalanceId, Card, CardId, CardReferences, CardSecurityTerms, Expiry, Fingerprint, ProgrammeId,
    ShardId,
};

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

/// What messages of a card are verified by. It is as of the last commit: what was compared with it
/// is judged by the shard, which knows whether it still counts ([`CardReferences::version`]).
#[derive(Clone, Debug)]
pub struct CardReference {
    /// The card.
    pub card: CardId,
    /// Last month of validity, as issued or renewed.
    pub expiry: Expiry,
    /// What its values are compared with; those of a card of which nothing was said.
    pub references: Arc<CardReferences>,
    /// True where its PIN was wrong too often: whatever verification says of another is ignored, so
    /// that it need not be asked.
    pub tries_exceeded: bool,
    /// Which keys and methods its programme has, and what it needs.
    pub terms: Arc<CardSecurityTerms>,
}

/// What never changes of a card, and its month as it was listed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed {
    pub(crate) entry: CardEntry,
    pub(crate) programme: ProgrammeId,
    pub(crate) expiry: Expiry,
}

/// What changes of one: of those of which anything was said or counted.
#[derive(Clone, Debug)]
struct Known {
    references: Arc<CardReferences>,
    pin_tries: u32,
    expiry: Expiry,
}

/// All cards of the node. Links read it; shards add to it when an issue is committed.
#[derive(Debug, Default)]
pub struct Directory {
    by_fingerprint: DashMap<Fingerprint, Listed>,
    known: DashMap<CardId, Known>,
    terms: DashMap<ProgrammeId, Arc<CardSecurityTerms>>,
    /// False while `terms` is empty: every message asks, and the map would lock all its parts to
    /// say so.
    any_terms: AtomicBool,
}

impl Directory {
    /// Where the card with this fingerprint is, if it was issued.
    #[must_use]
    pub fn find(&self, card: &Fingerprint) -> Option<CardEntry> {
        self.by_fingerprint.get(card).map(|listed| listed.entry)
    }

    /// What messages of the card with this fingerprint are verified by; `None` where there is no
    /// such card, or its programme has nothing verified.
    #[must_use]
    pub fn reference(&self, card: &Fingerprint) -> Option<CardReference> {
        if !self.any_terms.load(Ordering::Acquire) {
            return None;
        }
        let listed = *self.by_fingerprint.get(card)?;
        let terms = Arc::clone(&*self.terms.get(&listed.programme)?);
        let card = listed.entry.card;
        let known = self.known.get(&card).map(|known| known.clone());
        let Known { references, pin_tries, expiry } = known.unwrap_or_else(|| Known {
            references: Arc::default(),
            pin_tries: 0,
            expiry: listed.expiry,
        });
        let tries_exceeded = pin_tries >= u32::from(terms.pin_limit);
        Some(CardReference { card, expiry, references, tries_exceeded, terms })
    }

    /// How the cards of a programme are verified; `None` where they are not.
    #[must_use]
    pub fn terms(&self, programme: ProgrammeId) -> Option<Arc<CardSecurityTerms>> {
        self.terms.get(&programme).map(|terms| Arc::clone(&*terms))
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

    pub(crate) fn insert(&self, card: Fingerprint, listed: Listed) {
        self.by_fingerprint.insert(card, listed);
    }

    /// What changed of a card, as committed. One that was renewed has references for good.
    pub(crate) fn learn(&self, card: &Card, pin_tries: u32) {
        let references = card.references.as_deref();
        if references.is_none() && pin_tries == 0 {
            self.known.remove(&card.id);
            return;
        }
        let references = Arc::new(references.cloned().unwrap_or_default());
        self.known.insert(card.id, Known { references, pin_tries, expiry: card.expiry });
    }

    /// How the cards of programmes are verified from now on: all of them.
    pub(crate) fn learn_terms(&self, control: &switch_domain::Control) {
        for programme in control.programmes.values() {
            match &programme.security {
                Some(terms) => {
                    self.terms.insert(programme.id, Arc::clone(terms));
                }
                None => {
                    self.terms.remove(&programme.id);
                }
            }
        }
        self.any_terms.store(!self.terms.is_empty(), Ordering::Release);
    }
}

impl Listed {
    /// A card of a shard.
    pub(crate) const fn of(card: &Card, shard: ShardId) -> Self {
        let entry = CardEntry { card: card.id, balance: card.balance, shard };
        Self { entry, programme: card.programme, expiry: card.expiry }
    }

    /// A card that was issued in a shard.
    pub(crate) const fn issued(one: &switch_domain::CardIssued, shard: ShardId) -> Self {
        let entry = CardEntry { card: one.card, balance: one.balance, shard };
        Self { entry, programme: one.programme, expiry: one.expiry }
    }
}
