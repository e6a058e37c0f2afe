//! The month in which a card ends. It owns the YYMM form of DE14 and track 2; it never reads a
//! clock: the current time is an argument.

use crate::Timestamp;

/// Last month of validity. The card is good until the end of that month, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Expiry {
    year: u16,
    month: u8,
}

/// The digits do not name a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an expiry date is YYMM with a month of 01 to 12")]
pub struct InvalidExpiry;

impl Expiry {
    /// From YYMM as a number (2703 is March 2027). Two-digit years mean 2000 to 2099.
    ///
    /// # Errors
    /// The month is not 1 to 12, or the number has more than four digits.
    pub fn from_yymm(yymm: u16) -> Result<Self, InvalidExpiry> {
        let (years, month) = (yymm / 100, yymm % 100);
        let month = u8::try_from(month).map_err(|_| InvalidExpiry)?;
        if years > 99 || !(1..=12).contains(&month) {
            return Err(InvalidExpiry);
        }
        Ok(Self { year: years.saturating_add(2000), month })
    }

    /// As YYMM.
    #[must_use]
    pub fn yymm(self) -> u16 {
        (self.year % 100).saturating_mul(100).saturating_add(u16::from(self.month))
    }

    /// Whether the month is over at `now`.
    #[must_use]
    pub fn is_past(self, now: Timestamp) -> bool {
        let (year, month) = now.year_and_month();
        (i32::from(self.year), self.month) < (year, month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_good_until_the_end_of_its_month() {
        let expiry = Expiry::from_yymm(2611).expect("a month");
        let last_moment = Timestamp::from_unix_seconds(1_796_083_199); // 2026-11-30T23:59:59Z
        let next_moment = Timestamp::from_unix_seconds(1_796_083_200);
        assert!(!expiry.is_past(last_moment));
        assert!(expiry.is_past(next_moment));
        assert_eq!(expiry.yymm(), 2611);
    }

    #[test]
    fn only_months_are_taken() {
        for wrong in [2600, 2613, 10_001, 99] {
            assert_eq!(Expiry::from_yymm(wrong), Err(InvalidExpiry), "{wrong}");
        }
    }
}
