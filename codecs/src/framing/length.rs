//! The length in front of every frame: how it is written and read, and what it counts. Must refuse
//! a length before anybody reserves a byte for it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::{FrameError, LengthHint};

/// How a frame's length is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum LengthHeader {
    /// Two bytes, big-endian: 300 is `01 2C`.
    Binary2,
    /// Three bytes, big-endian: 300 is `00 01 2C`.
    Binary3,
    /// Four bytes, big-endian: 300 is `00 00 01 2C`.
    Binary4,
    /// Two bytes, big-endian, and two that are zero: 300 is `01 2C 00 00`. What a peer puts into
    /// the last two is not looked at: some mark their keep-alives there.
    Binary2Zero2,
    /// Two bytes that are zero, and two, big-endian: 300 is `00 00 01 2C`.
    Zero2Binary2,
    /// So many ASCII digits, 2 to 6: 300 in four is `0300`.
    Ascii(u8),
    /// Four hexadecimal ASCII characters: 300 is `012c`. Either case is read.
    Hex4,
    /// Four digits packed into two bytes: 300 is `03 00`.
    Bcd2,
    /// None: a trailer ends the frame.
    None,
}

/// A length form that nobody knows.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "'{0}' is no length form; there are binary2, binary3, binary4, binary2-zero2, zero2-binary2, \
     ascii2 to ascii6, hex4, bcd2 and none"
)]
pub struct UnknownLength(String);

impl fmt::Display for LengthHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LengthHeader::Binary2 => "binary2",
            LengthHeader::Binary3 => "binary3",
            LengthHeader::Binary4 => "binary4",
            LengthHeader::Binary2Zero2 => "binary2-zero2",
            LengthHeader::Zero2Binary2 => "zero2-binary2",
            LengthHeader::Ascii(digits) => return write!(f, "ascii{digits}"),
            LengthHeader::Hex4 => "hex4",
            LengthHeader::Bcd2 => "bcd2",
            LengthHeader::None => "none",
        })
    }
}

impl FromStr for LengthHeader {
    type Err = UnknownLength;

    fn from_str(name: &str) -> Result<LengthHeader, UnknownLength> {
        let known = LengthHeader::all().find(|form| form.to_string() == name);
        known.ok_or_else(|| UnknownLength(name.to_owned()))
    }
}

impl TryFrom<String> for LengthHeader {
    type Error = UnknownLength;

    fn try_from(name: String) -> Result<LengthHeader, UnknownLength> {
        name.parse()
    }
}

impl From<LengthHeader> for String {
    fn from(form: LengthHeader) -> String {
        form.to_string()
    }
}

/// Bytes of the longest form.
pub(super) const LONGEST: usize = 6;

impl LengthHeader {
    /// Every form.
    pub fn all() -> impl Iterator<Item = LengthHeader> {
        let ascii = (2..=6).map(LengthHeader::Ascii);
        [
            LengthHeader::Binary2,
            LengthHeader::Binary3,
            LengthHeader::Binary4,
            LengthHeader::Binary2Zero2,
            LengthHeader::Zero2Binary2,
            LengthHeader::Hex4,
            LengthHeader::Bcd2,
            LengthHeader::None,
        ]
        .into_iter()
        .chain(ascii)
    }

    /// Bytes the length itself takes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            LengthHeader::None => 0,
            LengthHeader::Binary2 | LengthHeader::Bcd2 => 2,
            LengthHeader::Binary3 => 3,
            LengthHeader::Binary4
            | LengthHeader::Binary2Zero2
            | LengthHeader::Zero2Binary2
            | LengthHeader::Hex4 => 4,
            LengthHeader::Ascii(digits) => digits as usize,
        }
    }

    /// The largest number that can be written.
    #[must_use]
    pub const fn capacity(self) -> usize {
        match self {
            LengthHeader::Binary2
            | LengthHeader::Binary2Zero2
            | LengthHeader::Zero2Binary2
            | LengthHeader::Hex4 => 0xFFFF,
            LengthHeader::Binary3 => 0xFF_FFFF,
            LengthHeader::Binary4 => 0xFFFF_FFFF,
            LengthHeader::Bcd2 => 9999,
            LengthHeader::Ascii(digits) => 10usize.saturating_pow(digits as u32).saturating_sub(1),
            LengthHeader::None => usize::MAX,
        }
    }

    /// How much the number grows with each byte, and what the byte adds; `None` where it may not
    /// stand there.
    const fn digit(self, byte: u8) -> Option<(usize, usize)> {
        let (scale, value) = match self {
            LengthHeader::Ascii(_) => (10, byte.wrapping_sub(b'0') as usize),
            LengthHeader::Hex4 => match (byte as char).to_digit(16) {
                Some(value) => (16, value as usize),
                None => return None,
            },
            LengthHeader::Bcd2 => {
                let (high, low) = (byte >> 4, byte & 0x0F);
                if high > 9 || low > 9 {
                    return None;
                }
                (100, high.wrapping_mul(10).wrapping_add(low) as usize)
            }
            _ => (256, byte as usize),
        };
        if value < scale { Some((scale, value)) } else { None }
    }

    /// Reads the number at the front of the bytes; `None` while they are too few. `most` is the
    /// largest that is accepted.
    pub(super) fn read(self, bytes: &[u8], most: usize) -> Result<Option<usize>, FrameError> {
        let Some(header) = bytes.get(..self.bytes()) else { return Ok(None) };
        let counted = match self {
            LengthHeader::Binary2Zero2 => header.get(..2).unwrap_or_default(),
            _ => header,
        };
        let mut length = 0usize;
        for (index, byte) in counted.iter().enumerate() {
            let Some((scale, value)) = self.digit(*byte) else {
                let hint = self.hint(header, most);
                return Err(FrameError::LengthNotDigits { index, byte: *byte, hint });
            };
            length = length.saturating_mul(scale).saturating_add(value);
        }
        if length > most {
            let hint = self.hint(header, most);
            return Err(FrameError::TooLong { length, max: most, hint });
        }
        Ok(Some(length))
    }

    /// What the header of a peer with another framing looks like from here.
    fn hint(self, header: &[u8], most: usize) -> Option<LengthHint> {
        let ascii_digits = header.iter().all(u8::is_ascii_digit);
        match self {
            LengthHeader::Ascii(_) | LengthHeader::Hex4 | LengthHeader::Bcd2 if !ascii_digits => {
                let &[high, low, ..] = header else { return None };
                let binary = usize::from(u16::from_be_bytes([high, low]));
                (1..=most).contains(&binary).then_some(LengthHint::Binary)
            }
            LengthHeader::Ascii(_) | LengthHeader::Hex4 => None,
            _ => ascii_digits.then_some(LengthHint::AsciiDigits),
        }
    }

    /// The number as bytes: the first `bytes()` of them. The caller has checked the capacity.
    pub(super) fn write(self, length: usize) -> [u8; LONGEST] {
        let mut out = [0; LONGEST];
        let counted = match self {
            LengthHeader::Binary2Zero2 => 2,
            _ => self.bytes(),
        };
        let mut left = length;
        for slot in out.iter_mut().take(counted).rev() {
            let (byte, rest) = match self {
                LengthHeader::Ascii(_) => (b'0' | (left % 10) as u8, left / 10),
                LengthHeader::Hex4 => (hex_character((left & 0x0F) as u8), left >> 4),
                LengthHeader::Bcd2 => {
                    let pair = (left % 100) as u8;
                    (((pair / 10) << 4) | (pair % 10), left / 100)
                }
                _ => (left as u8, left >> 8),
            };
            (*slot, left) = (byte, rest);
        }
        out
    }
}

/// In lower case, as peers of this framing write it.
const fn hex_character(nibble: u8) -> u8 {
    match nibble {
        0..=9 => b'0' | nibble,
        _ => nibble.wrapping_sub(10).wrapping_add(b'a'),
    }
}
