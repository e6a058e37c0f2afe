//! `[partial_approval] terminal` and `[acquirer_fee]` of a dialect file: where a message says that
//! its terminal can go on with a part of the amount, and where its acquirer's fee stands. Must
//! refuse what no message could say; a terminal that says nothing can not.

use serde::Deserialize;
use toml::Spanned;

use super::dialect::Dialect;
use super::dialect_error::DialectError;
use super::dialect_file::Source;
use super::message::Message;
use super::network_trace::Piece;
use super::network_trace_file::{PieceEntry, Seen, compile_piece};
use super::spec::{FieldType, LengthForm, Version};

/// Characters of the longest that is compared.
const LONGEST: usize = 32;
/// The field of fees of 1987, and of the later editions.
const FEE_1987: u8 = 28;
const FEES: u8 = 46;
/// The type of a fee by which field 46 names that of the transaction.
const OF_TRANSACTION: [u8; 2] = *b"00";

/// What a message of a terminal that can go on with a part of the amount says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartialTerminal {
    /// Where.
    pub at: Piece,
    /// One of these.
    pub says: Vec<Box<str>>,
}

/// Where the acquirer's fee stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeeForm {
    /// The field: 28 of 1987, a sign and digits; or 46 of the later editions, with up to six fees.
    pub field: u8,
    /// Of field 46, the type of the fees that are meant; others are not the cardholder's.
    pub kind: [u8; 2],
    /// True where field 4 has it in it; false where it comes on top.
    pub within: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TerminalEntry {
    at: Spanned<PieceEntry>,
    says: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AcquirerFeeEntry {
    /// 0 for nowhere.
    field: Option<u8>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    within: bool,
}

impl Version {
    /// Characters of one fee in field 46: type 2, currency 3, in 2003 exponent 1, sign 1 and amount
    /// 8, conversion rate 8, the same in the currency of reconciliation.
    #[must_use]
    pub const fn fee_set(self) -> usize {
        match self {
            Version::V1987 | Version::V1993 => 34,
            Version::V2003 => 36,
        }
    }
}

/// Checks it; `seen` tells of fields, and of their sub-elements by key.
pub(super) fn compile_terminal(
    source: &Source<'_>,
    entry: &Spanned<TerminalEntry>,
    seen: &dyn Fn(u8, Option<&str>) -> Seen,
) -> Result<PartialTerminal, DialectError> {
    let TerminalEntry { at, says } = entry.get_ref();
    let (at, most) = compile_piece(source, at, seen)?;
    let fits = |value: &String| {
        let length = value.len();
        at.length.is_none_or(|exactly| exactly == length)
            && (1..=most.min(LONGEST)).contains(&length)
    };
    if says.is_empty() || !says.iter().all(fits) {
        let problem = "says lists what stands there, as in says = [\"1\"]: as long as that is";
        return Err(source.error(&entry.span(), Some(at.field), problem));
    }
    Ok(PartialTerminal { at, says: says.iter().map(|value| value.as_str().into()).collect() })
}

/// Checks it, or fills in what the edition has.
pub(super) fn compile_fee(
    source: &Source<'_>,
    entry: Option<&Spanned<AcquirerFeeEntry>>,
    version: Version,
    seen: &dyn Fn(u8, Option<&str>) -> Seen,
) -> Result<Option<FeeForm>, DialectError> {
    let usual = if version == Version::V1987 { FEE_1987 } else { FEES };
    let holds = |field: u8| {
        seen(field, None).is_some_and(|(spec, _)| match (field, version) {
            (FEES, Version::V1987) => false,
            (FEES, _) => {
                matches!(spec.kind, FieldType::Text | FieldType::Alphanumeric)
                    && spec.length != LengthForm::Fixed
                    && usize::from(spec.max) >= version.fee_set()
            }
            _ => spec.kind == FieldType::SignedAmount,
        })
    };
    let Some(entry) = entry else {
        let form = FeeForm { field: usual, kind: OF_TRANSACTION, within: false };
        return Ok(holds(usual).then_some(form));
    };
    let AcquirerFeeEntry { field, kind, within } = entry.get_ref();
    let field = field.unwrap_or(usual);
    if field == 0 {
        return Ok(None);
    }
    let wrong = |problem: &str| Err(source.error(&entry.span(), Some(field), problem));
    if !holds(field) {
        return wrong("a fee stands in a field of type x+n or, from 1993 on, in 46; 0 for nowhere");
    }
    let kind = match kind.as_deref().map(str::as_bytes) {
        None => OF_TRANSACTION,
        Some(_) if field != FEES => return wrong("type is for field 46 alone"),
        Some(&[a, b]) if a.is_ascii_digit() && b.is_ascii_digit() => [a, b],
        Some(_) => return wrong("types have two digits, as in \"00\""),
    };
    Ok(Some(FeeForm { field, kind, within: *within }))
}

impl Dialect {
    /// What a message of a terminal that can go on with a part of the amount says; `None` where
    /// none can.
    #[must_use]
    pub const fn partial_terminal(&self) -> Option<&PartialTerminal> {
        self.carriage.partial_terminal.as_ref()
    }

    /// Where the acquirer's fee stands; `None` where the peer has none.
    #[must_use]
    pub const fn fee_form(&self) -> Option<FeeForm> {
        self.carriage.acquirer_fee
    }
}

impl Message<'_> {
    /// Whether its terminal says that it can go on with a part of the amount. Nothing is allocated.
    #[must_use]
    pub fn takes_part(&self) -> bool {
        let Some(form) = self.dialect().partial_terminal() else { return false };
        let mut room = [0; LONGEST];
        let said = self.pieces(std::slice::from_ref(&form.at), &mut room);
        said.is_some_and(|said| form.says.iter().any(|one| one.as_bytes() == said))
    }
}
