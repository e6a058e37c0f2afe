//! One field of a dialect file, or one sub-element of one: how it is written. Must refuse what no
//! message could be written or read by.

use serde::Deserialize;

use super::spec::{Counts, Encoding, FieldSpec, FieldType, LengthForm, NumeralEncoding, Pad, Side};
use super::text::INLINE;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldEntry {
    /// Of a sub-element: its tag or bit.
    pub(super) key: Option<String>,
    pub(super) name: String,
    #[serde(default)]
    pub(super) sensitive: bool,
    #[serde(rename = "type")]
    kind: FieldType,
    pub(super) length: LengthForm,
    length_encoding: Option<NumeralEncoding>,
    max: u16,
    encoding: Encoding,
    pad: Option<Side>,
    nibble: Option<String>,
    #[serde(default)]
    counts: Counts,
}

pub(super) fn compile_field(
    entry: &FieldEntry,
    length: NumeralEncoding,
) -> Result<FieldSpec, String> {
    let FieldEntry { kind, encoding, max, .. } = *entry;
    if entry.name.trim().is_empty() {
        return Err("name is empty".into());
    }
    let length_encoding = entry.length_encoding.unwrap_or(length);
    let limit = largest_length(entry.length, length_encoding);
    if max == 0 || max > limit {
        return Err(format!("max = {max} is out of range, 1 to {limit} is possible here"));
    }
    match (kind, encoding) {
        (FieldType::Binary, Encoding::Raw | Encoding::Hex)
        | (FieldType::Numeric | FieldType::Track | FieldType::SignedAmount, Encoding::Bcd) => {}
        (FieldType::Binary, _) => return Err("type b must be encoded raw or hex".into()),
        (_, Encoding::Ascii | Encoding::Ebcdic037 | Encoding::Ebcdic1047) => {}
        (_, Encoding::Bcd) => return Err("bcd holds digits only: type n, z or x+n".into()),
        (_, Encoding::Raw | Encoding::Hex) => {
            return Err("raw and hex are encodings of type b only".into());
        }
    }
    check_counts(entry)?;
    let digits = match entry.counts {
        Counts::Characters => usize::from(max),
        Counts::Bytes => usize::from(max).saturating_mul(2),
    };
    if encoding == Encoding::Hex && digits & 1 == 1 {
        return Err(format!("max = {max} counts hexadecimal characters and must be even"));
    }
    if encoding == Encoding::Bcd && digits > INLINE {
        return Err(format!("max = {max} is too long for bcd, at most {INLINE} digits"));
    }
    if kind == FieldType::SignedAmount && (entry.length != LengthForm::Fixed || max < 2) {
        return Err("x+n must be of fixed length, 2 or more: a sign and digits".into());
    }
    if entry.length == LengthForm::Fixed && entry.length_encoding.is_some() {
        return Err("length_encoding has no meaning for a fixed field".into());
    }
    Ok(FieldSpec {
        kind,
        length: entry.length,
        length_encoding: match entry.length {
            // None is written; one value for all lets equal fields of two dialects compare equal.
            LengthForm::Fixed => NumeralEncoding::Ascii,
            _ => length_encoding,
        },
        encoding,
        pad: compile_pad(entry)?,
        counts: entry.counts,
        max,
    })
}

/// The largest length that can be written, and that a field of a message can have.
fn largest_length(form: LengthForm, encoding: NumeralEncoding) -> u16 {
    let (base, digits) = match (form, encoding) {
        (LengthForm::Fixed, _) => (10, 3),
        (_, NumeralEncoding::Binary) => (256, form.digits()),
        _ => (10, form.digits()),
    };
    let largest = u32::try_from(digits).ok().and_then(|digits| u64::checked_pow(base, digits));
    let largest = largest.map_or(u64::MAX, |values| values.saturating_sub(1));
    u16::try_from(largest).unwrap_or(u16::MAX)
}

/// Whether a length can count bytes here, and digits be told from what fills them up.
fn check_counts(entry: &FieldEntry) -> Result<(), String> {
    if entry.counts == Counts::Characters {
        return Ok(());
    }
    match (entry.encoding, entry.kind) {
        (Encoding::Bcd, FieldType::SignedAmount) | (_, FieldType::SignedAmount) => {
            Err("x+n is a sign and digits: its length cannot count bytes".into())
        }
        (Encoding::Hex, _) => Ok(()),
        (Encoding::Bcd, _) => {
            let digit = entry.nibble.as_deref().is_some_and(|nibble| nibble <= "9");
            if entry.pad == Some(Side::Right) && digit {
                return Err("digits behind which a digit stands cannot be counted in bytes".into());
            }
            Ok(())
        }
        _ => Err("counts = \"bytes\" is for bcd and hex only: elsewhere it is the same".into()),
    }
}

fn compile_pad(entry: &FieldEntry) -> Result<Pad, String> {
    let digits = match entry.kind {
        FieldType::SignedAmount => entry.max.saturating_sub(1),
        _ => entry.max,
    };
    let fixed = entry.length == LengthForm::Fixed;
    let can_be_odd = match entry.counts {
        Counts::Characters => !fixed || digits & 1 == 1,
        Counts::Bytes => true,
    };
    match (&entry.pad, &entry.nibble) {
        (Some(_), _) | (_, Some(_)) if entry.encoding != Encoding::Bcd => {
            Err("pad and nibble are for encoding bcd only".into())
        }
        (Some(side), Some(nibble)) if can_be_odd => {
            let value = match nibble.as_bytes() {
                [one] => char::from(*one).to_digit(16).and_then(|digit| u8::try_from(digit).ok()),
                _ => None,
            };
            let nibble = value.ok_or("nibble must be one hexadecimal digit, \"0\" to \"f\"")?;
            Ok(Pad { side: *side, nibble })
        }
        (None, None) if entry.encoding == Encoding::Bcd && can_be_odd => {
            Err("an odd number of bcd digits needs pad = \"left\" or \"right\" and nibble".into())
        }
        (None, None) => Ok(Pad { side: Side::Left, nibble: 0 }),
        (Some(_), Some(_)) => Err("pad and nibble have no meaning: never an odd digit".into()),
        _ => Err("pad and nibble must be given together".into()),
    }
}
