//! Exchange rates: a decimal number, exactly, and the rate of a pair of currencies with its source
//! and time. It owns which rates are legal and their form in the conversion rate fields (DE9,
//! DE10); what is made of amounts by them is in `conversion`.

use crate::{AsciiText, Currency, Timestamp};

/// How many significant digits a rate may have, so that no conversion leaves the range of a u128.
const MOST_DIGITS: u64 = 9_999_999_999;
/// How many decimals a rate may have.
const MOST_DECIMALS: u8 = 12;
/// The largest of the seven digits in a conversion rate field.
const MOST_IN_FIELD: u64 = 9_999_999;
/// The largest number of decimals that the first digit of such a field can say.
const MOST_DECIMALS_IN_FIELD: u8 = 9;

/// What one major unit of a currency is worth in major units of another: `digits` divided by ten to
/// the power of `decimals`, above zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    digits: u64,
    decimals: u8,
}

/// The number is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a rate is a decimal number above zero with ten digits and twelve decimals at most")]
pub struct InvalidRate;

impl Rate {
    /// From its digits and how many of them are decimals.
    ///
    /// # Errors
    /// Zero, or more of either than there is room for.
    pub const fn new(digits: u64, decimals: u8) -> Result<Self, InvalidRate> {
        if digits == 0 || digits > MOST_DIGITS || decimals > MOST_DECIMALS {
            return Err(InvalidRate);
        }
        Ok(Self { digits, decimals })
    }

    /// From a conversion rate field: of eight digits the first says how many of the seven after it
    /// are decimals.
    ///
    /// # Errors
    /// The seven digits are zero, or there are more.
    pub const fn from_field(field: u32) -> Result<Self, InvalidRate> {
        let (decimals, digits) = (field / 10_000_000, field % 10_000_000);
        if decimals > 9 {
            return Err(InvalidRate);
        }
        Self::new(digits as u64, decimals as u8)
    }

    /// The same as such a field; `None` where it has more digits or decimals than one holds.
    #[must_use]
    pub const fn to_field(self) -> Option<u32> {
        if self.digits > MOST_IN_FIELD || self.decimals > MOST_DECIMALS_IN_FIELD {
            return None;
        }
        let first = (self.decimals as u32).saturating_mul(10_000_000);
        Some(first.saturating_add(self.digits as u32))
    }

    /// All its digits as one number.
    #[must_use]
    pub const fn digits(self) -> u64 {
        self.digits
    }

    /// How many of them are decimals.
    #[must_use]
    pub const fn decimals(self) -> u8 {
        self.decimals
    }
}

impl std::str::FromStr for Rate {
    type Err = InvalidRate;

    /// From a decimal number: `0.9234`, `17892.35`, `110`.
    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let point_alone = text.contains('.') && decimals.is_empty();
        if whole.is_empty() || point_alone || !is_number(whole) || !is_number(decimals) {
            return Err(InvalidRate);
        }
        let digits = format!("{whole}{decimals}").parse().map_err(|_| InvalidRate)?;
        Self::new(digits, u8::try_from(decimals.len()).map_err(|_| InvalidRate)?)
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let decimals = usize::from(self.decimals);
        let digits = format!("{:0>width$}", self.digits, width = decimals.saturating_add(1));
        let (whole, part) = digits.split_at(digits.len().saturating_sub(decimals));
        let point = if decimals == 0 { "" } else { "." };
        write!(f, "{whole}{point}{part}")
    }
}

impl std::fmt::Debug for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// The rate of a pair of currencies, as somebody quoted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExchangeRate {
    /// What is converted.
    pub from: Currency,
    /// Into what.
    pub to: Currency,
    /// What one major unit of `from` is worth.
    pub rate: Rate,
    /// Who quoted it.
    pub source: AsciiText<20>,
    /// When it was quoted: its age counts from here.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_reads_as_it_is_written() {
        let rows = [
            ("0.9234", 9_234, 4),
            ("1", 1, 0),
            ("17892.35", 1_789_235, 2),
            ("0.000061234", 61_234, 9),
            ("1.0", 10, 1),
            ("0.000000000001", 1, 12),
            ("9999999999", 9_999_999_999, 0),
        ];
        for (text, digits, decimals) in rows {
            let rate: Rate = text.parse().expect("a rate");
            assert_eq!((rate.digits(), rate.decimals()), (digits, decimals), "{text}");
            assert_eq!(rate.to_string(), text);
        }
        let wrong = ["", ".", "1.", ".5", "0", "0.00", "-1", "+1", "1e3", "1,5", " 1", "1.2.3"];
        let too_long = ["10000000000", "0.0000000000001", "99999999999999999999999"];
        for text in wrong.into_iter().chain(too_long) {
            assert_eq!(text.parse::<Rate>(), Err(InvalidRate), "`{text}`");
        }
    }

    #[test]
    fn the_first_digit_of_a_field_says_how_many_decimals_there_are() {
        let rows = [
            (40_009_234, "0.9234"),
            (1, "1"),
            (70_000_001, "0.0000001"),
            (90_061_234, "0.000061234"),
            (21_789_235, "17892.35"),
            (99_999_999, "0.009999999"),
        ];
        for (field, text) in rows {
            let rate = Rate::from_field(field).expect("a rate");
            assert_eq!(rate.to_string(), text);
            assert_eq!(rate.to_field(), Some(field));
        }
        assert_eq!(Rate::from_field(0), Err(InvalidRate));
        assert_eq!(Rate::from_field(30_000_000), Err(InvalidRate));
        assert_eq!(Rate::from_field(100_000_001), Err(InvalidRate));
        let too_fine: Rate = "1.2345678".parse().expect("a rate");
        assert_eq!(too_fine.to_field(), None);
    }
}
