//! New card numbers. It owns how one is drawn from a BIN range; it never says whether the number is
//! free: the vault's unique fingerprint does.

use aws_lc_rs::rand;
use switch_domain::{BinRange, Pan};
use zeroize::Zeroizing;

/// Draws card numbers from the system's random generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct PanGenerator;

/// Why no number was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// The range is empty, has BINs of other than eight digits, or PANs of other than 14 to 19.
    #[error("a BIN range has eight-digit BINs, low to high, and PANs of 14 to 19 digits")]
    InvalidRange,
    /// The system's random generator failed.
    #[error("the system's random generator failed: no card number was made")]
    NoRandomness,
}

const BIN_DIGITS: usize = 8;
const PAN_LENGTHS: std::ops::RangeInclusive<u8> = 14..=19;
const BINS: std::ops::RangeInclusive<u32> = 10_000_000..=99_999_999;

impl PanGenerator {
    /// A card number of the range: a BIN of it, random account digits, and the check digit of
    /// ISO/IEC 7812-1 annex B. Every such number is equally likely.
    ///
    /// # Errors
    /// The range is not one; the random generator failed.
    pub fn generate(self, range: &BinRange) -> Result<Pan, IssueError> {
        let (low, high) = (range.low.0, range.high.0);
        let bins_valid = BINS.contains(&low) && BINS.contains(&high) && low <= high;
        if !bins_valid || !PAN_LENGTHS.contains(&range.pan_length) {
            return Err(IssueError::InvalidRange);
        }
        let span = high.saturating_sub(low).saturating_add(1);
        let bin = low.saturating_add(below(span)?);
        let payload = usize::from(range.pan_length).saturating_sub(1);
        let mut digits = Zeroizing::new(Vec::with_capacity(usize::from(range.pan_length)));
        digits.extend(format!("{bin:0BIN_DIGITS$}").bytes());
        while digits.len() < payload {
            let digit = u8::try_from(below(10)?).unwrap_or_default();
            digits.push(b'0'.saturating_add(digit));
        }
        let check = Pan::check_digit(&digits);
        digits.push(check);
        Pan::from_digits(&digits).map_err(|_| IssueError::InvalidRange)
    }
}

/// A number below `limit`, each equally likely: draws that would favour the low ones are repeated.
fn below(limit: u32) -> Result<u32, IssueError> {
    let fair = u32::MAX.saturating_sub(u32::MAX.checked_rem(limit).unwrap_or_default());
    loop {
        let mut bytes = [0; 4];
        rand::fill(&mut bytes).map_err(|_| IssueError::NoRandomness)?;
        let drawn = u32::from_be_bytes(bytes);
        if drawn < fair {
            return Ok(drawn.checked_rem(limit).unwrap_or_default());
        }
    }
}
