//! What is counted of a card so that nobody guesses: wrong PINs, wrong printed codes, the
//! transaction counters of its chips. It owns what each counter says; none of them ever falls (I8):
//! forgiving is a counter of its own that follows the other.

use crate::{CardId, CardScript, Timestamp};

/// Everything that is counted of one card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardCounters {
    /// Wrong PINs, ever.
    pub wrong_pins: u32,
    /// How many of them are forgiven: by a right one, a new one, or a lock that was taken back.
    pub forgiven_pins: u32,
    /// When printed codes were wrong, the oldest first: of the last day, the latest few.
    pub wrong_codes: Vec<Timestamp>,
    /// Up to when they are forgiven.
    pub forgiven_codes: Timestamp,
    /// Transaction counters, by the sequence number of the card.
    pub chips: Vec<ChipCounter>,
    /// The last command that an answer took along for its chip.
    pub script: Option<CardScript>,
    /// How many new PINs there were that its chip does not have by itself, ever.
    pub chip_pins: u32,
    /// How many of them had come when its chip was last used with a right PIN, online.
    pub chip_pins_used: u32,
}

impl CardCounters {
    /// For how long a wrong printed code counts.
    pub const CODE_MICROS: i64 = 24 * 3_600 * 1_000_000;
    /// How many wrong printed codes are remembered.
    pub const MOST_CODES: usize = 20;
    /// How many sequence numbers one card may have.
    pub const MOST_CHIPS: usize = 16;

    /// Wrong PINs since the last one that was forgiven.
    #[must_use]
    pub const fn pin_tries(&self) -> u32 {
        self.wrong_pins.saturating_sub(self.forgiven_pins)
    }

    /// Wrong printed codes of the last day that are not forgiven.
    #[must_use]
    pub fn code_tries(&self, now: Timestamp) -> usize {
        let begins = now.minus_micros(Self::CODE_MICROS).max(self.forgiven_codes);
        self.wrong_codes.iter().filter(|at| **at > begins).count()
    }

    /// Whether there is a new PIN that was not used with its chip yet: until then the chip may have
    /// another one by itself (SR-179).
    #[must_use]
    pub const fn chip_pin_pends(&self) -> bool {
        self.chip_pins > self.chip_pins_used
    }

    /// Whether these can come after `before`: none of them fell.
    #[must_use]
    pub fn follow(&self, before: &Self) -> bool {
        let kept = |chip: &ChipCounter| {
            self.chip(chip.sequence).is_some_and(|after| after.highest >= chip.highest)
        };
        self.wrong_pins >= before.wrong_pins
            && self.forgiven_pins >= before.forgiven_pins
            && self.forgiven_codes >= before.forgiven_codes
            && self.chip_pins >= before.chip_pins
            && self.chip_pins_used >= before.chip_pins_used
            && before.chips.iter().all(kept)
    }

    /// The counter of the chip with this sequence number.
    #[must_use]
    pub fn chip(&self, sequence: u8) -> Option<ChipCounter> {
        self.chips.iter().copied().find(|chip| chip.sequence == sequence)
    }

    /// The same with one wrong printed code more.
    pub fn add_wrong_code(&mut self, now: Timestamp) {
        let begins = now.minus_micros(Self::CODE_MICROS);
        self.wrong_codes.retain(|at| *at > begins);
        self.wrong_codes.push(now);
        let over = self.wrong_codes.len().saturating_sub(Self::MOST_CODES);
        self.wrong_codes.drain(..over);
    }

    /// The same with a transaction counter that was used; one of a chip too many is not kept.
    pub fn add_chip(&mut self, sequence: u8, counter: u16) {
        if let Some(chip) = self.chips.iter_mut().find(|chip| chip.sequence == sequence) {
            *chip = chip.with(counter);
        } else if self.chips.len() < Self::MOST_CHIPS {
            self.chips.push(ChipCounter { sequence, highest: counter, used: 1 });
        }
    }
}

/// The transaction counters that a chip used: the highest, and which of the 63 below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChipCounter {
    /// The card's sequence number.
    pub sequence: u8,
    /// The highest that was used.
    pub highest: u16,
    /// Bit n is set where the one n below the highest was used.
    pub used: u64,
}

/// What a transaction counter is to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterStanding {
    /// Above all, by so many.
    Above(u16),
    /// It was used.
    Used,
    /// Below the highest, and not used.
    Unused,
    /// So far below that nobody knows any more whether it was used.
    Forgotten,
}

impl ChipCounter {
    /// How far below the highest it is known which were used.
    pub const WINDOW: u16 = 64;

    /// What a counter is to those that were used.
    #[must_use]
    pub const fn standing(self, counter: u16) -> CounterStanding {
        if counter > self.highest {
            return CounterStanding::Above(counter.saturating_sub(self.highest));
        }
        let below = self.highest.saturating_sub(counter);
        if below >= Self::WINDOW {
            CounterStanding::Forgotten
        } else if self.used >> below & 1 == 1 {
            CounterStanding::Used
        } else {
            CounterStanding::Unused
        }
    }

    /// The same with one that was used.
    #[must_use]
    pub const fn with(self, counter: u16) -> Self {
        match self.standing(counter) {
            CounterStanding::Above(by) => {
                let kept = if by < Self::WINDOW { self.used << by } else { 0 };
                Self { highest: counter, used: kept | 1, ..self }
            }
            CounterStanding::Unused => {
                let below = self.highest.saturating_sub(counter);
                Self { used: self.used | 1 << below, ..self }
            }
            CounterStanding::Used | CounterStanding::Forgotten => self,
        }
    }
}

/// What a record does to the counters of a card: as they are from then on. What is forgiven counts
/// once the record is committed, everything else when it is decided (W-14).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterEffect {
    /// The card.
    pub card: CardId,
    /// Its counters.
    pub counters: CardCounters,
    /// True where the card is locked by it, since its PIN was wrong too often (lock code 6).
    pub locks: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_day_later_a_wrong_code_counts_no_more_and_few_are_kept() {
        let mut counters = CardCounters::default();
        let day = CardCounters::CODE_MICROS;
        (1..=30).for_each(|at| counters.add_wrong_code(Timestamp(at)));
        assert_eq!(counters.wrong_codes.len(), CardCounters::MOST_CODES);
        assert_eq!(counters.code_tries(Timestamp(30)), 20);
        assert_eq!(counters.code_tries(Timestamp(day + 20)), 10, "those from 21 on");
        counters.forgiven_codes = Timestamp(25);
        assert_eq!(counters.code_tries(Timestamp(30)), 5);
        counters.add_wrong_code(Timestamp(day + 29));
        assert_eq!(counters.wrong_codes, [Timestamp(30), Timestamp(day + 29)]);
    }

    #[test]
    fn one_card_has_so_many_chips_and_no_more() {
        let mut counters = CardCounters::default();
        (0..=255).for_each(|sequence| counters.add_chip(sequence, 7));
        assert_eq!(counters.chips.len(), CardCounters::MOST_CHIPS);
        assert_eq!(counters.chip(16), None);
    }

    proptest! {
        /// Against a set of all that were ever used.
        #[test]
        fn no_counter_that_was_used_is_ever_taken_for_a_new_one(
            counters in proptest::collection::vec(0_u16..300, 1..60)
        ) {
            let mut all = std::collections::BTreeSet::new();
            let mut chip: Option<ChipCounter> = None;
            for counter in counters {
                if let Some(before) = chip {
                    let highest = all.iter().next_back().copied().expect("one was used");
                    prop_assert_eq!(before.highest, highest);
                    match before.standing(counter) {
                        CounterStanding::Above(by) => prop_assert_eq!(counter, highest + by),
                        CounterStanding::Used => prop_assert!(all.contains(&counter)),
                        CounterStanding::Unused => prop_assert!(!all.contains(&counter)),
                        CounterStanding::Forgotten => prop_assert!(counter + 63 < highest),
                    }
                    let after = before.with(counter);
                    prop_assert!(after.highest >= before.highest, "it never falls");
                    prop_assert!(!matches!(after.standing(counter), CounterStanding::Unused));
                    chip = Some(after);
                } else {
                    chip = Some(ChipCounter { sequence: 0, highest: counter, used: 1 });
                }
                all.insert(counter);
            }
        }
    }
}
