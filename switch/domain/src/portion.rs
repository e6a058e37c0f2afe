//! What a message came to that was granted: a part of what it asks for, a fee of its acquirer on
//! top, or both. It owns that what is held or settled is the sum of the two; why only a part was
//! granted is the engine's affair.

use crate::MinorUnits;

/// What was granted where that is not just the amount that was asked for. In minor units of its
/// currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portion {
    /// The approved amount: what was asked for, or a part of it.
    pub approved: MinorUnits,
    /// The acquirer's fee on top: from the cardholder above zero, to the cardholder below.
    pub fee: MinorUnits,
}

impl Portion {
    /// What is held or settled.
    #[must_use]
    pub const fn sum(self) -> MinorUnits {
        MinorUnits(self.approved.0.saturating_add(self.fee.0))
    }

    /// What is held or settled where a reversal leaves so much of the amount: the fee stands as
    /// long as any of it does.
    #[must_use]
    pub const fn standing(fee: MinorUnits, left: MinorUnits) -> MinorUnits {
        if left.is_positive() { MinorUnits(left.0.saturating_add(fee.0)) } else { MinorUnits::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fee_stands_with_the_last_cent() {
        let portion = Portion { approved: MinorUnits(4_000), fee: MinorUnits(150) };
        assert_eq!(portion.sum(), MinorUnits(4_150));
        for (left, stands) in [(4_000, 4_150), (1, 151), (0, 0)] {
            let standing = Portion::standing(portion.fee, MinorUnits(left));
            assert_eq!(standing, MinorUnits(stands), "{left}");
        }
    }
}
