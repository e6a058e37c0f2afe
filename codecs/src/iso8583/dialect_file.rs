//! A dialect file (TOML) to a compiled dialect. Must refuse whatever it does not fully understand,
//! and say on which line.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::dialect::Dialect;
use super::dialect_error::DialectError;
use super::field_set::FieldSet;
use super::mti::Mti;
use super::spec::{
    BitmapEncoding, Encoding, FieldSpec, FieldType, LengthForm, NumeralEncoding, Pad, Side, Version,
};
use super::text::INLINE;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DialectFile {
    name: Spanned<String>,
    version: Version,
    mti: NumeralEncoding,
    bitmap: BitmapEncoding,
    length: NumeralEncoding,
    #[serde(default)]
    undefined: Vec<Spanned<u8>>,
    #[serde(default)]
    sensitive: Vec<Spanned<u8>>,
    format_error_text_field: Option<Spanned<u8>>,
    answers: BTreeMap<Spanned<String>, Vec<Spanned<u8>>>,
    fields: Spanned<BTreeMap<Spanned<String>, Spanned<FieldEntry>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldEntry {
    name: String,
    #[serde(rename = "type")]
    kind: FieldType,
    length: LengthForm,
    length_encoding: Option<NumeralEncoding>,
    max: u16,
    encoding: Encoding,
    pad: Option<Side>,
    nibble: Option<String>,
}

/// The text of the file, for turning byte positions into lines.
struct Source<'a>(&'a str);

impl Source<'_> {
    fn line(&self, position: usize) -> usize {
        let before = self.0.get(..position).unwrap_or(self.0);
        before.bytes().filter(|byte| *byte == b'\n').count().saturating_add(1)
    }

    fn error(
        &self,
        span: &Range<usize>,
        field: Option<u8>,
        problem: impl Into<String>,
    ) -> DialectError {
        DialectError { line: self.line(span.start), field, problem: problem.into() }
    }
}

/// Reads, checks and compiles.
pub(super) fn compile(text: &str) -> Result<Dialect, DialectError> {
    let source = Source(text);
    let file: DialectFile = toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        source.error(&span, field_of_line(text, span.start), error.message())
    })?;
    let name = file.name.get_ref();
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
        let problem = "name must be letters, digits, '-', '_' and '.' only, and not empty";
        return Err(source.error(&file.name.span(), None, problem));
    }

    let mut specs = Box::new([None; 129]);
    let mut names = names_without_fields();
    compile_fields(&source, &file, &mut specs, &mut names)?;
    check_complete(&source, &file, &specs)?;
    let defined = |field: u8| specs.get(usize::from(field)).copied().flatten();

    let mut sensitive = Dialect::always_sensitive();
    for field in &file.sensitive {
        if defined(*field.get_ref()).is_none() {
            let problem = "is listed as sensitive but not defined in this dialect";
            return Err(source.error(&field.span(), Some(*field.get_ref()), problem));
        }
        sensitive.insert(*field.get_ref());
    }
    if let Some(field) = &file.format_error_text_field {
        let spec = defined(*field.get_ref());
        if !spec.is_some_and(|s| s.kind == FieldType::Text && s.max >= 25) {
            let problem =
                "format_error_text_field must be a field of type ans with max of 25 or more";
            return Err(source.error(&field.span(), Some(*field.get_ref()), problem));
        }
    }
    Ok(Dialect {
        name: name.clone(),
        version: file.version,
        mti: file.mti,
        bitmap: file.bitmap,
        answers: compile_answers(&source, &file, &|field| defined(field).is_some())?,
        specs,
        names,
        undefined_name: Arc::from("not defined in this dialect"),
        sensitive,
        format_error_text: file.format_error_text_field.map(Spanned::into_inner),
    })
}

/// The number in front of the `=` on the line of a position: TOML's own errors name no field.
fn field_of_line(text: &str, position: usize) -> Option<u8> {
    let start = text.get(..position)?.rfind('\n').map_or(0, |newline| newline.saturating_add(1));
    text.get(start..)?
        .split('=')
        .next()?
        .trim()
        .parse()
        .ok()
        .filter(|field| (2..=128).contains(field))
}

fn names_without_fields() -> Vec<Arc<str>> {
    let mut names: Vec<Arc<str>> = vec![Arc::from("message type"), Arc::from("bitmap")];
    names.resize(129, Arc::from("not defined in this dialect"));
    names
}

fn compile_fields(
    source: &Source<'_>,
    file: &DialectFile,
    specs: &mut [Option<FieldSpec>; 129],
    names: &mut [Arc<str>],
) -> Result<(), DialectError> {
    for (key, entry) in file.fields.get_ref() {
        let number = key.get_ref().parse::<u8>().ok().filter(|n| (2..=128).contains(n));
        let Some(number) = number.filter(|n| n.to_string() == *key.get_ref()) else {
            let problem = format!("'{}' is not a field number from 2 to 128", key.get_ref());
            return Err(source.error(&key.span(), None, problem));
        };
        let spec = compile_field(entry.get_ref(), file.length)
            .map_err(|problem| source.error(&entry.span(), Some(number), problem))?;
        if let Some(slot) = specs.get_mut(usize::from(number)) {
            *slot = Some(spec);
        }
        if let Some(slot) = names.get_mut(usize::from(number)) {
            *slot = Arc::from(entry.get_ref().name.as_str());
        }
    }
    Ok(())
}

fn compile_field(entry: &FieldEntry, length: NumeralEncoding) -> Result<FieldSpec, String> {
    let FieldEntry { kind, encoding, max, .. } = *entry;
    if entry.name.trim().is_empty() {
        return Err("name is empty".into());
    }
    let limit = match entry.length {
        LengthForm::Ll => 99,
        LengthForm::Fixed | LengthForm::Lll => 999,
    };
    if max == 0 || max > limit {
        return Err(format!("max = {max} is out of range, 1 to {limit} is possible here"));
    }
    match (kind, encoding) {
        (FieldType::Binary, Encoding::Raw | Encoding::Hex)
        | (FieldType::Numeric | FieldType::Track | FieldType::SignedAmount, Encoding::Bcd) => {}
        (FieldType::Binary, _) => return Err("type b must be encoded raw or hex".into()),
        (_, Encoding::Ascii) => {}
        (_, Encoding::Bcd) => return Err("bcd holds digits only: type n, z or x+n".into()),
        (_, Encoding::Raw | Encoding::Hex) => {
            return Err("raw and hex are encodings of type b only".into());
        }
    }
    if encoding == Encoding::Hex && max & 1 == 1 {
        return Err(format!("max = {max} counts hexadecimal characters and must be even"));
    }
    if encoding == Encoding::Bcd && usize::from(max) > INLINE {
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
            LengthForm::Ll | LengthForm::Lll => entry.length_encoding.unwrap_or(length),
        },
        encoding,
        pad: compile_pad(entry)?,
        max,
    })
}

fn compile_pad(entry: &FieldEntry) -> Result<Pad, String> {
    let digits = match entry.kind {
        FieldType::SignedAmount => entry.max.saturating_sub(1),
        _ => entry.max,
    };
    let can_be_odd = entry.length != LengthForm::Fixed || digits & 1 == 1;
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

/// Every number from 2 to 128 is either a field or listed as undefined, so that none is forgotten.
fn check_complete(
    source: &Source<'_>,
    file: &DialectFile,
    specs: &[Option<FieldSpec>; 129],
) -> Result<(), DialectError> {
    let mut undefined = FieldSet::EMPTY;
    for field in &file.undefined {
        let number = *field.get_ref();
        let problem = match specs.get(usize::from(number)) {
            Some(Some(_)) => "is listed as undefined, but [fields] defines it",
            Some(None) if number >= 2 && !undefined.contains(number) => {
                undefined.insert(number);
                continue;
            }
            _ => "in undefined must be from 2 to 128, each once",
        };
        return Err(source.error(&field.span(), Some(number), problem));
    }
    let missing = (2..=128u8).find(|field| {
        !undefined.contains(*field) && specs.get(usize::from(*field)).copied().flatten().is_none()
    });
    match missing {
        None => Ok(()),
        Some(field) => {
            let problem = "is missing: define it in [fields] or list it in undefined";
            Err(source.error(&file.fields.span(), Some(field), problem))
        }
    }
}

fn compile_answers(
    source: &Source<'_>,
    file: &DialectFile,
    defined: &dyn Fn(u8) -> bool,
) -> Result<Vec<(Mti, FieldSet)>, DialectError> {
    let mut answers = Vec::with_capacity(file.answers.len());
    for (key, fields) in &file.answers {
        let mti = Mti::parse(key.get_ref())
            .filter(|mti| !mti.is_request() && mti.version() == file.version.mti_digit());
        let Some(mti) = mti else {
            let version = file.version.as_str();
            let problem = format!("'{}' is not a response type of {version}", key.get_ref());
            return Err(source.error(&key.span(), None, problem));
        };
        let mut echoed = FieldSet::EMPTY;
        for field in fields {
            let number = *field.get_ref();
            if !defined(number) {
                let problem = format!("is echoed in {mti} but not defined in this dialect");
                return Err(source.error(&field.span(), Some(number), problem));
            }
            if echoed.contains(number) {
                let problem = format!("stands twice in the answer {mti}");
                return Err(source.error(&field.span(), Some(number), problem));
            }
            echoed.insert(number);
        }
        answers.push((mti, echoed));
    }
    Ok(answers)
}
