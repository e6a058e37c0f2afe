//! The table `[network_trace]` of a dialect file. Must refuse what the fields that it names cannot
//! carry, and whatever no text may show: the identifier is stored and looked up.

use serde::Deserialize;
use toml::Spanned;

use super::dialect_error::DialectError;
use super::dialect_file::Source;
use super::network_trace::{NetworkTraceForm, Piece};
use super::spec::{Counts, Encoding, FieldSpec, FieldType};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NetworkTraceEntry {
    own: Vec<Spanned<PieceEntry>>,
    #[serde(default)]
    named: Vec<Spanned<PieceEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PieceEntry {
    field: u8,
    part: Option<String>,
    #[serde(default = "from_the_first")]
    first: usize,
    length: Option<usize>,
}

const fn from_the_first() -> usize {
    1
}

const SHOWN: &str = "is none that an identifier could be in: it would be stored and shown";

/// How a field or a sub-element is written, and whether text may show it.
pub(super) type Seen = Option<(FieldSpec, bool)>;

/// Checks it; `seen` tells of fields, and of their sub-elements by key.
pub(super) fn compile_network_trace(
    source: &Source<'_>,
    entry: &Spanned<NetworkTraceEntry>,
    seen: &dyn Fn(u8, Option<&str>) -> Seen,
) -> Result<NetworkTraceForm, DialectError> {
    let NetworkTraceEntry { own, named } = entry.get_ref();
    if own.is_empty() {
        let problem = "own says where a message has the identifier, as in own = [{ field = 63 }]";
        return Err(source.error(&entry.span(), None, problem));
    }
    let compiled = |pieces: &[Spanned<PieceEntry>]| -> Result<Vec<Piece>, DialectError> {
        let pieces: Result<Vec<_>, _> =
            pieces.iter().map(|one| compile_piece(source, one, seen)).collect();
        let pieces = pieces?;
        let longest = pieces.iter().fold(0_usize, |sum, (_, most)| sum.saturating_add(*most));
        let last = pieces.last().map(|(piece, _)| piece.field);
        if longest > NetworkTraceForm::LONGEST {
            let problem = format!(
                "an identifier has {} characters at most, and these pieces have {longest}: cut \
                 them by first and length",
                NetworkTraceForm::LONGEST
            );
            return Err(source.error(&entry.span(), last, problem));
        }
        Ok(pieces.into_iter().map(|(piece, _)| piece).collect())
    };
    Ok(NetworkTraceForm { own: compiled(own)?, named: compiled(named)? })
}

/// A piece that text may show, and how many characters it may have.
pub(super) fn compile_piece(
    source: &Source<'_>,
    entry: &Spanned<PieceEntry>,
    seen: &dyn Fn(u8, Option<&str>) -> Seen,
) -> Result<(Piece, usize), DialectError> {
    let PieceEntry { field, part, .. } = entry.get_ref();
    if seen(*field, part.as_deref()).is_some_and(|(_, hidden)| hidden) {
        return Err(source.error(&entry.span(), Some(*field), SHOWN));
    }
    compile_place(source, entry, seen)
}

/// The same of a piece that no text need show.
pub(super) fn compile_place(
    source: &Source<'_>,
    entry: &Spanned<PieceEntry>,
    seen: &dyn Fn(u8, Option<&str>) -> Seen,
) -> Result<(Piece, usize), DialectError> {
    let PieceEntry { field, part, first, length } = entry.get_ref();
    let wrong = |problem: &str| Err(source.error(&entry.span(), Some(*field), problem));
    if seen(*field, None).is_none() {
        return wrong("is to be read, and is not defined");
    }
    // A field that no text may show has sub-elements that it may.
    let part = part.as_deref();
    let Some((spec, _)) = seen(*field, part) else {
        let key = part.unwrap_or_default();
        return wrong(&format!("has no sub-element '{key}' in [elements.{field}]"));
    };
    if matches!(spec.kind, FieldType::Track | FieldType::SignedAmount) {
        return wrong(SHOWN);
    }
    // The nibble that fills packed digits up counts in a sub-element.
    let filled = part.is_some() && spec.encoding == Encoding::Bcd && spec.max % 2 == 1;
    let digits_by_bytes = spec.counts == Counts::Bytes && spec.encoding == Encoding::Bcd;
    let characters = usize::from(spec.max) << u8::from(digits_by_bytes);
    let characters = characters.saturating_add(usize::from(filled));
    let room = characters.saturating_add(1).saturating_sub(*first);
    if *first == 0 || *length == Some(0) || length.unwrap_or(1) > room {
        return wrong("first is a place from 1, and length what the field has from there on");
    }
    let piece = Piece { field: *field, part: part.map(Into::into), first: *first, length: *length };
    Ok((piece, length.unwrap_or(room)))
}
