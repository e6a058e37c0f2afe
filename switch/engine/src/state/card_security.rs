//! What is counted of a shard's cards. It owns that a wrong PIN counts when it is decided, and that
//! nothing is forgiven before that is committed (W-14): in between, what is decided next builds on
//! both.

use switch_domain::{CardCounters, CardId, CounterEffect, LockCode, Timestamp};

use super::{Broken, State};

/// What is counted of one card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counting {
    /// As decided: what the next record builds on.
    pub(super) decided: CardCounters,
    /// How many wrong PINs are forgiven by what is committed.
    forgiven_pins: u32,
    /// Up to when wrong printed codes are.
    forgiven_codes: Timestamp,
}

impl Counting {
    /// All of it is committed.
    pub(super) const fn settled(decided: CardCounters) -> Self {
        let (forgiven_pins, forgiven_codes) = (decided.forgiven_pins, decided.forgiven_codes);
        Self { decided, forgiven_pins, forgiven_codes }
    }
}

impl State {
    /// What is counted of a card, as decided; `None` where nothing was.
    #[must_use]
    pub fn counters_of(&self, card: CardId) -> Option<&CardCounters> {
        if self.counting.is_empty() {
            return None;
        }
        self.counting.get(&card).map(|counting| &counting.decided)
    }

    /// How many PINs of a card were wrong since the last one that is forgiven for certain.
    #[must_use]
    pub fn pin_tries(&self, card: CardId) -> u32 {
        let counting = self.counting.get(&card);
        counting.map_or(0, |one| one.decided.wrong_pins.saturating_sub(one.forgiven_pins))
    }

    /// How many printed codes of a card were wrong in the last day, and are not forgiven for
    /// certain.
    pub(crate) fn code_tries(&self, card: CardId, now: Timestamp) -> usize {
        let Some(one) = self.counting.get(&card) else { return 0 };
        let begins = now.minus_micros(CardCounters::CODE_MICROS).max(one.forgiven_codes);
        one.decided.wrong_codes.iter().filter(|at| **at > begins).count()
    }

    /// What restricts: every counter, and the lock.
    pub(super) fn count_decided(&mut self, effect: &CounterEffect) -> Result<(), Broken> {
        if effect.locks {
            self.card_mut(effect.card)?.lock.get_or_insert(LockCode::PinTriesExceeded);
        }
        let counting = self.counting.entry(effect.card).or_default();
        if !effect.counters.follow(&counting.decided) {
            return Err(Broken("a counter of a card that falls"));
        }
        counting.decided = effect.counters.clone();
        Ok(())
    }

    /// What relaxes: what is forgiven.
    pub(super) fn count_committed(&mut self, effect: &CounterEffect) {
        let counting = self.counting.entry(effect.card).or_default();
        counting.forgiven_pins = counting.forgiven_pins.max(effect.counters.forgiven_pins);
        counting.forgiven_codes = counting.forgiven_codes.max(effect.counters.forgiven_codes);
    }

    /// Everything that is counted, by card, in no order.
    pub fn counters(&self) -> impl Iterator<Item = (CardId, &CardCounters)> {
        self.counting.iter().map(|(card, counting)| (*card, &counting.decided))
    }
}
