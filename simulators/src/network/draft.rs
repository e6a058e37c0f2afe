//! Messages before they are written: which fields a purchase, its advice, a completion, a reversal
//! and an x800 have in each edition of the standard, and what stands in them. Must never show what
//! is in a field.

use std::fmt;

use codecs::iso8583::{EntryForm, Version};
use jiff::civil::DateTime;

use super::management::Function;
use super::speech::Speech;

/// A field to write.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Characters, digits among them.
    Text(String),
    /// Raw bytes.
    Bytes(Vec<u8>),
}

/// Its length only: it may be a card number.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => write!(f, "({} characters)", text.len()),
            Value::Bytes(bytes) => write!(f, "({} bytes)", bytes.len()),
        }
    }
}

/// The fields of a message, by number, in any order.
pub type Draft = Vec<(u8, Value)>;

/// A purchase: what is the same in every edition.
#[derive(Clone, Debug)]
pub struct Sale {
    /// The card's number.
    pub pan: Value,
    /// Its expiry, `YYMM`.
    pub expiry: String,
    /// Minor units of the currency.
    pub minor: u64,
    /// ISO 4217: three digits, and how many decimals.
    pub currency: (String, u8),
    /// Tells it from others: at most six digits.
    pub stan: u32,
    /// When, at the terminal.
    pub at: DateTime,
}

impl Sale {
    /// In euro, with a card that expires at the end of 2049.
    #[must_use]
    pub fn in_euro(pan: &str, stan: u32, minor: u64, at: DateTime) -> Sale {
        let currency = ("978".to_owned(), 2);
        Sale { pan: text(pan), expiry: "4912".to_owned(), minor, currency, stan, at }
    }
}

const ACQUIRER: &str = "123456";

fn text(value: impl Into<String>) -> Value {
    Value::Text(value.into())
}

impl Speech {
    /// The authorization request: a chip card in a shop terminal, by number.
    #[must_use]
    pub fn purchase(&self, sale: &Sale) -> Draft {
        let Sale { pan, expiry, stan, at, .. } = sale;
        let mut draft: Draft = vec![
            (2, pan.clone()),
            (3, text("000000")),
            (4, self.amount(sale)),
            (7, text(at.strftime("%m%d%H%M%S").to_string())),
            (11, text(format!("{stan:06}"))),
            (14, text(expiry)),
            (32, text(ACQUIRER)),
            (37, text(format!("{stan:012}"))),
            (41, text("TERM0001")),
            (42, text("MERCHANT0000001")),
        ];
        draft.extend(self.local_time(*at));
        match self.version() {
            Version::V1987 => {
                // Three digits, or four.
                let room = self.dialect().spec(22).map_or(3, |spec| usize::from(spec.max));
                draft.extend([(18, text("5411")), (22, text(format!("{:0<room$}", "051")))]);
            }
            Version::V1993 | Version::V2003 => {
                draft.extend([(22, self.chip()), (24, text("100")), (26, text("5411"))]);
            }
        }
        if self.version() != Version::V2003 {
            draft.push((49, text(&sale.currency.0)));
        }
        draft
    }

    /// The advice of a purchase that was decided in the issuer's stead: approved, or not honoured.
    #[must_use]
    pub fn advice(&self, sale: &Sale, approved: bool) -> Draft {
        let mut draft = self.purchase(sale);
        let action = match (self.version(), approved) {
            (Version::V1987, true) => "00",
            (Version::V1987, false) => "05",
            (Version::V1993, true) => "000",
            (Version::V1993, false) => "100",
            (Version::V2003, true) => "0000",
            (Version::V2003, false) => "1000",
        };
        draft.push((39, text(action)));
        if approved {
            draft.push((38, text(format!("S{:05}", sale.stan % 100_000))));
        }
        draft
    }

    /// An authorization that adds its amount to an earlier one.
    #[must_use]
    pub fn increment(&self, sale: &Sale, original: &Sale) -> Draft {
        self.changes(sale, original, "106")
    }

    /// An authorization whose amount takes the place of an earlier one's; 1987 has none.
    #[must_use]
    pub fn replacement(&self, sale: &Sale, original: &Sale) -> Draft {
        self.changes(sale, original, "102")
    }

    fn changes(&self, sale: &Sale, original: &Sale, function: &str) -> Draft {
        let mut draft = self.purchase(sale);
        draft.push(self.names("100", original));
        if self.version() != Version::V1987 {
            draft.retain(|(field, _)| *field != 24);
            draft.push((24, text(function)));
        } else if self.dialect().has_elements(61) {
            // A pre-authorization, by the seventh digit of the point of service data.
            draft.push((61, text("0000004")));
        } else {
            draft.extend(self.says_increment());
        }
        draft
    }

    /// A financial message, which settles what it asks for; another processing code than a
    /// purchase's in `code`.
    #[must_use]
    pub fn financial(&self, sale: &Sale, code: &str) -> Draft {
        let mut draft = self.purchase(sale);
        draft.retain(|(field, _)| ![3, 24].contains(field));
        draft.push((3, text(code)));
        if self.version() != Version::V1987 {
            draft.push((24, text("200")));
        }
        draft
    }

    /// The financial advice that settles an authorization, for the amount of `sale`.
    #[must_use]
    pub fn completion(&self, sale: &Sale, original: &Sale) -> Draft {
        let mut draft = self.financial(sale, "000000");
        draft.retain(|(field, _)| ![24, 37].contains(field));
        draft.push((37, text(format!("{:012}", original.stan))));
        draft.push(self.names("100", original));
        if self.version() != Version::V1987 {
            draft.push((24, text("201")));
        }
        draft
    }

    /// Takes a whole purchase back, under a trace number of its own. `kind` is the message type
    /// that it came by: `"100"`, `"200"`.
    #[must_use]
    pub fn reversal(&self, kind: &str, original: &Sale, stan: u32) -> Draft {
        let mut draft = self.purchase(&Sale { stan, ..original.clone() });
        draft.retain(|(field, _)| ![14, 18, 22, 24, 37].contains(field));
        draft.push((37, text(format!("{:012}", original.stan))));
        draft.push(self.names(kind, original));
        if self.version() != Version::V1987 {
            draft.extend([(24, text("400")), (25, text("4000"))]);
        }
        draft
    }

    /// Takes a part back, so that `standing` is left.
    #[must_use]
    pub fn partial_reversal(&self, original: &Sale, stan: u32, standing: u64) -> Draft {
        let mut draft = self.reversal("100", original, stan);
        if self.version() == Version::V1987 {
            draft.push((95, text(format!("{standing:012}{:030}", 0))));
            return draft;
        }
        draft.retain(|(field, _)| ![4, 24].contains(field));
        let left = Sale { minor: standing, ..original.clone() };
        draft.extend([
            (4, self.amount(&left)),
            (24, text("401")),
            (30, self.two_amounts(original)),
        ]);
        draft
    }

    /// The original data elements: DE90 or DE56.
    fn names(&self, kind: &str, original: &Sale) -> (u8, Value) {
        let (first, at) = (original.stan, original.at);
        let acquirer = format!("{:02}{ACQUIRER}", ACQUIRER.len());
        match self.version() {
            Version::V1987 => {
                let sent = at.strftime("%m%d%H%M%S");
                (90, text(format!("0{kind}{first:06}{sent}{ACQUIRER:0>11}{:011}", 0)))
            }
            Version::V1993 => {
                (56, text(format!("1{kind}{first:06}{}{acquirer}", at.strftime("%y%m%d%H%M%S"))))
            }
            Version::V2003 => {
                (56, text(format!("2{kind}{first:012}{}{acquirer}", at.strftime("%Y%m%d%H%M%S"))))
            }
        }
    }

    /// DE30: the amount, and none for reconciliation.
    fn two_amounts(&self, sale: &Sale) -> Value {
        let Value::Text(first) = self.amount(sale) else { return text("") };
        text(format!("{first}{:0<width$}", "", width = first.len()))
    }

    /// The x800.
    #[must_use]
    pub fn management(&self, function: Function, stan: u32, at: DateTime) -> Draft {
        let version = self.version();
        let mut draft = vec![
            (7, text(at.strftime("%m%d%H%M%S").to_string())),
            (11, text(format!("{stan:06}"))),
            (Function::field(version), text(function.code(version))),
        ];
        if version != Version::V1987 {
            draft.extend(self.local_time(at));
        }
        draft
    }

    fn amount(&self, sale: &Sale) -> Value {
        let Sale { minor, currency: (number, decimals), .. } = sale;
        match self.version() {
            Version::V2003 => text(format!("{number}{decimals}{minor:012}")),
            Version::V1987 | Version::V1993 => text(format!("{minor:012}")),
        }
    }

    pub(super) fn local_time(&self, at: DateTime) -> Draft {
        let written = |form| text(at.strftime(form).to_string());
        match self.version() {
            Version::V1987 => vec![(12, written("%H%M%S")), (13, written("%m%d"))],
            Version::V1993 => vec![(12, written("%y%m%d%H%M%S"))],
            Version::V2003 => vec![(12, written("%Y%m%d%H%M%S"))],
        }
    }

    /// Field 22 for a chip card read in a shop, the cardholder there.
    fn chip(&self) -> Value {
        match self.dialect().entry_form() {
            EntryForm::Digits => text("051"),
            EntryForm::Positions => text("510101513344"),
            EntryForm::Bits => {
                let chip_read = [1 << 5, 0, 0, 0, 0, 0, 0, 0];
                let cardholder_there = [1 << 1, 0, 0, 0, 0, 0, 0, 0];
                Value::Bytes([chip_read, cardholder_there].concat())
            }
        }
    }
}
