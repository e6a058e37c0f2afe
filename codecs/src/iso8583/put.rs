//! One value by its field's rules into bytes. Must check everything before it writes the first
//! byte, and refuse what does not fit.

use bytes::BufMut;

use super::charset::{Charset, character_nibble, hex_character};
use super::ebcdic;
use super::encode_error::EncodeFault;
use super::spec::{Counts, Encoding, FieldSpec, FieldType, LengthForm, NumeralEncoding, Pad, Side};

pub(super) fn put_text(
    spec: &FieldSpec,
    value: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), EncodeFault> {
    if spec.kind == FieldType::Binary {
        return Err(EncodeFault::Binary);
    }
    let max = usize::from(spec.max);
    let length = spec.length_of(value.len());
    if length > max {
        return Err(EncodeFault::TooLong { length, max });
    }
    check_characters(spec, value)?;
    let missing = match (spec.length, spec.counts) {
        (LengthForm::Fixed, Counts::Characters) => max.saturating_sub(length),
        (LengthForm::Fixed, Counts::Bytes) => max.saturating_mul(2).saturating_sub(value.len()),
        _ => 0,
    };
    let padded = !matches!(spec.kind, FieldType::Track | FieldType::SignedAmount);
    if missing > 0 && (!padded || length == 0) {
        return Err(EncodeFault::TooShort { length, needed: max });
    }
    put_length(spec, length, out);
    if spec.encoding == Encoding::Bcd {
        put_packed(spec, value, missing, out);
        return Ok(());
    }
    let start = out.len();
    let numeric = spec.kind == FieldType::Numeric;
    if numeric {
        out.put_bytes(b'0', missing);
    }
    out.extend_from_slice(value);
    if !numeric {
        out.put_bytes(b' ', missing);
    }
    let written = out.get_mut(start..).unwrap_or_default();
    if spec.kind == FieldType::Track {
        for byte in written.iter_mut().filter(|byte| matches!(byte, b'D' | b'd')) {
            *byte = b'=';
        }
    }
    ebcdic::from_ascii(spec.encoding, written);
    Ok(())
}

fn check_characters(spec: &FieldSpec, value: &[u8]) -> Result<(), EncodeFault> {
    let charset = Charset::of(spec.kind);
    let (rest, skipped) = match (spec.kind, value.split_first()) {
        (FieldType::SignedAmount, Some((b'C' | b'D', digits))) => (digits, 1),
        (FieldType::SignedAmount, _) => {
            return Err(EncodeFault::Character { position: 1, expected: "a sign, C or D" });
        }
        _ => (value, 0usize),
    };
    match charset.first_stranger(rest) {
        None => Ok(()),
        Some(index) => Err(EncodeFault::Character {
            position: index.saturating_add(skipped).saturating_add(1),
            expected: charset.words(),
        }),
    }
}

/// Packs two digits a byte, `zeros` of them in front of the value.
fn put_packed(spec: &FieldSpec, value: &[u8], zeros: usize, out: &mut Vec<u8>) {
    let digits = match (spec.kind, value.split_first()) {
        (FieldType::SignedAmount, Some((sign, digits))) => {
            out.push(*sign);
            digits
        }
        _ => value,
    };
    if zeros == 0 {
        pack(spec.pad, digits, out);
        return;
    }
    let odd = zeros.saturating_add(digits.len()) & 1;
    let (in_front, behind) = match spec.pad.side {
        Side::Left => (odd, 0),
        Side::Right => (0, odd),
    };
    let pad = |count| std::iter::repeat_n(spec.pad.nibble, count);
    let mut nibbles = pad(in_front)
        .chain(std::iter::repeat_n(0, zeros))
        .chain(digits.iter().map(|digit| character_nibble(*digit)))
        .chain(pad(behind));
    while let (Some(high), Some(low)) = (nibbles.next(), nibbles.next()) {
        out.push(high << 4 | low);
    }
}

/// Packs digits, and fills an odd number of them up.
fn pack(pad: Pad, digits: &[u8], out: &mut Vec<u8>) {
    let mut rest = digits;
    if pad.side == Side::Left
        && digits.len() & 1 == 1
        && let Some((first, others)) = digits.split_first()
    {
        out.push(pad.nibble << 4 | character_nibble(*first));
        rest = others;
    }
    let (pairs, odd) = rest.as_chunks::<2>();
    let packed = |[high, low]: &[u8; 2]| character_nibble(*high) << 4 | character_nibble(*low);
    out.extend(pairs.iter().map(packed));
    out.extend(odd.iter().map(|last| character_nibble(*last) << 4 | pad.nibble));
}

pub(super) fn put_bytes(
    spec: &FieldSpec,
    value: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), EncodeFault> {
    if spec.kind != FieldType::Binary {
        return Err(EncodeFault::NotBinary);
    }
    let length = match spec.encoding {
        Encoding::Hex => spec.length_of(value.len().saturating_mul(2)),
        _ => value.len(),
    };
    let max = usize::from(spec.max);
    if length > max {
        return Err(EncodeFault::TooLong { length, max });
    }
    if spec.length == LengthForm::Fixed && length < max {
        return Err(EncodeFault::TooShort { length, needed: max });
    }
    put_length(spec, length, out);
    if spec.encoding == Encoding::Hex {
        out.extend(value.iter().flat_map(|b| [hex_character(b >> 4), hex_character(*b)]));
    } else {
        out.extend_from_slice(value);
    }
    Ok(())
}

/// Writes the length in front of a variable field; it has been checked against the maximum.
fn put_length(spec: &FieldSpec, length: usize, out: &mut Vec<u8>) {
    let bytes = spec.length_bytes();
    if bytes == 0 {
        return;
    }
    let mut room = [0; 6];
    let mut left = length;
    for slot in room.iter_mut().take(bytes).rev() {
        (*slot, left) = match spec.length_encoding {
            NumeralEncoding::Ascii => (b'0' | (left % 10) as u8, left / 10),
            NumeralEncoding::Ebcdic => (ebcdic::ZERO | (left % 10) as u8, left / 10),
            NumeralEncoding::Bcd => {
                let pair = (left % 100) as u8;
                (((pair / 10) << 4) | (pair % 10), left / 100)
            }
            NumeralEncoding::Binary => (left as u8, left >> 8),
        };
    }
    out.extend_from_slice(room.get(..bytes).unwrap_or_default());
}
