//! What is bought next, with which card, and which answered requests are followed up. Must use
//! every kind of test card early, so that even a short run sees each of them, and must follow from
//! the seed alone.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::acquirer::{Channel, Variant};
use crate::demo_file::TestCard;

/// Purchases of each kind of bad card that come as early as the mixture allows.
const EARLY_ROUNDS: u64 = 3;
/// One purchase in so many is of a bad card, at first and later.
const BAD_EVERY: (u64, u64) = (3, 5);
/// Approved purchases between two reversals: about 6 % of all requests are reversals then.
const REVERSE_EVERY: u64 = 12;
/// Approved purchases between two that are completed, and their place between reversals.
const COMPLETE_AT: u64 = 6;
/// One in so many is added to first, instead.
const ADD_EVERY: u64 = 3;
/// Purchases between two requests of another kind.
const OTHER_EVERY: u64 = 9;
/// Answered purchases between two repeats, and reversals between two repeats: about 2 % together.
/// The numbers share no factor with `BAD_EVERY`, so that declines are repeated too.
const REPEAT_EVERY: u64 = 59;
const REPEAT_REVERSAL_EVERY: u64 = 7;

/// A purchase to make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Planned {
    /// Index of the card.
    pub card: usize,
    /// Where.
    pub channel: Channel,
    /// For how much, in minor units.
    pub minor: u64,
}

/// A form of repeat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RepeatForm {
    /// The same bytes once more, on the same connection.
    Identical,
    /// With the repeat digit and a new DE7.
    Digit,
    /// With the repeat digit and a new DE7, on another connection.
    DigitElsewhere,
}

/// A form of reversal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ReverseForm {
    /// 0400 of all.
    Whole,
    /// 0400 that leaves a part.
    Part,
    /// 0420 of all.
    Advice,
}

/// What follows an answered request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    Nothing,
    Reverse(ReverseForm),
    Add,
    Complete,
    Repeat(RepeatForm),
}

/// The plan of a run.
#[derive(Debug)]
pub(super) struct Plan {
    random: StdRng,
    good: Vec<usize>,
    bad: Vec<Vec<usize>>,
    short: Vec<usize>,
    purchases: u64,
    bad_purchases: u64,
    answered: u64,
    approved: u64,
    reversals: u64,
    reversed: u64,
    repeats: u64,
    others: u64,
    increments: u64,
}

impl Plan {
    pub(super) fn new(cards: &[TestCard], seed: u64) -> Plan {
        let mut kinds: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, card) in cards.iter().enumerate() {
            kinds.entry(&card.state).or_default().push(index);
        }
        let good = kinds.remove("good").unwrap_or_default();
        let short = kinds.get("short").cloned().unwrap_or_default();
        Plan {
            random: StdRng::seed_from_u64(seed),
            good,
            bad: kinds.into_values().collect(),
            short,
            purchases: 0,
            bad_purchases: 0,
            answered: 0,
            approved: 0,
            reversals: 0,
            reversed: 0,
            repeats: 0,
            others: 0,
            increments: 0,
        }
    }

    /// What is due instead of a purchase, each kind in turn, with a good card.
    pub(super) fn other(&mut self) -> Option<(Planned, Variant)> {
        let due = self.purchases % OTHER_EVERY == 4 && self.purchases / OTHER_EVERY >= self.others;
        let kinds = Variant::ALL.len() as u64;
        let at = usize::try_from(self.others % kinds).ok().filter(|_| due)?;
        self.others += 1;
        let minor = self.random.random_range(100..=2000);
        let planned = Planned { card: self.good_card(), channel: Channel::Ecommerce, minor };
        Variant::ALL.get(at).map(|variant| (planned, *variant))
    }

    /// The next purchase.
    pub(super) fn purchase(&mut self) -> Planned {
        self.purchases += 1;
        let early = self.bad_purchases < EARLY_ROUNDS * self.bad.len() as u64;
        let every = if early { BAD_EVERY.0 } else { BAD_EVERY.1 };
        let bad = self.purchases.is_multiple_of(every).then(|| self.bad_card()).flatten();
        let card = bad.unwrap_or_else(|| self.good_card());
        // The largest amount for a card short of funds: it must be above what the card has left.
        let minor =
            if self.short.contains(&card) { 2000 } else { self.random.random_range(100..=2000) };
        let channel = match self.random.random_range(0..100) {
            0..50 => Channel::Pos,
            50..70 => Channel::Atm,
            70..92 => Channel::Ecommerce,
            _ => Channel::KeyEntered,
        };
        Planned { card, channel, minor }
    }

    /// The kinds in turn, and of each kind its cards in turn.
    fn bad_card(&mut self) -> Option<usize> {
        let kinds = self.bad.len() as u64;
        let turn = self.bad_purchases;
        let kind = self.bad.get(usize::try_from(turn.checked_rem(kinds)?).ok()?)?;
        let nth = (turn / kinds) % kind.len() as u64;
        self.bad_purchases += 1;
        kind.get(usize::try_from(nth).ok()?).copied()
    }

    fn good_card(&mut self) -> usize {
        let at = self.random.random_range(0..self.good.len().max(1));
        self.good.get(at).copied().unwrap_or(0)
    }

    /// What to do once a purchase has been answered.
    pub(super) fn after_purchase(&mut self, approved: bool) -> Next {
        self.answered += 1;
        self.approved += u64::from(approved);
        if self.answered % REPEAT_EVERY == 5 {
            return Next::Repeat(self.repeat_form());
        }
        match self.approved % REVERSE_EVERY {
            2 if approved => Next::Reverse(self.reverse_form()),
            COMPLETE_AT if approved && (self.approved / REVERSE_EVERY) % ADD_EVERY == 1 => {
                Next::Add
            }
            COMPLETE_AT if approved => Next::Complete,
            _ => Next::Nothing,
        }
    }

    /// What to do once an increment has been answered: the purchase is settled by its name, it is
    /// taken back, or all stays held.
    pub(super) fn after_increment(&mut self) -> Next {
        self.increments += 1;
        match self.increments % 4 {
            3 => Next::Complete,
            0 => Next::Reverse(self.reverse_form()),
            _ => Next::Nothing,
        }
    }

    /// What to do once something else has been answered: every other payment is taken back.
    pub(super) fn after_other(&mut self, variant: Variant) -> Next {
        let round = self.others / Variant::ALL.len() as u64;
        let taken_back = variant == Variant::Payment && round.is_multiple_of(2);
        if taken_back { Next::Reverse(self.reverse_form()) } else { Next::Nothing }
    }

    fn reverse_form(&mut self) -> ReverseForm {
        self.reversed += 1;
        match self.reversed % 4 {
            2 => ReverseForm::Part,
            3 => ReverseForm::Advice,
            _ => ReverseForm::Whole,
        }
    }

    /// What to do once a reversal has been answered.
    pub(super) fn after_reversal(&mut self) -> Next {
        self.reversals += 1;
        let due = self.reversals % REPEAT_REVERSAL_EVERY == 2;
        if due { Next::Repeat(self.repeat_form()) } else { Next::Nothing }
    }

    fn repeat_form(&mut self) -> RepeatForm {
        self.repeats += 1;
        match self.repeats % 3 {
            0 => RepeatForm::DigitElsewhere,
            1 => RepeatForm::Digit,
            _ => RepeatForm::Identical,
        }
    }
}
