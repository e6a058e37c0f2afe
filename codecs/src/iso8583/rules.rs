//! One field by its dialect's rules, whatever their form, to its end or to what is wrong with it.
//! Must know every fault by its byte: the decoder comes here with all that its plan does not take.

use super::charset::{Charset, nibble_character};
use super::decode_error::{ByteKind, DecodeFault, Found};
use super::ebcdic;
use super::fields::Span;
use super::spec::{Encoding, FieldSpec, FieldType, NumeralEncoding};
use super::wire::{Reader, digit_nibbles, nibbles, pad_in_front};

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

#[cold]
pub(super) fn truncated(reader: &Reader<'_>, start: usize, needed: usize) -> Flaw {
    let read = reader.at().saturating_sub(start);
    let left = reader.left().saturating_add(read);
    let at = start.saturating_add(left);
    Flaw { at, fault: DecodeFault::Truncated { needed: needed.saturating_add(read), left } }
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
