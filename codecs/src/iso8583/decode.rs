//! Received bytes to field offsets, in one pass and without allocating. Must read every byte at
//! most once, never past the end, and go on after a fault whenever the next field's place is still
//! known.

use super::charset::{Charset, hex_value, nibble_character};
use super::decode_error::{ByteKind, DecodeError, DecodeFault, Found};
use super::dialect::{Bitmaps, Dialect};
use super::ebcdic;
use super::elements::ElementFlaw;
use super::field_set::FieldSet;
use super::fields::{Fields, Span};
use super::mti::Mti;
use super::spec::{BitmapEncoding, Encoding, FieldSpec, FieldType, NumeralEncoding};
use super::wire::{Reader, digit_nibbles, nibbles, pad_in_front};

/// Longest message that is decoded, in bytes: what a two-byte frame length can announce.
pub const MAX_MESSAGE: usize = 0xFFFF;

/// A fault and where it is; the caller adds the field's name.
pub(super) struct Flaw {
    pub(super) at: usize,
    pub(super) fault: DecodeFault,
}

/// One field read to its end, with or without a fault in its content.
pub(super) struct Read {
    pub(super) span: Span,
    pub(super) content_flaw: Option<Flaw>,
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

        let mut first: Option<DecodeError> = None;
        for field in fields.announced {
            let start = reader.at();
            let Some(spec) = self.spec(field) else {
                let at = self.bit_offset(bitmap_at, field);
                let flaw = Flaw { at, fault: DecodeFault::UndefinedBit };
                return Err(first.unwrap_or_else(|| self.error(field, start, flaw)));
            };
            let sensitive = self.is_sensitive(field);
            match read_field(spec, sensitive, &mut reader) {
                Ok(Read { span, content_flaw: None }) => fields.record(field, span),
                Ok(Read { content_flaw: Some(flaw), .. }) => {
                    first.get_or_insert_with(|| self.error(field, start, flaw));
                }
                Err(flaw) => return Err(first.unwrap_or_else(|| self.error(field, start, flaw))),
            }
        }
        if reader.left() > 0 {
            let flaw = Flaw {
                at: reader.at(),
                fault: DecodeFault::TrailingBytes { count: reader.left() },
            };
            first.get_or_insert_with(|| self.error(1, reader.at(), flaw));
        }
        match first {
            Some(error) => Err(error),
            None => self.check_elements(bytes, fields),
        }
    }

    /// Looks into the fields of which the dialect says what is in them.
    fn check_elements(&self, bytes: &[u8], fields: &mut Fields) -> Result<(), DecodeError> {
        for (field, elements) in &self.elements {
            let Some((offset, content_at)) = fields.place(*field) else { continue };
            let content = self.view(bytes, fields).content(*field).unwrap_or_default();
            if let Err(ElementFlaw { key, mut flaw }) = elements.read(content, &mut Vec::new()) {
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

#[cold]
fn truncated(reader: &Reader<'_>, start: usize, needed: usize) -> Flaw {
    let read = reader.at().saturating_sub(start);
    let left = reader.left().saturating_add(read);
    let at = start.saturating_add(left);
    Flaw { at, fault: DecodeFault::Truncated { needed: needed.saturating_add(read), left } }
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

/// Reads one field to its end. `Err` is structural: the place of the next field is not known.
#[inline]
pub(super) fn read_field(
    spec: &FieldSpec,
    sensitive: bool,
    reader: &mut Reader<'_>,
) -> Result<Read, Flaw> {
    let start = reader.at();
    let length = match spec.length.digits() {
        0 => usize::from(spec.max),
        digits => read_length(spec, digits, reader)?,
    };
    if length > usize::from(spec.max) {
        return Err(Flaw {
            at: start,
            fault: DecodeFault::LengthAboveMaximum { length, max: spec.max },
        });
    }
    let content_at = reader.at();
    let needed = spec.content_bytes(length);
    let content = reader.take(needed).ok_or_else(|| truncated(reader, start, needed))?;
    let length = spec.characters(length, content);
    let content_flaw = content_fault(spec, content, length, sensitive).map(|(index, fault)| {
        let at = content_at.saturating_add(index);
        Flaw { at, fault }
    });
    // The message is at most MAX_MESSAGE bytes long, so its offsets fit.
    let span = Span {
        start: start as u16,
        content: content_at as u16,
        end: reader.at() as u16,
        length: length as u16,
    };
    Ok(Read { span, content_flaw })
}

#[inline]
fn read_length(spec: &FieldSpec, digits: usize, reader: &mut Reader<'_>) -> Result<usize, Flaw> {
    let start = reader.at();
    let needed = spec.length_bytes();
    let bytes = reader.take(needed).ok_or_else(|| truncated(reader, start, needed))?;
    let mut length = 0usize;
    let mut wrong: Option<(usize, Found)> = None;
    match spec.length_encoding {
        NumeralEncoding::Ascii | NumeralEncoding::Ebcdic => {
            let ascii = spec.length_encoding == NumeralEncoding::Ascii;
            let zero = if ascii { b'0' } else { ebcdic::ZERO };
            for (index, byte) in bytes.iter().enumerate() {
                let digit = byte.wrapping_sub(zero);
                if digit > 9 {
                    wrong = wrong.or(Some((index, Found::Byte(*byte))));
                }
                length = length.wrapping_mul(10).wrapping_add(usize::from(digit));
            }
        }
        NumeralEncoding::Bcd => {
            for (index, nibble) in nibbles(bytes).enumerate() {
                if nibble > 9 {
                    wrong = wrong.or(Some((index >> 1, Found::Nibble(nibble))));
                }
                length = length.wrapping_mul(10).wrapping_add(usize::from(nibble));
            }
        }
        NumeralEncoding::Binary => {
            for byte in bytes {
                length = length << 8 | usize::from(*byte);
            }
        }
    }
    match wrong {
        None => Ok(length),
        Some((index, found)) => Err(Flaw {
            at: start.saturating_add(index),
            fault: DecodeFault::LengthNotDigits { digits, found },
        }),
    }
}

/// The first fault of a field's content with its index in it.
#[inline]
fn content_fault(
    spec: &FieldSpec,
    content: &[u8],
    length: usize,
    sensitive: bool,
) -> Option<(usize, DecodeFault)> {
    match (spec.kind, spec.encoding) {
        (FieldType::Binary, Encoding::Hex) if length & 1 == 1 => {
            Some((0, DecodeFault::OddHex { length }))
        }
        (FieldType::Binary, Encoding::Raw) => None,
        (FieldType::SignedAmount, _) => signed_fault(spec, content, length, sensitive),
        (kind, Encoding::Bcd) => packed_fault(spec, kind, content, length, sensitive),
        (kind, Encoding::Ebcdic037 | Encoding::Ebcdic1047) => {
            let charset = Charset::of(kind);
            let index = charset.first_stranger_in(ebcdic::to_ascii(spec.encoding)?, content)?;
            Some((index, character(charset, content, index, sensitive)))
        }
        (kind, _) => {
            let charset = Charset::of(kind);
            let index = charset.first_stranger(content)?;
            Some((index, character(charset, content, index, sensitive)))
        }
    }
}

#[cold]
fn character(charset: Charset, content: &[u8], index: usize, sensitive: bool) -> DecodeFault {
    let byte = content.get(index).copied().unwrap_or_default();
    let found = if sensitive { Found::Kind(ByteKind::of(byte)) } else { Found::Byte(byte) };
    DecodeFault::Character { count: content.len(), expected: charset.words(), found }
}

fn signed_fault(
    spec: &FieldSpec,
    content: &[u8],
    length: usize,
    sensitive: bool,
) -> Option<(usize, DecodeFault)> {
    let Some((sign, digits)) = content.split_first() else {
        return Some((0, DecodeFault::NoSign));
    };
    if length == 0 {
        return Some((0, DecodeFault::NoSign));
    }
    let table = ebcdic::to_ascii(spec.encoding);
    let plain = table.map_or(*sign, |table| ebcdic::in_ascii(table, *sign));
    if !matches!(plain, b'C' | b'D') {
        let found = if sensitive { Found::Kind(ByteKind::of(*sign)) } else { Found::Byte(*sign) };
        let expected = "sign, C or D, with digits behind it";
        return Some((0, DecodeFault::Character { count: 1, expected, found }));
    }
    let fault = if spec.encoding == Encoding::Bcd {
        packed_fault(spec, FieldType::SignedAmount, digits, length.saturating_sub(1), sensitive)
    } else {
        let index = match table {
            Some(table) => Charset::Digits.first_stranger_in(table, digits),
            None => Charset::Digits.first_stranger(digits),
        };
        index.map(|index| (index, character(Charset::Digits, digits, index, sensitive)))
    };
    fault.map(|(index, fault)| (index.saturating_add(1), fault))
}

/// Faults of packed digits: a nibble that is no digit, or padding by another nibble.
#[inline]
fn packed_fault(
    spec: &FieldSpec,
    kind: FieldType,
    content: &[u8],
    count: usize,
    sensitive: bool,
) -> Option<(usize, DecodeFault)> {
    if count & 1 == 1 {
        let pad = match pad_in_front(count, spec.pad) {
            0 => content.last().map(|byte| (content.len().saturating_sub(1), byte & 0x0F)),
            _ => content.first().map(|byte| (0, byte >> 4)),
        };
        if let Some((index, nibble)) = pad
            && nibble != spec.pad.nibble
        {
            let found =
                if sensitive { Found::Kind(ByteKind::Nibble) } else { Found::Nibble(nibble) };
            return Some((index, DecodeFault::Padding { expected: spec.pad.nibble, found }));
        }
    } else if kind != FieldType::Track && all_packed_digits(content) {
        return None;
    }
    let (index, nibble) = digit_nibbles(content, count, spec.pad)
        .enumerate()
        .find(|(_, nibble)| nibble_character(*nibble, kind).is_none())?;
    let index = index.saturating_add(pad_in_front(count, spec.pad)) >> 1;
    let expected = Charset::of(kind).words();
    let found = if sensitive { Found::Kind(ByteKind::HighNibble) } else { Found::Nibble(nibble) };
    Some((index, DecodeFault::Character { count, expected, found }))
}

/// True when both halves of every byte are 0 to 9.
#[inline]
fn all_packed_digits(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |good, byte| good & (*byte <= 0x99) & (byte & 0x0F <= 9))
}
