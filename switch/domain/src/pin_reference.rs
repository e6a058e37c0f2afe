//! What a PIN is compared with: a PIN verification value or an offset. It owns that it cannot be
//! printed, compared in variable time or left behind in memory. It is no PIN and tells none without
//! its key; but who has both tries ten thousand.

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// What the PIN of a card is compared with.
///
/// It cannot be printed:
///
/// ```compile_fail
/// let reference = switch_domain::PinReference::pvv(1, b"1234").unwrap();
/// println!("{reference}");
/// ```
#[derive(Clone)]
pub enum PinReference {
    /// A PIN verification value (C-06).
    Pvv {
        /// Which key of the pair's set it was made with: 0 to 9.
        key_index: u8,
        /// Four ASCII digits.
        value: [u8; 4],
    },
    /// What is added to the natural PIN (IBM 3624, C-07).
    Offset {
        /// Its ASCII digits.
        digits: OffsetDigits,
    },
}

/// The digits of an offset: 4 to 12.
#[derive(Clone, Copy)]
pub struct OffsetDigits {
    digits: [u8; Self::MOST],
    length: u8,
}

/// The digits are no reference of a PIN. Says nothing of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a PIN reference is a key index of 0 to 9 with 4 digits, or an offset of 4 to 12 digits")]
pub struct InvalidPinReference;

impl OffsetDigits {
    /// The fewest digits of a PIN (ISO 9564).
    pub const FEWEST: usize = 4;
    /// The most digits of a PIN (ISO 9564).
    pub const MOST: usize = 12;

    /// From ASCII digits.
    ///
    /// # Errors
    /// Another number of them, or something else than digits.
    pub fn new(ascii: &[u8]) -> Result<Self, InvalidPinReference> {
        let fits = (Self::FEWEST..=Self::MOST).contains(&ascii.len());
        if !fits || !ascii.iter().all(u8::is_ascii_digit) {
            return Err(InvalidPinReference);
        }
        let mut digits = [b'0'; Self::MOST];
        for (slot, digit) in digits.iter_mut().zip(ascii) {
            *slot = *digit;
        }
        Ok(Self { digits, length: u8::try_from(ascii.len()).map_err(|_| InvalidPinReference)? })
    }

    /// The ASCII digits: to compute with and to store, never to show.
    #[must_use]
    pub fn ascii(&self) -> &[u8] {
        self.digits.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl PinReference {
    /// A verification value, from its ASCII digits.
    ///
    /// # Errors
    /// The index is above 9, or these are not four digits.
    pub fn pvv(key_index: u8, ascii: &[u8]) -> Result<Self, InvalidPinReference> {
        let value: [u8; 4] = ascii.try_into().map_err(|_| InvalidPinReference)?;
        if key_index > 9 || !value.iter().all(u8::is_ascii_digit) {
            return Err(InvalidPinReference);
        }
        Ok(Self::Pvv { key_index, value })
    }

    /// An offset, from its ASCII digits.
    ///
    /// # Errors
    /// These are not 4 to 12 digits.
    pub fn offset(ascii: &[u8]) -> Result<Self, InvalidPinReference> {
        Ok(Self::Offset { digits: OffsetDigits::new(ascii)? })
    }

    /// Its digits: to compute with and to store, never to show.
    #[must_use]
    pub fn ascii(&self) -> &[u8] {
        match self {
            Self::Pvv { value, .. } => value,
            Self::Offset { digits } => digits.ascii(),
        }
    }

    /// The index of its key; `None` of an offset.
    #[must_use]
    pub const fn key_index(&self) -> Option<u8> {
        match self {
            Self::Pvv { key_index, .. } => Some(*key_index),
            Self::Offset { .. } => None,
        }
    }
}

impl PartialEq for PinReference {
    /// In constant time over the longest digits there can be.
    fn eq(&self, other: &Self) -> bool {
        let (mut own, mut others) =
            (OffsetDigits::new(self.ascii()), OffsetDigits::new(other.ascii()));
        let same = match (&own, &others) {
            (Ok(own), Ok(others)) => bool::from(own.digits.ct_eq(&others.digits)),
            _ => self.ascii().is_empty() && other.ascii().is_empty(),
        };
        for copy in [&mut own, &mut others].into_iter().flatten() {
            copy.digits.zeroize();
        }
        same && self.key_index() == other.key_index() && self.ascii().len() == other.ascii().len()
    }
}

impl Eq for PinReference {}

impl Drop for PinReference {
    fn drop(&mut self) {
        match self {
            Self::Pvv { value, .. } => value.zeroize(),
            Self::Offset { digits } => digits.digits.zeroize(),
        }
    }
}

impl std::fmt::Debug for PinReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PinReference(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_of_the_right_number_are_taken_and_none_is_shown() {
        let pvv = PinReference::pvv(1, b"1234").expect("a verification value");
        assert_eq!(format!("{pvv:?}"), "PinReference(hidden)");
        assert_eq!((pvv.key_index(), pvv.ascii()), (Some(1), b"1234".as_slice()));
        for wrong in [b"123".as_slice(), b"12345", b"12a4"] {
            assert_eq!(PinReference::pvv(1, wrong), Err(InvalidPinReference));
        }
        assert_eq!(PinReference::pvv(10, b"1234"), Err(InvalidPinReference));
        assert_eq!(PinReference::offset(b"123"), Err(InvalidPinReference));
        assert_eq!(PinReference::offset(b"1234567890123"), Err(InvalidPinReference));
        assert_eq!(PinReference::offset(b"12345x"), Err(InvalidPinReference));
    }

    #[test]
    fn references_are_equal_in_all_or_not_at_all() {
        let pvv = |index, digits| PinReference::pvv(index, digits).expect("a verification value");
        let offset = |digits| PinReference::offset(digits).expect("an offset");
        assert_eq!(pvv(1, b"1234"), pvv(1, b"1234"));
        assert_ne!(pvv(1, b"1234"), pvv(2, b"1234"));
        assert_ne!(pvv(1, b"1234"), pvv(1, b"1235"));
        assert_ne!(pvv(0, b"1234"), offset(b"1234"));
        assert_ne!(offset(b"1234"), offset(b"12340"));
        assert_eq!(offset(b"123456789012"), offset(b"123456789012"));
    }
}
