//! A decoded message, looked at through its dialect. Must read alike whatever the encoding, and
//! must not print content.

use std::fmt;

use super::charset::{hex_value, nibble_character};
use super::dialect::Dialect;
use super::ebcdic;
use super::field_set::FieldSet;
use super::fields::Fields;
use super::mti::Mti;
use super::spec::{Encoding, FieldSpec, FieldType};
use super::text::Text;
use super::wire::digit_nibbles;

/// A value that could not be had from a decoded message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ValueError {
    /// The field is not in the message, or was not readable.
    #[error("field {0} is absent")]
    Absent(u8),
    /// The field's type has no value of this sort.
    #[error("field {field} is not {wanted}")]
    WrongType {
        /// The field.
        field: u8,
        /// What was asked for.
        wanted: &'static str,
    },
    /// The number does not fit 64 bits.
    #[error("field {0} is too large for a 64-bit number")]
    TooLarge(u8),
    /// The buffer given is too short.
    #[error("field {field} needs a buffer of {needed} bytes")]
    BufferTooShort {
        /// The field.
        field: u8,
        /// Bytes it takes.
        needed: usize,
    },
}

/// A decoded message: the received bytes, and where the fields are in them. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    dialect: &'a Dialect,
    bytes: &'a [u8],
    fields: &'a Fields,
}

/// A field's rules, content and length.
struct Value<'a> {
    spec: &'a FieldSpec,
    content: &'a [u8],
    length: usize,
}

impl<'a> Message<'a> {
    pub(super) const fn new(dialect: &'a Dialect, bytes: &'a [u8], fields: &'a Fields) -> Self {
        Message { dialect, bytes, fields }
    }

    /// The dialect it is written in.
    #[must_use]
    pub const fn dialect(&self) -> &'a Dialect {
        self.dialect
    }

    /// The message type, unless it could not be read.
    #[must_use]
    pub const fn mti(&self) -> Option<Mti> {
        self.fields.mti()
    }

    /// The fields that can be read.
    #[must_use]
    pub const fn present(&self) -> FieldSet {
        self.fields.present()
    }

    /// True when the field can be read.
    #[must_use]
    pub const fn has(&self, field: u8) -> bool {
        self.fields.present().contains(field)
    }

    /// The field's bytes as received, its length in front included.
    #[must_use]
    pub fn raw(&self, field: u8) -> Option<&'a [u8]> {
        let span = self.fields.span(field)?;
        self.bytes.get(usize::from(span.start)..usize::from(span.end))
    }

    /// The field's bytes as received, without its length.
    #[must_use]
    pub fn content(&self, field: u8) -> Option<&'a [u8]> {
        let span = self.fields.span(field)?;
        self.bytes.get(usize::from(span.content)..usize::from(span.end))
    }

    /// The message up to a field's first byte, its length included.
    pub(super) fn before(&self, field: u8) -> Option<&'a [u8]> {
        self.bytes.get(..usize::from(self.fields.span(field)?.start))
    }

    fn value(&self, field: u8) -> Result<Value<'a>, ValueError> {
        let absent = ValueError::Absent(field);
        let span = self.fields.span(field).ok_or(absent)?;
        let spec = self.dialect.spec(field).ok_or(absent)?;
        let content = self.content(field).ok_or(absent)?;
        Ok(Value { spec, content, length: usize::from(span.length) })
    }

    /// The field's characters, with the padding they came with. Track data has `=` for its
    /// separator, whichever way that was written.
    ///
    /// # Errors
    /// [`ValueError::Absent`]; [`ValueError::WrongType`] for binary fields.
    pub fn text(&self, field: u8) -> Result<Text<'a>, ValueError> {
        let wrong = ValueError::WrongType { field, wanted: "text" };
        let Value { spec, content, length } = self.value(field)?;
        match (spec.kind, spec.encoding) {
            (FieldType::Binary, _) => Err(wrong),
            (FieldType::SignedAmount, Encoding::Bcd) => {
                let (sign, digits) = content.split_first().ok_or(wrong)?;
                let digits = digit_characters(spec, digits, length.saturating_sub(1));
                Text::unpacked(std::iter::once(*sign).chain(digits)).ok_or(wrong)
            }
            (_, Encoding::Bcd) => {
                Text::unpacked(digit_characters(spec, content, length)).ok_or(wrong)
            }
            (_, Encoding::Ebcdic037 | Encoding::Ebcdic1047) => {
                let table = ebcdic::to_ascii(spec.encoding).ok_or(wrong)?;
                let track = spec.kind == FieldType::Track;
                let plain = |byte: &u8| match ebcdic::in_ascii(table, *byte) {
                    b'D' | b'd' if track => b'=',
                    byte => byte,
                };
                Text::translated(content.iter().map(plain)).ok_or(wrong)
            }
            (FieldType::Track, _) if content.iter().any(|byte| matches!(byte, b'D' | b'd')) => {
                let plain = |byte: &u8| if matches!(byte, b'D' | b'd') { b'=' } else { *byte };
                Text::unpacked(content.iter().map(plain)).ok_or(wrong)
            }
            _ => std::str::from_utf8(content).map(Text::borrowed).map_err(|_| wrong),
        }
    }

    /// The field's digits in ASCII, written to `buffer`; gives the part written.
    ///
    /// # Errors
    /// [`ValueError::Absent`]; [`ValueError::WrongType`] when anything but digits is in it;
    /// [`ValueError::BufferTooShort`].
    pub fn digits<'b>(&self, field: u8, buffer: &'b mut [u8]) -> Result<&'b [u8], ValueError> {
        let length = self.value(field)?.length;
        let short = ValueError::BufferTooShort { field, needed: length };
        let place = buffer.get_mut(..length).ok_or(short)?;
        let mut slots = place.iter_mut();
        self.each_digit(field, |digit| {
            if let Some(slot) = slots.next() {
                *slot = digit | b'0';
            }
        })?;
        Ok(place)
    }

    /// The field's digits as a number. No digits at all are no number.
    ///
    /// # Errors
    /// [`ValueError::Absent`]; [`ValueError::WrongType`] when anything but digits is in it;
    /// [`ValueError::TooLarge`] past 64 bits.
    pub fn number(&self, field: u8) -> Result<u64, ValueError> {
        let mut sum = Some(0u64);
        let count = self.each_digit(field, |digit| {
            sum = sum.and_then(|sum| sum.checked_mul(10)?.checked_add(u64::from(digit)));
        })?;
        if count == 0 {
            return Err(ValueError::WrongType { field, wanted: "a number" });
        }
        sum.ok_or(ValueError::TooLarge(field))
    }

    /// Gives each digit's value in order; and how many there were.
    #[inline]
    fn each_digit(&self, field: u8, mut take: impl FnMut(u8)) -> Result<usize, ValueError> {
        let wrong = ValueError::WrongType { field, wanted: "a number" };
        let Value { spec, content, length } = self.value(field)?;
        match (spec.kind, spec.encoding) {
            (FieldType::Binary | FieldType::SignedAmount, _) => return Err(wrong),
            (_, Encoding::Bcd) => {
                for nibble in digit_nibbles(content, length, spec.pad) {
                    if nibble > 9 {
                        return Err(wrong);
                    }
                    take(nibble);
                }
            }
            (_, encoding) => {
                let zero = match encoding {
                    Encoding::Ebcdic037 | Encoding::Ebcdic1047 => ebcdic::ZERO,
                    _ => b'0',
                };
                for byte in content {
                    let digit = byte.wrapping_sub(zero);
                    if digit > 9 {
                        return Err(wrong);
                    }
                    take(digit);
                }
            }
        }
        Ok(length)
    }

    /// The bytes a binary field stands for: borrowed where they are on the wire as they are, else
    /// (hex) unpacked into `buffer`.
    ///
    /// # Errors
    /// [`ValueError::Absent`]; [`ValueError::WrongType`] unless the type is binary;
    /// [`ValueError::BufferTooShort`].
    pub fn bytes<'b>(&self, field: u8, buffer: &'b mut [u8]) -> Result<&'b [u8], ValueError>
    where
        'a: 'b,
    {
        let wrong = ValueError::WrongType { field, wanted: "binary" };
        let Value { spec, content, .. } = self.value(field)?;
        match (spec.kind, spec.encoding) {
            (FieldType::Binary, Encoding::Hex) => {
                let needed = content.len() >> 1;
                let short = ValueError::BufferTooShort { field, needed };
                let place = buffer.get_mut(..needed).ok_or(short)?;
                for (slot, pair) in place.iter_mut().zip(content.chunks_exact(2)) {
                    let &[high, low] = pair else { return Err(wrong) };
                    *slot = hex_value(high).ok_or(wrong)? << 4 | hex_value(low).ok_or(wrong)?;
                }
                Ok(place)
            }
            (FieldType::Binary, _) => Ok(content),
            _ => Err(wrong),
        }
    }
}

/// The characters of packed digits.
fn digit_characters(spec: &FieldSpec, packed: &[u8], count: usize) -> impl Iterator<Item = u8> {
    let kind = spec.kind;
    digit_nibbles(packed, count, spec.pad)
        .map(move |nibble| nibble_character(nibble, kind).unwrap_or(b'?'))
}

/// Field numbers and lengths only: content may be a card number.
impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        map.entry(&"dialect", &self.dialect.name());
        map.entry(&"mti", &self.mti());
        for field in self.present() {
            let length = self.fields.span(field).map(|span| span.length);
            map.entry(&field, &length.unwrap_or_default());
        }
        map.finish()
    }
}
