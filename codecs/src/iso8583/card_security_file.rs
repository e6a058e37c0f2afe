//! The tables `[card_code]`, `[pin_block]` and `[chip_answer]` of a dialect file. Must refuse a
//! place for a card's code that text may show, and what a field could not carry.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::card_security::{
    CardCodeForm, CardSecurityForms, ChipAnswerForm, PinBlockForm, ScriptTemplate,
};
use super::dialect_error::DialectError;
use super::dialect_file::Source;
use super::network_trace::Piece;
use super::network_trace_file::{PieceEntry, Seen, compile_place};
use super::spec::{FieldSpec, FieldType};

const PIN_BLOCK: u8 = 52;
const CHIP_DATA: u8 = 55;
/// Formats of ISO 9564-1.
const LAST_FORMAT: u8 = 4;

/// The three tables; each may be left out.
#[derive(Default)]
pub(super) struct CardSecurityEntries {
    pub(super) card_code: Option<Spanned<CardCodeEntry>>,
    pub(super) pin_block: Option<Spanned<PinBlockEntry>>,
    pub(super) chip_answer: Option<Spanned<ChipAnswerEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CardCodeEntry {
    at: Spanned<PieceEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PinBlockEntry {
    format_at: Option<Spanned<PieceEntry>>,
    #[serde(default)]
    formats: BTreeMap<Spanned<String>, u8>,
    key_at: Option<Spanned<PieceEntry>>,
    new_field: Option<Spanned<u8>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChipAnswerEntry {
    response_code: bool,
    script: Option<Spanned<u8>>,
}

/// Checks them; `seen` tells of fields, and of their sub-elements by key.
pub(super) fn compile_card_security(
    source: &Source<'_>,
    entries: &CardSecurityEntries,
    seen: &dyn Fn(u8, Option<&str>) -> Seen,
) -> Result<CardSecurityForms, DialectError> {
    let card_code = match &entries.card_code {
        Some(entry) => Some(card_code(source, entry, seen)?),
        None => None,
    };
    let pin_block = match &entries.pin_block {
        Some(entry) => pin_block(source, entry, seen)?,
        None => PinBlockForm::default(),
    };
    let chip_answer = match &entries.chip_answer {
        Some(entry) => chip_answer(source, entry, seen)?,
        None => ChipAnswerForm::default(),
    };
    Ok(CardSecurityForms { card_code, pin_block, chip_answer })
}

fn card_code(
    source: &Source<'_>,
    entry: &Spanned<CardCodeEntry>,
    seen: &dyn Fn(u8, Option<&str>) -> Seen,
) -> Result<CardCodeForm, DialectError> {
    let at = &entry.get_ref().at;
    let (place, most) = compile_place(source, at, seen)?;
    let wrong = |problem: &str| Err(source.error(&at.span(), Some(place.field), problem));
    let field_hidden = seen(place.field, None).is_some_and(|(_, hidden)| hidden);
    let hidden = seen(place.field, place.part.as_deref()).is_some_and(|(_, hidden)| hidden);
    if !field_hidden || !hidden {
        return wrong("carries a card's code, and must be listed as sensitive");
    }
    if most < 3 || place.length.is_some_and(|length| length > CardCodeForm::LONGEST) {
        return wrong("a card's code has 3 or 4 digits: cut the place by first and length");
    }
    Ok(CardCodeForm { at: place })
}

fn pin_block(
    source: &Source<'_>,
    entry: &Spanned<PinBlockEntry>,
    seen: &dyn Fn(u8, Option<&str>) -> Seen,
) -> Result<PinBlockForm, DialectError> {
    let PinBlockEntry { format_at, formats, key_at, new_field } = entry.get_ref();
    let span = entry.span();
    if seen(PIN_BLOCK, None).is_none_or(|(spec, _)| spec.kind != FieldType::Binary) {
        let problem = "holds the PIN block, and must be of type b";
        return Err(source.error(&span, Some(PIN_BLOCK), problem));
    }
    let compiled = |at: &Option<Spanned<PieceEntry>>| -> Result<_, DialectError> {
        at.as_ref().map(|at| compile_place(source, at, seen)).transpose()
    };
    let (format_at, key_at) = (compiled(format_at)?, compiled(key_at)?);
    let longest = format_at.as_ref().map_or(0, |(_, most)| *most);
    let field = format_at.as_ref().map(|(place, _)| place.field);
    if format_at.is_some() == formats.is_empty() {
        let problem = "format_at and formats go together, as in formats = { \"01\" = 0 }";
        return Err(source.error(&span, field, problem));
    }
    let mut known = Vec::with_capacity(formats.len());
    for (code, format) in formats {
        let text = code.get_ref();
        if *format > LAST_FORMAT || !(1..=longest).contains(&text.len()) {
            let problem =
                format!("'{text}' is as long as its place, for one of the formats 0 to 4");
            return Err(source.error(&code.span(), field, problem));
        }
        known.push((text.as_str().into(), *format));
    }
    let new_field = match new_field {
        Some(field) => Some(new_pin_field(source, field, seen)?),
        None => None,
    };
    let place = |compiled: Option<(Piece, usize)>| compiled.map(|(place, _)| place);
    let (format_at, key_at) = (place(format_at), place(key_at));
    Ok(PinBlockForm { format_at, formats: known, key_at, new_field })
}

/// The field of a new PIN's block: as hidden as that of the present one.
fn new_pin_field(
    source: &Source<'_>,
    field: &Spanned<u8>,
    seen: &dyn Fn(u8, Option<&str>) -> Seen,
) -> Result<u8, DialectError> {
    let number = *field.get_ref();
    let binary = |seen: &(FieldSpec, bool)| seen.0.kind == FieldType::Binary;
    let good = seen(number, None).filter(binary).is_some_and(|(_, hidden)| hidden);
    if !good || [PIN_BLOCK, CHIP_DATA].contains(&number) {
        let problem = "holds a new PIN block: a field of its own of type b, listed as sensitive";
        return Err(source.error(&field.span(), Some(number), problem));
    }
    Ok(number)
}

fn chip_answer(
    source: &Source<'_>,
    entry: &Spanned<ChipAnswerEntry>,
    seen: &dyn Fn(u8, Option<&str>) -> Seen,
) -> Result<ChipAnswerForm, DialectError> {
    if seen(CHIP_DATA, None).is_none_or(|(spec, _)| spec.kind != FieldType::Binary) {
        let problem = "holds the chip's data, and must be of type b";
        return Err(source.error(&entry.span(), Some(CHIP_DATA), problem));
    }
    let ChipAnswerEntry { response_code, script } = entry.get_ref();
    let script = match script.as_ref().map(|script| (*script.get_ref(), script.span())) {
        None => ScriptTemplate::default(),
        Some((71, _)) => ScriptTemplate::Before,
        Some((72, _)) => ScriptTemplate::Behind,
        Some((_, span)) => {
            let problem = "script is the template of commands for the chip: 71 or 72";
            return Err(source.error(&span, Some(CHIP_DATA), problem));
        }
    };
    Ok(ChipAnswerForm { response_code: *response_code, script })
}
