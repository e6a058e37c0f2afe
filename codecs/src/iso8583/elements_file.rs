//! `[elements]` of a dialect file: what is within fields. Must refuse whatever it does not fully
//! understand, and say on which line.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::dialect_error::DialectError;
use super::dialect_file::Source;
use super::elements::{Elements, Form, Part, Unknown};
use super::field_file::{FieldEntry, compile_field};
use super::field_set::FieldSet;
use super::fields::FIELDS;
use super::spec::{
    BitmapEncoding, Counts, Encoding, FieldSpec, FieldType, LengthForm, NumeralEncoding, Pad, Side,
};

/// Bytes of a bitmap within a field at most: 128 bits.
const MAX_BITMAP: usize = 16;
/// Characters of a tag at most.
const MAX_TAG: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FormName {
    Positional,
    Tagged,
    Bitmapped,
    BerTlv,
}

/// The sub-elements of one field, as a file says them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ElementsEntry {
    form: FormName,
    #[serde(default)]
    unknown: Unknown,
    #[serde(default)]
    prefix: usize,
    tag: Option<NumeralEncoding>,
    tag_length: Option<usize>,
    length: Option<LengthForm>,
    length_encoding: Option<NumeralEncoding>,
    bitmap: Option<BitmapEncoding>,
    bitmap_bytes: Option<usize>,
    #[serde(default)]
    parts: Vec<Spanned<FieldEntry>>,
}

/// Compiles all of them.
pub(super) fn compile_elements(
    source: &Source<'_>,
    entries: &BTreeMap<Spanned<String>, Spanned<ElementsEntry>>,
    length: NumeralEncoding,
    specs: &[Option<FieldSpec>; FIELDS],
    sensitive: FieldSet,
) -> Result<Vec<(u8, Elements)>, DialectError> {
    let mut all = Vec::new();
    for (key, entry) in entries {
        let number = key.get_ref().parse::<u8>().ok();
        let spec = number.and_then(|number| specs.get(usize::from(number)).copied().flatten());
        let (Some(number), Some(spec)) = (number, spec) else {
            let problem = format!("'{}' is not a field of this dialect", key.get_ref());
            return Err(source.error(&key.span(), number, problem));
        };
        if matches!(spec.encoding, Encoding::Hex | Encoding::Bcd) {
            let problem = "has sub-elements, which are read over bytes: not over hex or bcd";
            return Err(source.error(&key.span(), Some(number), problem));
        }
        let form = form(entry.get_ref(), length)
            .map_err(|problem| source.error(&entry.span(), Some(number), problem))?;
        let mut parts: Vec<Part> = Vec::new();
        for (index, part) in entry.get_ref().parts.iter().enumerate() {
            let compiled = compile_part(entry.get_ref(), index, part.get_ref(), length)
                .and_then(|one| match parts.iter().any(|part| part.key == one.key) {
                    true => Err(format!("sub-element {} is there twice", one.key)),
                    false => Ok(one),
                })
                .map_err(|problem| source.error(&part.span(), Some(number), problem))?;
            parts.push(compiled);
        }
        let ElementsEntry { unknown, prefix, .. } = *entry.get_ref();
        let guarded = sensitive.contains(number);
        all.push((number, Elements { form, unknown, prefix, guarded, parts }));
    }
    Ok(all)
}

fn form(entry: &ElementsEntry, length: NumeralEncoding) -> Result<Form, String> {
    let tagged = entry.tag.is_some() || entry.tag_length.is_some() || entry.length.is_some();
    if entry.form != FormName::Tagged && tagged {
        return Err("tag, tag_length and length are for form = \"tagged\"".into());
    }
    let bitmapped = entry.bitmap.is_some() || entry.bitmap_bytes.is_some();
    if entry.form != FormName::Bitmapped && bitmapped {
        return Err("bitmap and bitmap_bytes are for form = \"bitmapped\"".into());
    }
    match entry.form {
        FormName::Positional => Ok(Form::Positional),
        FormName::BerTlv => Ok(Form::BerTlv),
        FormName::Tagged => {
            let (Some(tag), Some(tag_length), Some(form)) =
                (entry.tag, entry.tag_length, entry.length)
            else {
                return Err("tagged sub-elements need tag, tag_length and length".into());
            };
            if !(1..=MAX_TAG).contains(&tag_length) {
                return Err(format!("tag_length must be from 1 to {MAX_TAG}"));
            }
            let length_encoding = entry.length_encoding.unwrap_or(length);
            Ok(Form::Tagged { tag, tag_length, value: undescribed(form, length_encoding) })
        }
        FormName::Bitmapped => {
            let (Some(encoding), Some(bytes)) = (entry.bitmap, entry.bitmap_bytes) else {
                return Err("bitmapped sub-elements need bitmap and bitmap_bytes".into());
            };
            if !(1..=MAX_BITMAP).contains(&bytes) {
                return Err(format!("bitmap_bytes must be from 1 to {MAX_BITMAP}"));
            }
            Ok(Form::Bitmapped { encoding, bytes })
        }
    }
}

/// A value whose tag nobody has described: bytes.
const fn undescribed(length: LengthForm, length_encoding: NumeralEncoding) -> FieldSpec {
    FieldSpec {
        kind: FieldType::Binary,
        length,
        length_encoding,
        encoding: Encoding::Raw,
        pad: Pad { side: Side::Left, nibble: 0 },
        counts: Counts::Characters,
        max: u16::MAX,
    }
}

fn compile_part(
    entry: &ElementsEntry,
    index: usize,
    part: &FieldEntry,
    length: NumeralEncoding,
) -> Result<Part, String> {
    let key = match (entry.form, &part.key) {
        (FormName::Positional, None) => index.saturating_add(1).to_string(),
        (FormName::Positional, Some(_)) => {
            return Err("key has no meaning where sub-elements follow each other by place".into());
        }
        (_, None) => return Err("a sub-element needs its key: the tag, or the bit".into()),
        (FormName::Bitmapped, Some(key)) => {
            let bits = entry.bitmap_bytes.unwrap_or_default().saturating_mul(8);
            let bit = key.parse::<usize>().ok().filter(|bit| (1..=bits).contains(bit));
            if bit.is_none_or(|bit| bit.to_string() != *key) {
                return Err(format!("key '{key}' is no bit from 1 to {bits}"));
            }
            key.clone()
        }
        (FormName::Tagged, Some(key)) if Some(key.len()) != tag_characters(entry) => {
            return Err(format!("key '{key}' is not as long as a tag"));
        }
        (_, Some(key)) => key.clone(),
    };
    if entry.form == FormName::Tagged && Some(part.length) != entry.length {
        return Err("its length must have the form that all tagged sub-elements have".into());
    }
    Ok(Part {
        key: Arc::from(key),
        name: Arc::from(part.name.as_str()),
        spec: compile_field(part, entry.length_encoding.unwrap_or(length))?,
        sensitive: part.sensitive,
    })
}

/// Characters that a tag has in a file: two for each byte of a binary one.
fn tag_characters(entry: &ElementsEntry) -> Option<usize> {
    let length = entry.tag_length?;
    match entry.tag? {
        NumeralEncoding::Binary => length.checked_mul(2),
        NumeralEncoding::Bcd => length.checked_add(length & 1),
        NumeralEncoding::Ascii | NumeralEncoding::Ebcdic => Some(length),
    }
}
