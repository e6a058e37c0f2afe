//! The length in front of every frame: how it is written and read. It never counts itself.

use serde::{Deserialize, Serialize};

use super::error::{FrameError, LengthHint};

/// How a frame's length is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LengthHeader {
    /// Two bytes, big-endian: 300 is `01 2C`.
    Binary2,
    /// Four ASCII digits: 300 is `0300`.
    Ascii4,
    /// Four digits packed into two bytes: 300 is `03 00`.
    Bcd2,
}

impl LengthHeader {
    /// Bytes the length itself takes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            LengthHeader::Binary2 | LengthHeader::Bcd2 => 2,
            LengthHeader::Ascii4 => 4,
        }
    }

    /// The largest length that can be written.
    #[must_use]
    pub const fn capacity(self) -> usize {
        match self {
            LengthHeader::Binary2 => 0xFFFF,
            LengthHeader::Ascii4 | LengthHeader::Bcd2 => 9999,
        }
    }

    /// Reads the length from the front of the bytes; `None` while they are too few.
    pub(super) fn read(self, bytes: &[u8], max: usize) -> Result<Option<usize>, FrameError> {
        let Some(header) = bytes.get(..self.bytes()) else { return Ok(None) };
        let mut length = 0usize;
        for (index, byte) in header.iter().enumerate() {
            let (scale, value) = match self {
                LengthHeader::Binary2 => (256, usize::from(*byte)),
                LengthHeader::Ascii4 => (10, usize::from(byte.wrapping_sub(b'0'))),
                LengthHeader::Bcd2 => {
                    let [high, low] = [byte >> 4, byte & 0x0F].map(usize::from);
                    let value = if high > 9 || low > 9 {
                        usize::MAX
                    } else {
                        high.wrapping_mul(10).wrapping_add(low)
                    };
                    (100, value)
                }
            };
            if value >= scale {
                let hint = self.hint(header, max);
                return Err(FrameError::LengthNotDigits { index, byte: *byte, hint });
            }
            length = length.saturating_mul(scale).saturating_add(value);
        }
        if length > max {
            return Err(FrameError::TooLong { length, max, hint: self.hint(header, max) });
        }
        Ok(Some(length))
    }

    /// What the header of a peer with another framing looks like from here.
    fn hint(self, header: &[u8], max: usize) -> Option<LengthHint> {
        let ascii_digits = header.iter().all(u8::is_ascii_digit);
        match self {
            LengthHeader::Binary2 | LengthHeader::Bcd2 if ascii_digits => {
                Some(LengthHint::AsciiDigits)
            }
            LengthHeader::Ascii4 | LengthHeader::Bcd2 if !ascii_digits => {
                let &[high, low, ..] = header else { return None };
                let binary = usize::from(u16::from_be_bytes([high, low]));
                (1..=max).contains(&binary).then_some(LengthHint::Binary)
            }
            _ => None,
        }
    }

    /// The length as bytes: the first `bytes()` of the four. The caller has checked the capacity.
    pub(super) fn write(self, length: usize) -> [u8; 4] {
        let digit = |n: usize| (n % 10) as u8;
        match self {
            LengthHeader::Binary2 => [(length >> 8) as u8, length as u8, 0, 0],
            LengthHeader::Ascii4 => [
                b'0' | digit(length / 1000),
                b'0' | digit(length / 100),
                b'0' | digit(length / 10),
                b'0' | digit(length),
            ],
            LengthHeader::Bcd2 => [
                digit(length / 1000) << 4 | digit(length / 100),
                digit(length / 10) << 4 | digit(length),
                0,
                0,
            ],
        }
    }
}
