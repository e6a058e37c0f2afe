//! Received bytes to field offsets, in one pass and without allocating. Must read every byte at
//! most once, never past the end, and go on after a fault whenever the next field's place is still
//! known.

use super::charset::{Charset, hex_value};
use super::decode_error::{DecodeError, DecodeFault, Found};
use super::dialect::{Bitmaps, Dialect};
use super::ebcdic;
use super::elements::ElementFlaw;
use super::field_set::FieldSet;
use super::fields::{Fields, Span};
use super::mti::Mti;
use super::rules::{Flaw, Read, read_field, truncated};
use super::spec::{BitmapEncoding, NumeralEncoding};
use super::wire::Reader;

/// Longest message that is decoded, in bytes: what a two-byte frame length can announce.
pub const MAX_MESSAGE: usize = 0xFFFF;

/// What was wrong in the fields that were read to their ends.
#[derive(Default)]
struct Faults {
    first: Option<DecodeError>,
    unreadable: FieldSet,
}

impl Dialect {
    /// Decodes one message into offsets.
    ///
    /// # Errors
    /// The first fault in the order of the bytes. `fields` then still holds all that was wholly
    /// read: after a fault in a field's content (letters in a number) the later fields too, after a
    /// structural one (a length that cannot be, a message cut short, an undefined bit) the earlier
    /// ones only. Sub-elements are looked at last.
    pub fn decode(&self, bytes: &[u8], fields: &mut Fields) -> Result<(), DecodeError> {
        fields.clear();
        if bytes.len() > MAX_MESSAGE {
            let fault = DecodeFault::MessageTooLong { length: bytes.len(), max: MAX_MESSAGE };
            return Err(self.error(1, 0, Flaw { at: MAX_MESSAGE, fault }));
        }
        let mut reader = Reader::new(bytes);
        let mti = read_mti(self.mti_encoding(), &mut reader);
        fields.mti = Some(mti.map_err(|flaw| self.error(0, 0, flaw))?);
        let bitmap_at = reader.at();
        let bitmap = read_bitmap(self.bitmap_encoding(), self.bitmaps(), &mut reader);
        fields.announced = bitmap.map_err(|flaw| self.error(1, bitmap_at, flaw))?;

        let (at, first) = self.walk(bytes, reader.at(), bitmap_at, fields)?;
        let trailing = || {
            let count = bytes.len().saturating_sub(at);
            self.error(1, at, Flaw { at, fault: DecodeFault::TrailingBytes { count } })
        };
        match first {
            Some(error) => Err(error),
            None if at < bytes.len() => Err(trailing()),
            None if self.elements.is_empty() => Ok(()),
            None => self.check_elements(bytes, fields),
        }
    }

    /// Reads the fields that are announced, from `at` on. Gives where they end, and the first fault
    /// of content.
    #[inline(always)]
    fn walk(
        &self,
        bytes: &[u8],
        mut at: usize,
        bitmap_at: usize,
        fields: &mut Fields,
    ) -> Result<(usize, Option<DecodeError>), DecodeError> {
        let mut faults = Faults::default();
        let mut done = 0usize;
        for word in fields.announced.words() {
            // From the lowest bit up: that is quicker than from the highest down.
            let mut left = word.reverse_bits();
            while left != 0 {
                let field = done.wrapping_add(left.trailing_zeros() as usize).wrapping_add(1);
                left &= left.wrapping_sub(1);
                let (Some(step), Some(span)) = (self.plan.get(field), fields.spans.get_mut(field))
                else {
                    break; // 192 fields have their places
                };
                at = match step.read(bytes, at, span) {
                    Some(end) => end,
                    None => {
                        let read = self.read_by_rules(field as u8, bytes, at, bitmap_at);
                        match self.note(read, field as u8, at, span, &mut faults) {
                            Ok(end) => end,
                            Err(error) => {
                                let earlier = fields.announced.before(field as u8);
                                fields.present = earlier.without(faults.unreadable);
                                return Err(error);
                            }
                        }
                    }
                };
            }
            done = done.wrapping_add(64);
        }
        fields.present = fields.announced.without(faults.unreadable);
        Ok((at, faults.first))
    }

    /// Keeps what the rules made of a field; gives its end. `Err` is the first fault of the
    /// message, when this one is structural.
    #[cold]
    fn note(
        &self,
        read: Result<Read, Flaw>,
        field: u8,
        start: usize,
        slot: &mut Span,
        faults: &mut Faults,
    ) -> Result<usize, DecodeError> {
        match read {
            Ok(Read { span, content_flaw }) => {
                if let Some(flaw) = content_flaw {
                    faults.first.get_or_insert_with(|| self.error(field, start, flaw));
                    faults.unreadable.insert(field);
                }
                *slot = span;
                Ok(span.end.into())
            }
            Err(flaw) => {
                let earlier = faults.first.take();
                Err(earlier.unwrap_or_else(|| self.error(field, start, flaw)))
            }
        }
    }

    /// Reads the field at `start` that the plan did not take.
    #[cold]
    #[inline(never)]
    fn read_by_rules(
        &self,
        field: u8,
        bytes: &[u8],
        start: usize,
        bitmap_at: usize,
    ) -> Result<Read, Flaw> {
        let Some(spec) = self.spec(field) else {
            let at = self.bit_offset(bitmap_at, field);
            return Err(Flaw { at, fault: DecodeFault::UndefinedBit });
        };
        let mut reader = Reader::new(bytes);
        reader.take(start);
        read_field(spec, self.is_sensitive(field), &mut reader)
    }

    /// Looks into the fields of which the dialect says what is in them.
    fn check_elements(&self, bytes: &[u8], fields: &mut Fields) -> Result<(), DecodeError> {
        for (field, elements) in &self.elements {
            let Some((offset, content_at)) = fields.place(*field) else { continue };
            let content = self.view(bytes, fields).content(*field).unwrap_or_default();
            if let Err(ElementFlaw { key, mut flaw }) = elements.check(content) {
                flaw.at = flaw.at.saturating_add(content_at);
                fields.present.remove(*field);
                let mut error = self.error(*field, offset, flaw);
                error.element = Some(key);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Offset of the byte of the bitmap that holds a field's bit.
    fn bit_offset(&self, bitmap_at: usize, field: u8) -> usize {
        let bit = usize::from(field.saturating_sub(1));
        let byte = match self.bitmap_encoding() {
            BitmapEncoding::Binary => bit >> 3,
            BitmapEncoding::Hex => bit >> 2,
        };
        bitmap_at.saturating_add(byte)
    }

    #[cold]
    fn error(&self, field: u8, offset: usize, flaw: Flaw) -> DecodeError {
        let name = self.shared_name(field);
        DecodeError { field, element: None, name, offset, found_at: flaw.at, fault: flaw.fault }
    }
}

fn read_mti(encoding: NumeralEncoding, reader: &mut Reader<'_>) -> Result<Mti, Flaw> {
    let (needed, zero) = match encoding {
        NumeralEncoding::Ascii => (4, Some(b'0')),
        NumeralEncoding::Ebcdic => (4, Some(ebcdic::ZERO)),
        NumeralEncoding::Bcd | NumeralEncoding::Binary => (2, None),
    };
    let bytes = reader.take(needed).ok_or_else(|| truncated(reader, 0, needed))?;
    let digits = match *bytes {
        [a, b, c, d] => [a, b, c, d].map(|byte| byte.wrapping_sub(zero.unwrap_or(0))),
        [ab, cd] => [ab >> 4, ab & 0x0F, cd >> 4, cd & 0x0F],
        _ => [u8::MAX; 4],
    };
    Mti::from_digits(digits).ok_or_else(|| {
        let index = digits.iter().position(|digit| *digit > 9).unwrap_or_default();
        let at = if zero.is_some() { index } else { index >> 1 };
        let found = match bytes.get(at) {
            Some(byte) if zero.is_some() => Found::Byte(*byte),
            _ => Found::Nibble(digits.get(index).copied().unwrap_or_default()),
        };
        Flaw { at, fault: DecodeFault::Character { count: 4, expected: "digits", found } }
    })
}

fn read_bitmap(
    encoding: BitmapEncoding,
    bitmaps: Bitmaps,
    reader: &mut Reader<'_>,
) -> Result<FieldSet, Flaw> {
    let start = reader.at();
    let mut words = [0; 3];
    let mut left = bitmaps.most;
    for slot in &mut words {
        let mut word = read_bitmap_word(encoding, start, reader)?;
        left = left.saturating_sub(1);
        let another = bitmaps.fixed || word >> 63 == 1;
        if left > 0 {
            // The mark of a further bitmap is no field. In the last bitmap it is one.
            word &= u64::MAX >> 1;
        }
        *slot = word;
        if left == 0 || !another {
            break;
        }
    }
    Ok(FieldSet::from_words(words))
}

/// Reads 64 bits; `bitmap_at` is where the whole bitmap begins.
fn read_bitmap_word(
    encoding: BitmapEncoding,
    bitmap_at: usize,
    reader: &mut Reader<'_>,
) -> Result<u64, Flaw> {
    let start = reader.at();
    let needed = match encoding {
        BitmapEncoding::Hex => 16,
        BitmapEncoding::Binary => 8,
    };
    let bytes = reader.take(needed).ok_or_else(|| truncated(reader, bitmap_at, needed))?;
    let mut bits = 0u64;
    for (index, byte) in bytes.iter().enumerate() {
        bits = match encoding {
            BitmapEncoding::Binary => bits << 8 | u64::from(*byte),
            BitmapEncoding::Hex => match hex_value(*byte) {
                Some(value) => bits << 4 | u64::from(value),
                None => {
                    let expected = Charset::Hex.words();
                    let found = Found::Byte(*byte);
                    let fault = DecodeFault::Character { count: 16, expected, found };
                    return Err(Flaw { at: start.saturating_add(index), fault });
                }
            },
        };
    }
    Ok(bits)
}
