//! PINs in commands: encrypted blocks, references on file and how these are made. It owns their
//! words; a PIN is here encrypted, but for one that its holder has just typed, on its way to be
//! encrypted. None of them can be printed.

use std::fmt;

use switch_domain::{Pan, PinReference};
use zeroize::Zeroize;

use super::KeyHandle;
use crate::pin::ClearPin;

/// Whether the PIN in an encrypted block is the card's.
#[derive(Clone, Copy)]
pub struct VerifyPin<'a> {
    /// The PIN that was entered.
    pub pin: EncryptedPin<'a>,
    /// The card. A block that is bound to a card number is read with this one.
    pub pan: &'a Pan,
    /// What is on file; it says by which method it was made.
    pub reference: &'a PinReference,
    /// The PIN verification key: `V2` for a PVV, `V1` for an offset.
    pub key: KeyHandle,
    /// What an offset takes beside its key; a PVV takes nothing of it.
    pub ibm3624: Ibm3624,
}

/// The reference of the PIN in an encrypted block. Whoever changes a PIN verifies the old one
/// first.
#[derive(Clone, Copy)]
pub struct GeneratePinReference<'a> {
    /// The new PIN.
    pub pin: EncryptedPin<'a>,
    /// The card. A block that is bound to a card number is read with this one.
    pub pan: &'a Pan,
    /// Which reference is made.
    pub method: PinMethod,
    /// The PIN verification key: `V2` for a PVV, `V1` for an offset.
    pub key: KeyHandle,
}

/// A PIN that a card's holder chose and sent, encrypted, to whom the card is from. It is in clear
/// from the opening of that message to the making of a block. It cannot be printed, copied or
/// compared, and is wiped on drop:
///
/// ```compile_fail
/// fn print<T: std::fmt::Debug>() {}
/// print::<switch_security::ChosenPin>();
/// ```
///
/// ```compile_fail
/// fn copy<T: Clone>() {}
/// copy::<switch_security::ChosenPin>();
/// ```
///
/// ```compile_fail
/// fn compare<T: PartialEq>() {}
/// compare::<switch_security::ChosenPin>();
/// ```
pub struct ChosenPin(ClearPin);

impl ChosenPin {
    /// From 4 to 12 ASCII digits; `None` of anything else.
    #[must_use]
    pub fn from_ascii(digits: &[u8]) -> Option<Self> {
        ClearPin::from_ascii(digits).map(Self)
    }

    pub(crate) const fn clear(&self) -> &ClearPin {
        &self.0
    }
}

/// A chosen PIN as an encrypted block: what else is done with it is done with that.
#[derive(Clone, Copy)]
pub struct EncryptPin<'a> {
    /// The PIN.
    pub pin: &'a ChosenPin,
    /// The card that the block is bound to.
    pub pan: &'a Pan,
    /// The format of the block.
    pub format: PinBlockFormat,
    /// The zone key: `P0`.
    pub key: KeyHandle,
}

/// The PIN of a block for another zone. There is one card number: no PIN is ever bound to another.
#[derive(Clone, Copy)]
pub struct TranslatePin<'a> {
    /// The PIN as it came.
    pub pin: EncryptedPin<'a>,
    /// The card.
    pub pan: &'a Pan,
    /// The format that it is to have. Which pairs there are is PCI PIN's, requirement 3-3.
    pub to: PinBlockFormat,
    /// The zone key (`P0`) that it is to be encrypted under.
    pub to_key: KeyHandle,
}

/// A PIN in an encrypted block, with all that is needed to read it but the card number.
#[derive(Clone, Copy)]
pub struct EncryptedPin<'a> {
    /// The block.
    pub block: &'a EncryptedPinBlock,
    /// Its format.
    pub format: PinBlockFormat,
    /// The zone key (`P0`) that it is encrypted under: triple DES, or AES for format 4.
    pub key: KeyHandle,
}

/// The format of a PIN block, of ISO 9564-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PinBlockFormat {
    /// Format 0: PIN and card number, added.
    Iso0,
    /// Format 1: no card number; where none is known yet.
    Iso1,
    /// Format 2: towards the chip of a card, and nowhere else.
    Iso2,
    /// Format 3: as format 0, with a filler by chance.
    Iso3,
    /// Format 4: two blocks of AES, bound to the card number.
    Iso4,
}

impl PinBlockFormat {
    /// Every format, in the order of the numbers.
    pub const ALL: [Self; 5] = [Self::Iso0, Self::Iso1, Self::Iso2, Self::Iso3, Self::Iso4];

    /// The number that ISO 9564-1 gives it.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Iso0 => 0,
            Self::Iso1 => 1,
            Self::Iso2 => 2,
            Self::Iso3 => 3,
            Self::Iso4 => 4,
        }
    }

    /// From that number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.number() == number)
    }

    /// Bytes of a block of it, encrypted.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Iso0 | Self::Iso1 | Self::Iso2 | Self::Iso3 => 8,
            Self::Iso4 => 16,
        }
    }
}

impl fmt::Display for PinBlockFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

/// A PIN block as it is on the wire: encrypted, 8 bytes or 16. Kept nowhere and never shown (PCI
/// PIN 4), so it is wiped on drop and cannot be printed:
///
/// ```compile_fail
/// fn print<T: std::fmt::Debug>() {}
/// print::<switch_security::EncryptedPinBlock>();
/// ```
pub struct EncryptedPinBlock {
    bytes: [u8; Self::MAX_BYTES],
    length: u8,
}

impl EncryptedPinBlock {
    /// Bytes of the longest: two blocks of DES, or one of AES.
    pub const MAX_BYTES: usize = 16;

    /// From 8 bytes or 16; `None` of any other length.
    #[must_use]
    pub fn new(block: &[u8]) -> Option<Self> {
        let length = match block.len() {
            8 => 8,
            16 => 16,
            _ => return None,
        };
        let mut bytes = [0; Self::MAX_BYTES];
        for (slot, byte) in bytes.iter_mut().zip(block) {
            *slot = *byte;
        }
        Some(Self { bytes, length })
    }

    /// The bytes, for a message or a module's wire.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl Drop for EncryptedPinBlock {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// Which reference of a PIN is made, with all that the method leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinMethod {
    /// Visa PVV, of the first four digits of the PIN and the key of this index (0 to 9).
    Pvv {
        /// Which key of the pair's set, as it is written on the card.
        key_index: u8,
    },
    /// The offset of IBM 3624, as long as the PIN.
    Ibm3624(Ibm3624),
}

/// What the natural PIN of IBM 3624 is computed from, beside card number and key. By default what
/// is in use most: the twelve digits before the check digit, zeros, and the table of remainders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ibm3624 {
    /// Which digits of the card number are the validation data.
    pub validation: PanPart,
    /// The hexadecimal digit that fills them up to sixteen, 0 to 15.
    pub pad: u8,
    /// What the hexadecimal digits of the result stand for.
    pub table: DecimalisationTable,
}

impl Default for Ibm3624 {
    fn default() -> Self {
        let validation = PanPart::BeforeCheckDigit { take: 12 };
        Self { validation, pad: 0, table: DecimalisationTable::default() }
    }
}

/// A part of a card number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PanPart {
    /// So many digits after so many from the left, or fewer where the number ends.
    FromLeft {
        /// How many are left out.
        skip: u8,
        /// How many are taken, 16 at most.
        take: u8,
    },
    /// So many digits before the check digit, or fewer where the number has not so many.
    BeforeCheckDigit {
        /// How many are taken, 16 at most.
        take: u8,
    },
}

/// What each of the sixteen hexadecimal digits stands for, as a decimal one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecimalisationTable([u8; 16]);

impl Default for DecimalisationTable {
    fn default() -> Self {
        Self([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5])
    }
}

impl DecimalisationTable {
    /// How many different digits a table has at least, and how often it has one at most.
    const DIFFERENT: usize = 8;
    const REPEATS: usize = 4;

    /// From sixteen ASCII digits; `None` of anything else.
    #[must_use]
    pub fn from_digits(ascii: &[u8]) -> Option<Self> {
        let digits = <[u8; 16]>::try_from(ascii).ok()?;
        let good = digits.iter().all(u8::is_ascii_digit);
        good.then_some(Self(digits.map(|digit| digit & 0x0F)))
    }

    /// Whether it maps so many to one digit that natural PINs could be found out by it, one table
    /// after the other: then no module works with it. A good one has eight different digits at
    /// least, and none of them more than four times.
    #[must_use]
    pub fn gives_pins_away(&self) -> bool {
        let times = |digit: u8| self.0.iter().filter(|other| **other == digit).count();
        let counts = (0..=9).map(times);
        let different = counts.clone().filter(|count| *count > 0).count();
        different < Self::DIFFERENT || counts.max().is_some_and(|count| count > Self::REPEATS)
    }

    /// The decimal digits, as numbers, by hexadecimal digit.
    #[must_use]
    pub const fn digits(&self) -> &[u8; 16] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_have_the_numbers_of_the_standard() {
        for number in 0..=4 {
            let format = PinBlockFormat::from_number(number).expect("a format");
            assert_eq!(format.to_string(), number.to_string());
        }
        assert_eq!(PinBlockFormat::from_number(5), None);
    }

    #[test]
    fn a_block_has_eight_bytes_or_sixteen() {
        for length in 0..40 {
            let block = EncryptedPinBlock::new(&vec![7; length]);
            assert_eq!(block.is_some(), [8, 16].contains(&length), "{length}");
            assert!(block.is_none_or(|block| block.bytes() == vec![7; length]));
        }
    }

    #[test]
    fn a_table_that_gives_pins_away_is_known() {
        let table = |digits: &[u8]| DecimalisationTable::from_digits(digits);
        assert_eq!(table(b"0123456789012345"), Some(DecimalisationTable::default()));
        for good in [b"0123456789012345", b"8351296477461538"] {
            assert!(table(good).is_some_and(|table| !table.gives_pins_away()));
        }
        for bad in [b"0000000000000000", b"0123456012345601", b"0123456789000000"] {
            assert!(table(bad).is_some_and(|table| table.gives_pins_away()));
        }
        assert!(table(b"012345678901234").is_none() && table(b"012345678901234A").is_none());
    }
}
