//! A dialect file (TOML) to a compiled dialect. Must refuse whatever it does not fully understand,
//! and say on which line.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::card_security_file::{
    CardCodeEntry, CardSecurityEntries, ChipAnswerEntry, PinBlockEntry, compile_card_security,
};
use super::carriage_file::{
    ActionCodesEntry, BalancesEntry, CarriageEntries, LockOutsideEntry, OriginalEntry,
    PartialApprovalEntry, compile_carriage,
};
use super::carriage_incremental::IncrementalEntry;
use super::carriage_partial::AcquirerFeeEntry;
use super::carriage_statement::MiniStatementEntry;
use super::dialect::{Bitmaps, Dialect};
use super::dialect_error::DialectError;
use super::elements_file::{ElementsEntry, compile_elements};
use super::field_file::{FieldEntry, compile_field};
use super::field_set::{FieldSet, MAX_FIELD};
use super::fields::FIELDS;
use super::mac::compile_mac_fields;
use super::mti::Mti;
use super::network_trace_file::{NetworkTraceEntry, compile_network_trace};
use super::plan;
use super::presence::{PresenceEntry, compile_presence};
use super::spec::{BitmapEncoding, EntryForm, FieldSpec, FieldType, NumeralEncoding, Version};

/// Characters of one error set.
const ERROR_SET: u16 = 14;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DialectFile {
    name: Spanned<String>,
    version: Version,
    mti: Spanned<NumeralEncoding>,
    bitmap: BitmapEncoding,
    #[serde(default = "two_bitmaps")]
    bitmap_bits: Spanned<u16>,
    #[serde(default)]
    bitmap_fixed: bool,
    length: NumeralEncoding,
    #[serde(default)]
    undefined: Vec<Spanned<Numbers>>,
    #[serde(default)]
    sensitive: Vec<Spanned<u8>>,
    format_error_text_field: Option<Spanned<u8>>,
    format_error_set_field: Option<Spanned<u8>>,
    entry_mode: Option<EntryForm>,
    #[serde(default)]
    mac_fields: Vec<Spanned<u8>>,
    action_codes: Option<Spanned<ActionCodesEntry>>,
    original: Option<Spanned<OriginalEntry>>,
    partial_approval: Option<Spanned<PartialApprovalEntry>>,
    balances: Option<Spanned<BalancesEntry>>,
    lock_outside: Option<Spanned<LockOutsideEntry>>,
    incremental: Option<Spanned<IncrementalEntry>>,
    network_trace: Option<Spanned<NetworkTraceEntry>>,
    mini_statement: Option<Spanned<MiniStatementEntry>>,
    acquirer_fee: Option<Spanned<AcquirerFeeEntry>>,
    card_code: Option<Spanned<CardCodeEntry>>,
    pin_block: Option<Spanned<PinBlockEntry>>,
    chip_answer: Option<Spanned<ChipAnswerEntry>>,
    answers: BTreeMap<Spanned<String>, Vec<Spanned<u8>>>,
    #[serde(default)]
    requests: BTreeMap<Spanned<String>, Spanned<PresenceEntry>>,
    fields: Spanned<BTreeMap<Spanned<String>, Spanned<FieldEntry>>>,
    #[serde(default)]
    elements: BTreeMap<Spanned<String>, Spanned<ElementsEntry>>,
}

fn two_bitmaps() -> Spanned<u16> {
    Spanned::new(0..0, 128)
}

/// A field number, or two with `-` between them: `65`, `"105-127"`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Numbers {
    One(u8),
    Range(String),
}

impl Numbers {
    fn range(&self) -> Option<RangeInclusive<u8>> {
        match self {
            Numbers::One(number) => Some(*number..=*number),
            Numbers::Range(text) => {
                let (first, last) = text.split_once('-')?;
                Some(first.parse().ok()?..=last.parse().ok()?).filter(|range| !range.is_empty())
            }
        }
    }
}

/// The text of the file, for turning byte positions into lines.
pub(super) struct Source<'a>(&'a str);

impl Source<'_> {
    fn line(&self, position: usize) -> usize {
        let before = self.0.get(..position).unwrap_or(self.0);
        before.bytes().filter(|byte| *byte == b'\n').count().saturating_add(1)
    }

    pub(super) fn error(
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
    let mut file: DialectFile = toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        source.error(&span, field_of_line(text, span.start), error.message())
    })?;
    let bitmaps = compile_head(&source, &file)?;
    let mut specs = Box::new([None; FIELDS]);
    let mut names = names_without_fields();
    compile_fields(&source, &file, &mut specs, &mut names)?;
    check_complete(&source, &file, bitmaps, &specs)?;
    let defined = |field: u8| specs.get(usize::from(field)).copied().flatten();

    let sensitive = compile_sensitive(&source, &file, &defined)?;
    check_error_fields(&source, &file, &defined)?;
    let entries = CarriageEntries {
        action_codes: file.action_codes.take(),
        original: file.original.take(),
        partial_approval: file.partial_approval.take(),
        balances: file.balances.take(),
        lock_outside: file.lock_outside.take(),
        incremental: file.incremental.take(),
        mini_statement: file.mini_statement.take(),
        acquirer_fee: file.acquirer_fee.take(),
    };
    let elements = compile_elements(&source, &file.elements, file.length, &specs, sensitive)?;
    let seen = |field: u8, key: Option<&str>| {
        let Some(key) = key else { return Some((defined(field)?, sensitive.contains(field))) };
        let (_, within) = elements.iter().find(|(number, _)| *number == field)?;
        within.part(key).map(|part| (part.spec, part.sensitive))
    };
    let network_trace = match &file.network_trace {
        Some(entry) => Some(compile_network_trace(&source, entry, &seen)?),
        None => None,
    };
    let security = CardSecurityEntries {
        card_code: file.card_code.take(),
        pin_block: file.pin_block.take(),
        chip_answer: file.chip_answer.take(),
    };
    let card_security = compile_card_security(&source, &security, &seen)?;
    let carriage = compile_carriage(&source, &entries, file.version, &defined, &seen)?;
    let is_defined = |field| defined(field).is_some();
    let answers = compile_answers(&source, &file, &is_defined)?;
    let presence = compile_presence(&source, &file.requests, file.version, &is_defined, &answers)?;
    Ok(Dialect {
        name: file.name.into_inner(),
        version: file.version,
        mti: *file.mti.get_ref(),
        bitmap: file.bitmap,
        bitmaps,
        mac_fields: compile_mac_fields(&source, &file.mac_fields, &defined, &answers)?,
        presence,
        answers,
        elements,
        plan: plan::compile(&specs),
        specs,
        names,
        undefined_name: Arc::from("not defined in this dialect"),
        sensitive,
        format_error_text: file.format_error_text_field.map(Spanned::into_inner),
        format_error_set: file.format_error_set_field.map(Spanned::into_inner),
        carriage,
        network_trace,
        card_security,
        entry_form: file.entry_mode.unwrap_or(EntryForm::of(file.version)),
    })
}

/// What stands before the fields: the name, the form of the message type, and the bitmaps.
fn compile_head(source: &Source<'_>, file: &DialectFile) -> Result<Bitmaps, DialectError> {
    let name = file.name.get_ref();
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
        let problem = "name must be letters, digits, '-', '_' and '.' only, and not empty";
        return Err(source.error(&file.name.span(), None, problem));
    }
    if *file.mti.get_ref() == NumeralEncoding::Binary {
        return Err(source.error(&file.mti.span(), None, "mti must be ascii, ebcdic or bcd"));
    }
    match *file.bitmap_bits.get_ref() {
        bits @ (64 | 128 | 192) => {
            Ok(Bitmaps { most: (bits >> 6) as u8, fixed: file.bitmap_fixed })
        }
        bits => {
            let problem = format!("bitmap_bits = {bits} must be 64, 128 or 192");
            Err(source.error(&file.bitmap_bits.span(), None, problem))
        }
    }
}

fn compile_sensitive(
    source: &Source<'_>,
    file: &DialectFile,
    defined: &dyn Fn(u8) -> Option<FieldSpec>,
) -> Result<FieldSet, DialectError> {
    let mut sensitive = Dialect::always_sensitive();
    for field in &file.sensitive {
        if defined(*field.get_ref()).is_none() {
            let problem = "is listed as sensitive but not defined in this dialect";
            return Err(source.error(&field.span(), Some(*field.get_ref()), problem));
        }
        sensitive.insert(*field.get_ref());
    }
    for (key, entry) in file.fields.get_ref() {
        if entry.get_ref().sensitive {
            sensitive.insert(key.get_ref().parse().unwrap_or_default());
        }
    }
    Ok(sensitive)
}

/// The fields that name what was wrong with a request have room for that.
fn check_error_fields(
    source: &Source<'_>,
    file: &DialectFile,
    defined: &dyn Fn(u8) -> Option<FieldSpec>,
) -> Result<(), DialectError> {
    let error_fields = [
        ("format_error_text_field", &file.format_error_text_field, 25),
        ("format_error_set_field", &file.format_error_set_field, ERROR_SET),
    ];
    for (key, field, room) in error_fields {
        let Some(field) = field else { continue };
        let spec = defined(*field.get_ref());
        if !spec.is_some_and(|s| s.kind == FieldType::Text && s.max >= room) {
            let problem = format!("{key} must be a field of type ans with max of {room} or more");
            return Err(source.error(&field.span(), Some(*field.get_ref()), problem));
        }
    }
    Ok(())
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
        .filter(|field| (2..=MAX_FIELD).contains(field))
}

fn names_without_fields() -> Vec<Arc<str>> {
    let mut names: Vec<Arc<str>> = vec![Arc::from("message type"), Arc::from("bitmap")];
    names.resize(FIELDS, Arc::from("not defined in this dialect"));
    names
}

fn compile_fields(
    source: &Source<'_>,
    file: &DialectFile,
    specs: &mut [Option<FieldSpec>; FIELDS],
    names: &mut [Arc<str>],
) -> Result<(), DialectError> {
    for (key, entry) in file.fields.get_ref() {
        let last = *file.bitmap_bits.get_ref();
        let number = key.get_ref().parse::<u8>().ok().filter(|n| (2..=last).contains(&(*n).into()));
        let Some(number) = number.filter(|n| n.to_string() == *key.get_ref()) else {
            let problem = format!("'{}' is not a field number from 2 to {last}", key.get_ref());
            return Err(source.error(&key.span(), None, problem));
        };
        if entry.get_ref().key.is_some() {
            let problem = "key is for sub-elements, in [elements]";
            return Err(source.error(&entry.span(), Some(number), problem));
        }
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

/// Every number that a bitmap can announce is either a field or listed as undefined, so that none
/// is forgotten.
fn check_complete(
    source: &Source<'_>,
    file: &DialectFile,
    bitmaps: Bitmaps,
    specs: &[Option<FieldSpec>; FIELDS],
) -> Result<(), DialectError> {
    let last = bitmaps.most.saturating_mul(64);
    let defined = |field: u8| specs.get(usize::from(field)).copied().flatten().is_some();
    let mut undefined = FieldSet::EMPTY;
    for numbers in &file.undefined {
        let Some(range) = numbers.get_ref().range() else {
            let problem = "undefined takes field numbers and ranges such as \"105-127\"";
            return Err(source.error(&numbers.span(), None, problem));
        };
        for number in range {
            let problem = if number < 2 || number > last || undefined.contains(number) {
                format!("in undefined must be from 2 to {last}, each once")
            } else if defined(number) {
                "is listed as undefined, but [fields] defines it".into()
            } else {
                undefined.insert(number);
                continue;
            };
            return Err(source.error(&numbers.span(), Some(number), problem));
        }
    }
    if bitmaps.most > 2 && defined(65) {
        let problem = "announces the third bitmap, and must be listed in undefined";
        return Err(source.error(&file.fields.span(), Some(65), problem));
    }
    match (2..=last).find(|field| !undefined.contains(*field) && !defined(*field)) {
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
