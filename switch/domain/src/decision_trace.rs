//! What decided a message, and what each check said of it. It owns the numbers by which checks are
//! stored and the names of what decides without one; which checks there are, and in which order, is
//! the engine's. What was simply granted passed every check and has no trace.

use crate::MinorUnits;

/// Some checks by their numbers, which are from 1 to 63 and never given to another check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckSet(u64);

impl CheckSet {
    /// The highest number that a check can have.
    pub const HIGHEST: u8 = 63;

    /// As they are stored: bit `n` is that of check `n`.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// As they are stored.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether a check is among them.
    #[must_use]
    pub const fn has(self, number: u8) -> bool {
        number <= Self::HIGHEST && self.0 >> number & 1 == 1
    }

    /// Adds a check; a number that no check can have is no member.
    pub const fn insert(&mut self, number: u8) {
        if number <= Self::HIGHEST {
            self.0 |= 1 << number;
        }
    }

    /// Their numbers, the lowest first.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..=Self::HIGHEST).filter(move |number| self.has(*number))
    }
}

/// What decided a message that was not simply granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecidedBy {
    /// The check with this number.
    Check(u8),
    /// No check: the advice of this request had come before it, and has decided it.
    AdviceCameFirst,
    /// No check: we had approved the request ourselves, for another amount than its advice says.
    OtherAmount,
    /// No check: we had approved the request ourselves, and that approval holds.
    OwnApproval,
    /// No check: it was declined in our stead.
    DeclinedElsewhere,
    /// No check: its reversal had come before it.
    ReversalCameFirst,
}

impl DecidedBy {
    /// What decides without a check. Their numbers are above those of checks.
    pub const WITHOUT_CHECK: [Self; 5] = [
        Self::AdviceCameFirst,
        Self::OtherAmount,
        Self::OwnApproval,
        Self::DeclinedElsewhere,
        Self::ReversalCameFirst,
    ];

    /// The number, as it is stored: never given to anything else.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Check(number) => number,
            Self::AdviceCameFirst => 101,
            Self::OtherAmount => 102,
            Self::OwnApproval => 103,
            Self::DeclinedElsewhere => 104,
            Self::ReversalCameFirst => 105,
        }
    }

    /// From the number; `None` for one that is neither of a check nor known here.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        if (1..=CheckSet::HIGHEST).contains(&code) {
            return Some(Self::Check(code));
        }
        Self::WITHOUT_CHECK.into_iter().find(|one| one.code() == code)
    }

    /// The check that decided, if one did.
    #[must_use]
    pub const fn check(self) -> Option<u8> {
        match self {
            Self::Check(number) => Some(number),
            _ => None,
        }
    }

    /// The stable name of what decides without a check; that of a check is the engine's to say.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Check(_) => "check",
            Self::AdviceCameFirst => "advice_came_first",
            Self::OtherAmount => "advice_of_other_amount",
            Self::OwnApproval => "own_approval",
            Self::DeclinedElsewhere => "declined_elsewhere",
            Self::ReversalCameFirst => "reversal_came_first",
        }
    }
}

/// What a check that decided compared: minor units of the account's currency, or how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// What had to be there.
    pub needed: MinorUnits,
    /// What was there, or left of a limit. Below zero where more was used than is allowed.
    pub there: MinorUnits,
}

/// What decided, and what each check said. A check that is in neither set could not be judged: what
/// it looks at was not there, or there was no such check yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecisionTrace {
    /// What decided.
    pub decided_by: DecidedBy,
    /// Checks that found nothing wrong.
    pub passed: CheckSet,
    /// Checks that found something wrong, that which decided among them.
    pub failed: CheckSet,
    /// What the check that decided compared, where it is one that compares.
    pub compared: Option<Compared>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_in_and_takes_no_number_that_no_check_has() {
        let mut set = CheckSet::default();
        for number in [1, 18, 63, 64, 200] {
            set.insert(number);
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), [1, 18, 63]);
        assert!(set.has(18) && !set.has(2) && !set.has(64));
        assert_eq!(CheckSet::from_bits(set.bits()), set);
    }

    /// Stored: whoever changes one of these makes old traces say something else.
    #[test]
    fn what_decides_keeps_its_number() {
        let numbers: Vec<_> = DecidedBy::WITHOUT_CHECK.iter().map(|one| one.code()).collect();
        assert_eq!(numbers, [101, 102, 103, 104, 105]);
        for one in DecidedBy::WITHOUT_CHECK.into_iter().chain((1..=63).map(DecidedBy::Check)) {
            assert_eq!(DecidedBy::from_code(one.code()), Some(one));
        }
        for code in [0, 64, 100, 106, 255] {
            assert_eq!(DecidedBy::from_code(code), None);
        }
    }
}
