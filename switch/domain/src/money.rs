//! Money. It owns checked arithmetic on integer minor units; it never rounds, converts, or lets
//! two currencies meet.

use crate::Currency;

/// A number of minor units (cents, öre, fils) of some currency that the context names. Signed:
/// deltas and postings go both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MinorUnits(pub i64);

impl MinorUnits {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The sum, or `None` past the range of an i64.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The difference, or `None` past the range of an i64.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    /// The same amount the other way, or `None` for the one value without an opposite.
    #[must_use]
    pub const fn checked_neg(self) -> Option<Self> {
        match self.0.checked_neg() {
            Some(negated) => Some(Self(negated)),
            None => None,
        }
    }

    /// True for zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// True above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// True below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }
}

impl std::fmt::Display for MinorUnits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// An amount with its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Amount {
    /// How much, in minor units of `currency`.
    pub minor: MinorUnits,
    /// Of what.
    pub currency: Currency,
}

impl std::fmt::Display for Amount {
    /// Major units with the currency's own number of decimals: `12.50 EUR`, `1250 JPY`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let decimals = usize::from(self.currency.exponent());
        let digits = format!("{:0>width$}", self.minor.0.unsigned_abs(), width = decimals.max(1));
        let digits = if digits.len() <= decimals { format!("0{digits}") } else { digits };
        let split = digits.len().saturating_sub(decimals);
        let (major, minor) = digits.split_at(split);
        let sign = if self.minor.is_negative() { "-" } else { "" };
        let point = if decimals == 0 { "" } else { "." };
        write!(f, "{sign}{major}{point}{minor} {}", self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_print_with_the_decimals_of_their_currency() {
        let show = |minor, numeric| {
            Amount {
                minor: MinorUnits(minor),
                currency: Currency::from_numeric(numeric).expect("a listed currency"),
            }
            .to_string()
        };
        let cases = [
            (1250, 978, "12.50 EUR"),
            (5, 978, "0.05 EUR"),
            (-5, 978, "-0.05 EUR"),
            (0, 978, "0.00 EUR"),
            (1250, 392, "1250 JPY"),
            (1250, 48, "1.250 BHD"),
        ];
        for (minor, numeric, expected) in cases {
            assert_eq!(show(minor, numeric), expected);
        }
    }

    #[test]
    fn arithmetic_refuses_to_wrap() {
        assert_eq!(MinorUnits(i64::MAX).checked_add(MinorUnits(1)), None);
        assert_eq!(MinorUnits(i64::MIN).checked_sub(MinorUnits(1)), None);
        assert_eq!(MinorUnits(i64::MIN).checked_neg(), None);
    }
}
