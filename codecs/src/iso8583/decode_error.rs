//! What was wrong with a message: field, byte offset, what was expected, what was found.
//! Must never carry a byte of a sensitive field, only what kind of byte it was.

use std::fmt;
use std::sync::Arc;

use crate::emv::TlvFault;

/// The kind of a byte, told instead of the byte where it could be part of a secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ByteKind {
    /// `0` to `9`.
    Digit,
    /// A letter of ASCII.
    Letter,
    /// The space.
    Space,
    /// Any other printable character of ASCII.
    Punctuation,
    /// A control character of ASCII.
    Control,
    /// 0x80 and up.
    HighByte,
    /// Half a byte above 9.
    HighNibble,
    /// Half a byte of another value than it must have.
    Nibble,
}

impl ByteKind {
    pub(super) const fn of(byte: u8) -> ByteKind {
        match byte {
            b'0'..=b'9' => ByteKind::Digit,
            b'a'..=b'z' | b'A'..=b'Z' => ByteKind::Letter,
            b' ' => ByteKind::Space,
            0x21..=0x7E => ByteKind::Punctuation,
            0x80..=0xFF => ByteKind::HighByte,
            _ => ByteKind::Control,
        }
    }
}

impl fmt::Display for ByteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ByteKind::Digit => "a digit",
            ByteKind::Letter => "a letter",
            ByteKind::Space => "a space",
            ByteKind::Punctuation => "a punctuation character",
            ByteKind::Control => "a control character",
            ByteKind::HighByte => "a byte above 0x7F",
            ByteKind::HighNibble => "a half byte above 9",
            ByteKind::Nibble => "another half byte",
        })
    }
}

/// What stood in the wrong place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// This byte; only in fields that are not sensitive.
    Byte(u8),
    /// This half byte; only in fields that are not sensitive.
    Nibble(u8),
    /// A byte of this kind, in a sensitive field.
    Kind(ByteKind),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Found::Byte(byte) => write!(f, "0x{byte:02X}"),
            Found::Nibble(nibble) => write!(f, "half byte 0x{nibble:X}"),
            Found::Kind(kind) => kind.fmt(f),
        }
    }
}

/// The fault itself. Offsets are in [`DecodeError`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DecodeFault {
    /// The message ends inside this element: `needed` bytes belong to it, `left` are there.
    Truncated {
        /// Bytes the element takes from its offset on.
        needed: usize,
        /// Bytes there are from its offset on.
        left: usize,
    },
    /// The length in front of the content is not made of digits.
    LengthNotDigits {
        /// Digits a length has here.
        digits: usize,
        /// What stood in place of one.
        found: Found,
    },
    /// The length is past what the dialect allows; nothing after it can be trusted.
    LengthAboveMaximum {
        /// Length on the wire.
        length: usize,
        /// Largest the dialect allows.
        max: u16,
    },
    /// A character that may not stand in a field of this type.
    Character {
        /// How many characters the field has.
        count: usize,
        /// What they must be, in words.
        expected: &'static str,
        /// What was there.
        found: Found,
    },
    /// The half byte that fills up an odd number of digits is not the dialect's.
    Padding {
        /// The dialect's.
        expected: u8,
        /// What was there.
        found: Found,
    },
    /// An odd number of hexadecimal characters.
    OddHex {
        /// How many.
        length: usize,
    },
    /// `x+n` has no room for a sign.
    NoSign,
    /// The bitmap announces a field the dialect does not define.
    UndefinedBit,
    /// Bytes are left after the last field.
    TrailingBytes {
        /// How many.
        count: usize,
    },
    /// A sub-element that the dialect does not describe, and does not let pass.
    UnknownElement,
    /// What should be BER-TLV is not.
    NotTlv {
        /// Why.
        fault: TlvFault,
    },
    /// The message is longer than any can be.
    MessageTooLong {
        /// Bytes given.
        length: usize,
        /// Bytes allowed.
        max: usize,
    },
}

/// What is wrong with a field, in the codes of the message error indicator (DE18 of 2003).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorCode {
    /// It is not there.
    Missing = 1,
    /// It is too long, or ends too soon.
    Length = 2,
    /// It means nothing.
    Value = 3,
    /// Anything else.
    Other = 8,
}

/// One set of the message error indicator: severity 2 (00, an error), code 4, data element 3,
/// sub-element 2 and data set 3, of which nothing is said.
#[must_use]
pub fn error_set(field: u8, code: ErrorCode) -> String {
    format!("00{:04}{field:03}00000", code as u8)
}

/// A message that is not what its dialect says.
///
/// `Display` gives the whole sentence, e.g. `field 4 (amount, transaction) at byte 38: expected 12
/// digits, found 0x41 at byte 40`. The text shows no content of sensitive fields and may be logged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DecodeError {
    pub(super) field: u8,
    pub(super) element: Option<Arc<str>>,
    pub(super) name: Arc<str>,
    pub(super) offset: usize,
    pub(super) found_at: usize,
    pub(super) fault: DecodeFault,
}

impl DecodeError {
    /// Field number: 2 to 128; 0 for the message type, 1 for the bitmap or the message as a whole.
    #[must_use]
    pub const fn field(&self) -> u8 {
        self.field
    }

    /// The sub-element of the field, as its dialect writes it: a number, a tag, a bit; "" for one
    /// of which not even that could be read.
    #[must_use]
    pub fn element(&self) -> Option<&str> {
        self.element.as_deref()
    }

    /// The field's name in the dialect.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Byte offset in the message at which the field begins, its length included.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// Byte offset of what was found.
    #[must_use]
    pub const fn found_at(&self) -> usize {
        self.found_at
    }

    /// The fault.
    #[must_use]
    pub const fn fault(&self) -> &DecodeFault {
        &self.fault
    }

    /// True when reading cannot go on behind this fault; false when the field's extent was known,
    /// and the rest was read too (up to a structural fault behind it, if there is one). Either way
    /// [`super::Fields`] holds every field read without fault.
    #[must_use]
    pub fn is_structural(&self) -> bool {
        if self.element.is_some() {
            return false;
        }
        match self.fault {
            DecodeFault::TrailingBytes { .. } => false,
            // Without message type or bitmap nothing behind them can be read.
            DecodeFault::Character { .. }
            | DecodeFault::Padding { .. }
            | DecodeFault::OddHex { .. }
            | DecodeFault::NoSign => self.field <= 1,
            _ => true,
        }
    }

    /// The field as an error set of the message error indicator names it (DE18 of 2003).
    #[must_use]
    pub fn error_set(&self) -> String {
        error_set(self.field, self.error_code())
    }

    /// What sort of error it is to that indicator.
    const fn error_code(&self) -> ErrorCode {
        match self.fault {
            DecodeFault::Truncated { .. }
            | DecodeFault::LengthNotDigits { .. }
            | DecodeFault::LengthAboveMaximum { .. }
            | DecodeFault::OddHex { .. }
            | DecodeFault::TrailingBytes { .. }
            | DecodeFault::MessageTooLong { .. } => ErrorCode::Length,
            DecodeFault::Character { .. }
            | DecodeFault::Padding { .. }
            | DecodeFault::NotTlv { .. }
            | DecodeFault::NoSign => ErrorCode::Value,
            DecodeFault::UndefinedBit | DecodeFault::UnknownElement => ErrorCode::Other,
        }
    }

    /// At most 25 characters for the additional response data of an answer, e.g. `FIELD 4 BYTE 40`.
    #[must_use]
    pub fn answer_text(&self) -> String {
        format!("FIELD {} BYTE {}", self.field, self.found_at)
    }

    /// What should have been there, in words.
    #[must_use]
    pub fn expected(&self) -> String {
        match &self.fault {
            DecodeFault::Truncated { needed, .. } => format!("{needed} bytes"),
            DecodeFault::LengthNotDigits { digits, .. } => format!("a length of {digits} digits"),
            DecodeFault::LengthAboveMaximum { max, .. } => format!("a length of at most {max}"),
            DecodeFault::Character { count, expected, .. } => format!("{count} {expected}"),
            DecodeFault::Padding { expected, .. } => format!("padding by half byte 0x{expected:X}"),
            DecodeFault::OddHex { .. } => "an even number of hexadecimal characters".into(),
            DecodeFault::NoSign => "a sign and digits".into(),
            DecodeFault::UnknownElement => "a sub-element that the dialect describes".into(),
            DecodeFault::NotTlv { .. } => "BER-TLV".into(),
            DecodeFault::UndefinedBit => format!("bit {} of the bitmap to be off", self.field),
            DecodeFault::TrailingBytes { .. } => "the end of the message".into(),
            DecodeFault::MessageTooLong { max, .. } => format!("at most {max} bytes"),
        }
    }

    /// What was there instead, in words; the kind of byte only, if the field is sensitive.
    #[must_use]
    pub fn found(&self) -> String {
        match &self.fault {
            DecodeFault::Truncated { left, .. } => format!("the end of the message after {left}"),
            DecodeFault::LengthNotDigits { found, .. }
            | DecodeFault::Character { found, .. }
            | DecodeFault::Padding { found, .. } => format!("{found} at byte {}", self.found_at),
            DecodeFault::LengthAboveMaximum { length, .. } | DecodeFault::OddHex { length } => {
                length.to_string()
            }
            DecodeFault::NoSign => "no room for them".into(),
            DecodeFault::UnknownElement => format!("another at byte {}", self.found_at),
            DecodeFault::NotTlv { fault } => format!("{fault} at byte {}", self.found_at),
            DecodeFault::UndefinedBit => {
                format!("it on, and no such field in the dialect, at byte {}", self.found_at)
            }
            DecodeFault::TrailingBytes { count } => format!("{count} more bytes"),
            DecodeFault::MessageTooLong { length, .. } => format!("{length} bytes"),
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DecodeError { field, name, offset, .. } = self;
        write!(f, "field {field} ({name})")?;
        match self.element() {
            None => write!(f, " at byte {offset}")?,
            Some("") => write!(f, ", sub-elements")?,
            Some(key) => write!(f, ", sub-element {key}")?,
        }
        write!(f, ": expected {}, found {}", self.expected(), self.found())
    }
}

impl std::error::Error for DecodeError {}
