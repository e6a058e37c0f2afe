//! The tables `[action_codes]`, `[original]`, `[partial_approval]`, `[balances]`, `[lock_outside]`,
//! `[incremental]`, `[mini_statement]` and `[acquirer_fee]` of a dialect file. Must refuse what the
//! fields that they name cannot carry.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::carriage::{BalanceForm, Carriage, LockForm, OriginalAmount, OriginalForm};
use super::carriage_incremental::{IncrementalEntry, compile_incremental};
use super::carriage_partial::{AcquirerFeeEntry, TerminalEntry, compile_fee, compile_terminal};
use super::carriage_statement::{MiniStatementEntry, compile_mini_statement};
use super::dialect_error::DialectError;
use super::dialect_file::Source;
use super::network_trace_file::Seen;
use super::spec::{FieldSpec, FieldType, LengthForm, Version};

const ACTION_CODE: u8 = 39;
const ORIGINAL_AMOUNTS: u8 = 30;
const ADDITIONAL_AMOUNTS: u8 = 54;
/// Type of amount by which networks name the amount that was asked for.
const ASKED_FOR: [u8; 2] = *b"57";
/// Digits of the longest original that is read.
const LONGEST_ORIGINAL: u16 = 64;
const MTI_DIGITS: u16 = 4;

/// The eight tables; each may be left out, and each key of one.
#[derive(Default)]
pub(super) struct CarriageEntries {
    pub(super) action_codes: Option<Spanned<ActionCodesEntry>>,
    pub(super) original: Option<Spanned<OriginalEntry>>,
    pub(super) partial_approval: Option<Spanned<PartialApprovalEntry>>,
    pub(super) balances: Option<Spanned<BalancesEntry>>,
    pub(super) lock_outside: Option<Spanned<LockOutsideEntry>>,
    pub(super) incremental: Option<Spanned<IncrementalEntry>>,
    pub(super) mini_statement: Option<Spanned<MiniStatementEntry>>,
    pub(super) acquirer_fee: Option<Spanned<AcquirerFeeEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ActionCodesEntry {
    digits: Option<Spanned<u8>>,
    #[serde(default)]
    replace: BTreeMap<Spanned<String>, Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OriginalEntry {
    field: u8,
    trace_digits: u8,
    #[serde(default)]
    transmitted_digits: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartialApprovalEntry {
    /// 30, 54, or 0 for nowhere; what the edition has where it is left out.
    original_amount: Option<u8>,
    amount_type: Option<String>,
    /// Left out: no terminal takes a part.
    terminal: Option<Spanned<TerminalEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BalancesEntry {
    /// False: answers carry none.
    #[serde(default = "carried")]
    carried: bool,
    account_type: Option<String>,
    ledger: Option<String>,
    available: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LockOutsideEntry {
    record: Option<u8>,
    file: Option<String>,
}

const fn carried() -> bool {
    true
}

/// The fields of the dialect, for checks.
struct Fields<'a> {
    source: &'a Source<'a>,
    version: Version,
    spec: &'a dyn Fn(u8) -> Option<FieldSpec>,
}

/// Checks the tables, and fills in what they leave out; `seen` tells of fields, and of their
/// sub-elements by key.
pub(super) fn compile_carriage(
    source: &Source<'_>,
    entries: &CarriageEntries,
    version: Version,
    spec: &dyn Fn(u8) -> Option<FieldSpec>,
    seen: &dyn Fn(u8, Option<&str>) -> Seen,
) -> Result<Carriage, DialectError> {
    let fields = Fields { source, version, spec };
    let part = |field: u8, key: &str| seen(field, Some(key)).is_some();
    let terminal = entries.partial_approval.as_ref().map(Spanned::get_ref);
    let terminal = terminal.and_then(|entry| entry.terminal.as_ref());
    let (action_code_digits, replaced) = fields.action_codes(entries.action_codes.as_ref())?;
    Ok(Carriage {
        action_code_digits,
        replaced,
        original: fields.original(entries.original.as_ref())?,
        original_amount: fields.original_amount(entries.partial_approval.as_ref())?,
        balances: fields.balances(entries.balances.as_ref())?,
        lock: fields.lock(entries.lock_outside.as_ref())?,
        incremental: match &entries.incremental {
            Some(entry) => Some(compile_incremental(source, entry, version, spec, &part)?),
            None => None,
        },
        mini_statement: match &entries.mini_statement {
            Some(entry) => Some(compile_mini_statement(source, entry, spec)?),
            None => None,
        },
        partial_terminal: match terminal {
            Some(entry) => Some(compile_terminal(source, entry, seen)?),
            None => None,
        },
        acquirer_fee: compile_fee(source, entries.acquirer_fee.as_ref(), version, seen)?,
    })
}

type Replaced = Vec<(Box<str>, Box<str>)>;

impl Fields<'_> {
    fn error<T>(
        &self,
        span: &Range<usize>,
        field: u8,
        problem: impl Into<String>,
    ) -> Result<T, DialectError> {
        Err(self.source.error(span, Some(field), problem))
    }

    /// As many digits as field 39 has, or as the edition has where that is no number of digits.
    fn action_codes(
        &self,
        entry: Option<&Spanned<ActionCodesEntry>>,
    ) -> Result<(u8, Replaced), DialectError> {
        let room = (self.spec)(ACTION_CODE).map(|spec| spec.max);
        let usual = match self.version {
            Version::V1987 => 2,
            Version::V1993 => 3,
            Version::V2003 => 4,
        };
        let own = room.and_then(|room| u8::try_from(room).ok());
        let own = own.filter(|digits| (2..=4).contains(digits)).unwrap_or(usual);
        let Some(entry) = entry else { return Ok((own, Vec::new())) };
        let ActionCodesEntry { digits, replace } = entry.get_ref();
        let digits = match digits {
            None => own,
            Some(digits) => {
                let (span, digits) = (digits.span(), *digits.get_ref());
                if !(2..=4).contains(&digits) || room.is_some_and(|room| u16::from(digits) > room) {
                    let problem = "action codes have 2, 3 or 4 digits, and no more than the field";
                    return self.error(&span, ACTION_CODE, problem);
                }
                digits
            }
        };
        let mut replaced = Vec::with_capacity(replace.len());
        for (ours, theirs) in replace {
            let code = ours.get_ref();
            if code.len() != usize::from(digits) || !code.bytes().all(|b| b.is_ascii_digit()) {
                let problem = format!("'{code}' is no action code of {digits} digits");
                return self.error(&ours.span(), ACTION_CODE, problem);
            }
            let code = theirs.get_ref();
            let plain = code.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let fits = room.is_none_or(|room| code.len() <= usize::from(room));
            if code.is_empty() || !plain || !fits {
                let problem = format!("'{code}' is none that the field can carry");
                return self.error(&theirs.span(), ACTION_CODE, problem);
            }
            replaced.push((ours.get_ref().as_str().into(), code.as_str().into()));
        }
        Ok((digits, replaced))
    }

    fn original(
        &self,
        entry: Option<&Spanned<OriginalEntry>>,
    ) -> Result<OriginalForm, DialectError> {
        let Some(entry) = entry else { return Ok(OriginalForm::of(self.version)) };
        let OriginalEntry { field, trace_digits, transmitted_digits } = *entry.get_ref();
        let time = u16::from(transmitted_digits);
        let digits = u16::from(trace_digits).saturating_add(time).saturating_add(MTI_DIGITS);
        let numeric = |spec: FieldSpec| {
            spec.kind == FieldType::Numeric && spec.max >= digits && spec.max <= LONGEST_ORIGINAL
        };
        if !(1..=12).contains(&trace_digits) || !matches!(transmitted_digits, 0 | 10) {
            let problem = "trace_digits from 1 to 12, and transmitted_digits 10, or 0 for none";
            return self.error(&entry.span(), field, problem);
        }
        if !(self.spec)(field).is_some_and(numeric) {
            let problem = format!(
                "the original must be a field of type n with a max of {digits} to \
                 {LONGEST_ORIGINAL}: message type, trace number, time"
            );
            return self.error(&entry.span(), field, problem);
        }
        Ok(OriginalForm { field, trace_digits, transmitted_digits })
    }

    /// Digits of field 30 where it holds the amounts, original.
    const fn original_amounts(&self) -> Option<u16> {
        match self.version {
            Version::V1987 => None, // a fee
            Version::V1993 => Some(24),
            Version::V2003 => Some(32),
        }
    }

    fn original_amount(
        &self,
        entry: Option<&Spanned<PartialApprovalEntry>>,
    ) -> Result<Option<OriginalAmount>, DialectError> {
        let in_30 = (self.spec)(ORIGINAL_AMOUNTS).is_some_and(|spec| {
            spec.kind == FieldType::Numeric
                && spec.length == LengthForm::Fixed
                && Some(spec.max) == self.original_amounts()
        });
        let in_54 = self.additional_amounts();
        let said = entry.map(Spanned::get_ref);
        let amount_type = said.and_then(|entry| entry.amount_type.as_deref());
        let usual = if in_30 { Some(OriginalAmount::Field30) } else { None };
        let usual = usual.or(in_54.then_some(OriginalAmount::Field54(ASKED_FOR)));
        let (Some(entry), Some(field)) = (entry, said.and_then(|entry| entry.original_amount))
        else {
            return match (entry, amount_type) {
                (Some(entry), Some(_)) => {
                    let problem = "amount_type goes with original_amount = 54";
                    self.error(&entry.span(), ADDITIONAL_AMOUNTS, problem)
                }
                _ => Ok(usual),
            };
        };
        let span = entry.span();
        if amount_type.is_some() && field != ADDITIONAL_AMOUNTS {
            return self.error(&span, field, "amount_type is for field 54 alone");
        }
        match field {
            0 => Ok(None),
            ORIGINAL_AMOUNTS if in_30 => Ok(Some(OriginalAmount::Field30)),
            ORIGINAL_AMOUNTS => {
                let problem = "holds amounts, original, in 1993 (n, 24) and 2003 (n, 32) alone";
                self.error(&span, ORIGINAL_AMOUNTS, problem)
            }
            ADDITIONAL_AMOUNTS if in_54 => {
                let kind = self.type_code(&span, amount_type, ASKED_FOR)?;
                Ok(Some(OriginalAmount::Field54(kind)))
            }
            ADDITIONAL_AMOUNTS => self.error(&span, ADDITIONAL_AMOUNTS, Self::NO_ROOM),
            field => self.error(&span, field, "original_amount is 30, 54, or 0 for nowhere"),
        }
    }

    const NO_ROOM: &'static str =
        "must be of variable length, of type an or ans, with room for three amounts";

    /// Whether field 54 can hold what we put there: two balances and the amount asked for.
    fn additional_amounts(&self) -> bool {
        let needed = self.version.additional_amount().saturating_mul(3);
        (self.spec)(ADDITIONAL_AMOUNTS).is_some_and(|spec| {
            matches!(spec.kind, FieldType::Text | FieldType::Alphanumeric)
                && spec.length != LengthForm::Fixed
                && usize::from(spec.max) >= needed
        })
    }

    fn balances(
        &self,
        entry: Option<&Spanned<BalancesEntry>>,
    ) -> Result<Option<BalanceForm>, DialectError> {
        let room = self.additional_amounts();
        let usual = BalanceForm::USUAL;
        let Some(entry) = entry else { return Ok(room.then_some(usual)) };
        let span = entry.span();
        let BalancesEntry { carried, account_type, ledger, available } = entry.get_ref();
        if !carried {
            return Ok(None);
        }
        if !room {
            return self.error(&span, ADDITIONAL_AMOUNTS, Self::NO_ROOM);
        }
        Ok(Some(BalanceForm {
            account_type: self.type_code(&span, account_type.as_deref(), usual.account_type)?,
            ledger: self.type_code(&span, ledger.as_deref(), usual.ledger)?,
            available: self.type_code(&span, available.as_deref(), usual.available)?,
        }))
    }

    fn lock(
        &self,
        entry: Option<&Spanned<LockOutsideEntry>>,
    ) -> Result<Option<LockForm>, DialectError> {
        let mut form = LockForm::of(self.version);
        let Some(entry) = entry else {
            let fields = [form.action, form.record, LockForm::FILE];
            let all = fields.into_iter().all(|field| (self.spec)(field).is_some());
            return Ok(all.then_some(form));
        };
        let LockOutsideEntry { record, file } = entry.get_ref();
        form.record = record.unwrap_or(form.record);
        if let Some(file) = file {
            form.file = file.as_str().into();
        }
        let printable = form.file.bytes().all(|byte| matches!(byte, b'!'..=b'~'));
        let fits = |spec: FieldSpec| usize::from(spec.max) >= form.file.len();
        if form.file.is_empty() || !printable || !(self.spec)(LockForm::FILE).is_some_and(fits) {
            let problem = "the name of a file has printable characters, and no more than the field";
            return self.error(&entry.span(), LockForm::FILE, problem);
        }
        let holds = |spec: FieldSpec| {
            !matches!(spec.kind, FieldType::Track | FieldType::SignedAmount) && spec.max >= 2
        };
        if !(self.spec)(form.record).is_some_and(holds) {
            let problem = "the record must be a field with room for two digits";
            return self.error(&entry.span(), form.record, problem);
        }
        if (self.spec)(form.action).is_none() {
            let problem = "says what a file action is to do, and is not defined";
            return self.error(&entry.span(), form.action, problem);
        }
        Ok(Some(form))
    }

    fn type_code(
        &self,
        span: &Range<usize>,
        code: Option<&str>,
        usual: [u8; 2],
    ) -> Result<[u8; 2], DialectError> {
        match code.map(str::as_bytes) {
            None => Ok(usual),
            Some(&[a, b]) if a.is_ascii_digit() && b.is_ascii_digit() => Ok([a, b]),
            Some(_) => self.error(span, ADDITIONAL_AMOUNTS, "types have two digits, as in \"02\""),
        }
    }
}
