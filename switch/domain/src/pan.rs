//! The card number. It owns what a well-formed PAN is, and that it cannot be printed, compared in
//! variable time or left behind in memory. It never formats one: the only reader of the digits is
//! `switch-security`, which a tidy test enforces by name.

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// A primary account number of ISO/IEC 7812: 12 to 19 digits. There is no way to print it.
#[derive(Clone)]
pub struct Pan {
    digits: [u8; Self::MAX_DIGITS],
    length: u8,
}

/// Why bytes are not a PAN. Says nothing of their content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPan {
    /// Too short or too long.
    #[error("a PAN has 12 to 19 digits, not {0}")]
    Length(usize),
    /// Something other than a digit.
    #[error("a PAN has digits only; position {0} holds something else")]
    NotADigit(usize),
}

impl Pan {
    /// The most digits that ISO/IEC 7812 allows.
    pub const MAX_DIGITS: usize = 19;
    /// The fewest digits that we take for a PAN.
    pub const MIN_DIGITS: usize = 12;

    /// From ASCII digits. The check digit is not judged here: see [`Pan::passes_luhn`].
    ///
    /// # Errors
    /// Wrong length, or something other than a digit.
    pub fn from_digits(ascii: &[u8]) -> Result<Self, InvalidPan> {
        if !(Self::MIN_DIGITS..=Self::MAX_DIGITS).contains(&ascii.len()) {
            return Err(InvalidPan::Length(ascii.len()));
        }
        if let Some(position) = ascii.iter().position(|byte| !byte.is_ascii_digit()) {
            return Err(InvalidPan::NotADigit(position));
        }
        let mut digits = [0; Self::MAX_DIGITS];
        for (slot, byte) in digits.iter_mut().zip(ascii) {
            *slot = *byte;
        }
        Ok(Self { digits, length: u8::try_from(ascii.len()).unwrap_or(0) })
    }

    /// The ASCII digits, for `switch-security` alone: it encrypts, fingerprints and computes.
    #[must_use]
    pub fn digits_for_security(&self) -> &[u8] {
        self.digits.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// How many digits.
    #[must_use]
    pub const fn length(&self) -> u8 {
        self.length
    }

    /// The first eight digits as a number: the issuer's identification, which is not secret.
    #[must_use]
    pub fn bin(&self) -> u32 {
        let first = self.digits.iter().take(8);
        first.fold(0u32, |n, digit| {
            n.saturating_mul(10).saturating_add(u32::from(digit.saturating_sub(b'0')))
        })
    }

    /// The last four digits, which a masked view may show.
    #[must_use]
    pub fn last_four(&self) -> [u8; 4] {
        let mut last = [b'0'; 4];
        let digits = self.digits_for_security();
        for (slot, digit) in last.iter_mut().rev().zip(digits.iter().rev()) {
            *slot = *digit;
        }
        last
    }

    /// Whether the check digit is that of ISO/IEC 7812-1 annex B.
    #[must_use]
    pub fn passes_luhn(&self) -> bool {
        luhn_sum(self.digits_for_security(), false).is_multiple_of(10)
    }

    /// The check digit (ASCII) that makes `payload` (ASCII digits) pass.
    #[must_use]
    pub fn check_digit(payload: &[u8]) -> u8 {
        let rest = luhn_sum(payload, true) % 10;
        let digit = 10u32.saturating_sub(rest) % 10;
        b'0'.saturating_add(u8::try_from(digit).unwrap_or(0))
    }
}

/// Sum of digits, every second one doubled, from the right; `double_last` when the check digit is
/// still missing.
fn luhn_sum(digits: &[u8], double_last: bool) -> u32 {
    let mut double = double_last;
    digits.iter().rev().fold(0u32, |sum, digit| {
        let value = u32::from(digit.saturating_sub(b'0'));
        let doubled = value.saturating_mul(2);
        let part = match (double, doubled > 9) {
            (false, _) => value,
            (true, false) => doubled,
            (true, true) => doubled.saturating_sub(9),
        };
        double = !double;
        sum.saturating_add(part)
    })
}

impl PartialEq for Pan {
    /// In constant time over the longest PAN.
    fn eq(&self, other: &Self) -> bool {
        (self.digits.ct_eq(&other.digits) & self.length.ct_eq(&other.length)).into()
    }
}

impl Eq for Pan {}

impl Drop for Pan {
    fn drop(&mut self) {
        self.digits.zeroize();
    }
}

impl std::fmt::Debug for Pan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pan(hidden)")
    }
}

/// A keyed hash of a PAN: finds a card without holding its number. Made by `switch-security`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 16]);

impl Fingerprint {
    /// A number spread evenly over all fingerprints, to choose a shard for an unknown card.
    #[must_use]
    pub fn spread(self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fingerprint(")?;
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luhn_accepts_good_numbers_and_no_single_digit_error() {
        let good = b"9999991200000018";
        let payload = &good[..15];
        let mut full = payload.to_vec();
        full.push(Pan::check_digit(payload));
        assert!(Pan::from_digits(&full).expect("well formed").passes_luhn());
        for position in 0..full.len() {
            let mut wrong = full.clone();
            wrong[position] = b'0' + (wrong[position] - b'0' + 1) % 10;
            assert!(!Pan::from_digits(&wrong).expect("well formed").passes_luhn());
        }
    }

    #[test]
    fn it_is_refused_when_malformed_and_never_shown() {
        assert_eq!(Pan::from_digits(b"99999"), Err(InvalidPan::Length(5)));
        assert_eq!(Pan::from_digits(b"99999912000000A8"), Err(InvalidPan::NotADigit(14)));
        let pan = Pan::from_digits(b"9999991200000018").expect("well formed");
        assert_eq!(format!("{pan:?}"), "Pan(hidden)");
        assert_eq!((pan.bin(), &pan.last_four(), pan.length()), (99_999_912, b"0018", 16));
    }
}
