//! A PIN in clear, for as long as something is computed of it. It owns that it is wiped, and has no
//! printable form; and that nobody learns what was wrong with a block that holds none.

use subtle::Choice;
use zeroize::{Zeroize, Zeroizing};

use crate::SecurityError;

/// Digits of the shortest PIN (ISO 9564-1).
pub(crate) const FEWEST: usize = 4;
/// Digits of the longest.
pub(crate) const MOST: usize = 12;

/// 4 to 12 digits. It cannot be printed, copied or compared.
pub(crate) struct ClearPin {
    /// As numbers; zeros behind the last.
    digits: [u8; MOST],
    length: u8,
}

impl ClearPin {
    /// So many zeros: what is read goes in their places.
    pub(super) fn blank(length: u8) -> Self {
        Self { digits: [0; MOST], length }
    }

    /// Puts a digit, 0 to 9, in its place; none behind the last that there can be.
    pub(super) fn put(&mut self, place: u8, digit: u8) {
        if let Some(slot) = self.digits.get_mut(usize::from(place)) {
            *slot = digit;
        }
    }

    /// How many digits.
    pub(crate) const fn length(&self) -> u8 {
        self.length
    }

    /// The digits as numbers.
    pub(crate) fn digits(&self) -> &[u8] {
        self.digits.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// The same with zeros behind them, as many as the longest PIN has.
    pub(super) const fn all_places(&self) -> &[u8; MOST] {
        &self.digits
    }

    /// The digits in ASCII, for a script.
    pub(crate) fn ascii(&self) -> AsciiPin {
        let mut digits = Zeroizing::new([0; MOST]);
        let own = digits.iter_mut().zip(self.digits());
        own.for_each(|(slot, digit)| *slot = b'0' | digit);
        AsciiPin { digits, length: usize::from(self.length) }
    }

    /// From ASCII digits.
    pub(crate) fn from_ascii(ascii: &[u8]) -> Option<Self> {
        let fits = (FEWEST..=MOST).contains(&ascii.len());
        if !fits || !ascii.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut pin = Self::blank(u8::try_from(ascii.len()).ok()?);
        for (place, digit) in (0..).zip(ascii) {
            pin.put(place, digit & 0x0F);
        }
        Some(pin)
    }
}

impl Drop for ClearPin {
    fn drop(&mut self) {
        self.digits.zeroize();
    }
}

/// The same in ASCII, wiped on drop.
pub(crate) struct AsciiPin {
    digits: Zeroizing<[u8; MOST]>,
    length: usize,
}

impl AsciiPin {
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.digits.get(..self.length).unwrap_or_default()
    }
}

/// What was read from a block. Where the block was no good there is a PIN too, of some digits, so
/// that whoever goes on to verify it takes as long as with a good one (C-25).
pub(crate) struct ReadPin {
    pub(super) pin: ClearPin,
    pub(super) good: Choice,
}

impl ReadPin {
    /// The PIN, of a good block.
    pub(crate) fn into_pin(self) -> Result<ClearPin, SecurityError> {
        if self.good.into() { Ok(self.pin) } else { Err(SecurityError::Incorrect) }
    }

    /// Whether the block was good: to look for a key that opens it.
    pub(crate) fn is_good(&self) -> bool {
        self.good.into()
    }
}
