//! The table `[mini_statement]` of a dialect file: where the answer to the inquiry for the latest
//! movements of an account (processing code 38) has them, and how each is written. Must refuse what
//! the field could not carry in full, and never write a part of an amount.

use std::fmt::Write as _;

use serde::Deserialize;
use toml::Spanned;

use super::dialect_error::DialectError;
use super::dialect_file::Source;
use super::spec::{FieldSpec, FieldType, LengthForm};

/// The first field behind those that every answer has of its own.
const FIRST: u8 = 40;
const DEFAULT_ENTRIES: u8 = 10;
const DEFAULT_DIGITS: u8 = 12;
/// Digits of the largest amount that there is.
const MOST_DIGITS: u8 = 18;

/// One part of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Part {
    /// The day, UTC.
    Date,
    /// Whether it came or went.
    Sign,
    /// In minor units, zeros on the left.
    Amount,
    /// Three digits.
    Currency,
}

/// How a day is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
enum DateForm {
    #[serde(rename = "MMDD")]
    MonthDay,
    #[default]
    #[serde(rename = "YYMMDD")]
    ShortYear,
    #[serde(rename = "YYYYMMDD")]
    FullYear,
}

impl DateForm {
    const fn digits(self) -> u16 {
        match self {
            Self::MonthDay => 4,
            Self::ShortYear => 6,
            Self::FullYear => 8,
        }
    }
}

/// How the latest movements of an account stand in an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MiniStatementForm {
    /// The field: additional data (48), or one that is reserved for private use (125).
    pub field: u8,
    /// How many movements at most, the latest first.
    pub entries: u8,
    parts: Vec<Part>,
    date: DateForm,
    amount_digits: u8,
    debit: char,
    credit: char,
}

/// A movement of an account, as an answer has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StatementEntry {
    /// Year, month and day.
    pub date: (i32, u8, u8),
    /// True where money went.
    pub debit: bool,
    /// Minor units.
    pub minor: u64,
    /// Numeric code.
    pub currency: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MiniStatementEntry {
    field: u8,
    #[serde(default = "default_entries")]
    entries: u8,
    parts: Vec<Part>,
    #[serde(default)]
    date: DateForm,
    #[serde(default = "default_digits")]
    amount_digits: u8,
    #[serde(default = "default_debit")]
    debit: char,
    #[serde(default = "default_credit")]
    credit: char,
}

const fn default_entries() -> u8 {
    DEFAULT_ENTRIES
}

const fn default_digits() -> u8 {
    DEFAULT_DIGITS
}

const fn default_debit() -> char {
    'D'
}

const fn default_credit() -> char {
    'C'
}

/// Checks it; `spec` tells of the fields that there are.
pub(super) fn compile_mini_statement(
    source: &Source<'_>,
    entry: &Spanned<MiniStatementEntry>,
    spec: &dyn Fn(u8) -> Option<FieldSpec>,
) -> Result<MiniStatementForm, DialectError> {
    let MiniStatementEntry { field, entries, parts, date, amount_digits, debit, credit } =
        entry.get_ref();
    let form = MiniStatementForm {
        field: *field,
        entries: *entries,
        parts: parts.clone(),
        date: *date,
        amount_digits: *amount_digits,
        debit: *debit,
        credit: *credit,
    };
    let wrong = |problem: String| Err(source.error(&entry.span(), Some(*field), problem));
    let once = |part: &Part| parts.iter().filter(|one| *one == part).count() == 1;
    if !parts.iter().all(once) || !parts.contains(&Part::Sign) || !parts.contains(&Part::Amount) {
        return wrong("parts are sign, amount, and date and currency at will, each once".into());
    }
    if !(1..=MOST_DIGITS).contains(amount_digits) {
        return wrong(format!("amount_digits from 1 to {MOST_DIGITS}"));
    }
    if debit == credit || ![debit, credit].iter().all(|sign| sign.is_ascii_graphic()) {
        return wrong("debit and credit are two different printable characters".into());
    }
    let needed = form.entry_length().saturating_mul(u16::from(*entries));
    let holds = |spec: FieldSpec| {
        matches!(spec.kind, FieldType::Text)
            && spec.length != LengthForm::Fixed
            && spec.max >= needed
    };
    if *entries == 0 || *field < FIRST || !spec(*field).is_some_and(holds) {
        return wrong(format!(
            "one entry at least, in a field from {FIRST} on, of type ans and variable length, with \
             room for all of them: {needed} characters"
        ));
    }
    Ok(form)
}

impl MiniStatementForm {
    fn entry_length(&self) -> u16 {
        let part = |part: &Part| match part {
            Part::Date => self.date.digits(),
            Part::Sign => 1,
            Part::Amount => u16::from(self.amount_digits),
            Part::Currency => 3,
        };
        self.parts.iter().map(part).fold(0, u16::saturating_add)
    }

    /// Movements as the field has them, as many as it has room for; `None` where an amount has more
    /// digits than an entry has.
    #[must_use]
    pub fn write(&self, movements: &[StatementEntry]) -> Option<String> {
        let room = usize::from(self.entry_length()).saturating_mul(usize::from(self.entries));
        let mut text = String::with_capacity(room);
        for one in movements.iter().take(usize::from(self.entries)) {
            for part in &self.parts {
                self.write_part(*part, one, &mut text)?;
            }
        }
        Some(text)
    }

    fn write_part(&self, part: Part, one: &StatementEntry, text: &mut String) -> Option<()> {
        let (year, month, day) = one.date;
        let written = match (part, self.date) {
            (Part::Date, DateForm::MonthDay) => write!(text, "{month:02}{day:02}"),
            (Part::Date, DateForm::ShortYear) => {
                write!(text, "{:02}{month:02}{day:02}", year.rem_euclid(100))
            }
            (Part::Date, DateForm::FullYear) => write!(text, "{year:04}{month:02}{day:02}"),
            (Part::Sign, _) => write!(text, "{}", if one.debit { self.debit } else { self.credit }),
            (Part::Currency, _) => write!(text, "{:03}", one.currency),
            (Part::Amount, _) => {
                let digits = usize::from(self.amount_digits);
                let before = text.len();
                write!(text, "{:0digits$}", one.minor).ok()?;
                return (text.len().checked_sub(before) == Some(digits)).then_some(());
            }
        };
        written.ok()
    }
}
