//! The shape of a record of a clearing file (docs/clearing.md). It owns its members, their units
//! and limits, and what makes two records the same; it knows no card and no message.

use sha2::{Digest, Sha256};
use switch_domain::{
    Acquirer, Amount, ApprovalCode, AsciiText, CardId, Currency, Fingerprint, LinkId, MinorUnits,
    NetworkAmounts, NetworkTrace, Pan, TransactionType,
};
use zeroize::Zeroizing;

use super::members::{BadLine, Members};
use crate::operation::amount_of;

/// Twelve digits, as a trace number of the edition of 2003.
const LAST_RECORD: u64 = 999_999_999_999;
/// Twelve digits, as an amount on the wire.
const MOST: i64 = 999_999_999_999;
/// MMDDhhmmss.
const LAST_TIME: u64 = 1_231_235_959;
const LONGEST_FILE: usize = 64;
/// A longer row of digits could be a card number, and a file's identifier is printed.
const LONGEST_DIGITS: usize = 11;

/// What may be settled, by the names that digests are made of.
const KINDS: [(TransactionType, &str); 5] = [
    (TransactionType::Purchase, "purchase"),
    (TransactionType::Cash, "cash"),
    (TransactionType::CashBack, "cash-back"),
    (TransactionType::QuasiCash, "quasi-cash"),
    (TransactionType::Refund, "refund"),
];

/// The identifier that a file gives itself: 1 to 64 letters, digits, `.`, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileId(String);

impl FileId {
    /// Of its text; `None` where that is none.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let digits = text.split(|one: char| !one.is_ascii_digit()).map(str::len).max();
        let good = (1..=LONGEST_FILE).contains(&text.len())
            && text.bytes().all(plain)
            && digits.unwrap_or(0) <= LONGEST_DIGITS;
        good.then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A record.
#[derive(Debug)]
pub(super) struct Record {
    /// Its number in the file.
    pub(super) number: u64,
    pub(super) card: CardName,
    pub(super) facts: Facts,
    pub(super) does: Does,
}

/// How it names its card.
pub(super) enum CardName {
    Id(CardId),
    Pan(Pan),
}

impl std::fmt::Debug for CardName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id:?}"),
            Self::Pan(_) => f.write_str("Pan(hidden)"),
        }
    }
}

/// What is kept of it besides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) rrn: AsciiText<12>,
    pub(super) category: u16,
    pub(super) merchant: AsciiText<35>,
    pub(super) approval_code: Option<ApprovalCode>,
}

/// What it does.
#[derive(Clone, Debug)]
pub(super) enum Does {
    /// It settles an amount.
    Settle {
        kind: TransactionType,
        amount: Amount,
        /// What the network converted, where the record says so.
        network: Option<Box<NetworkAmounts>>,
        /// The authorization that it completes, or the one of the purchase that it refunds.
        of: Option<Named>,
        /// More will be settled of that one.
        more_to_come: bool,
    },
    /// It takes back what was settled.
    Reverse {
        what: Posted,
        /// What is to stand of it; `None` where nothing is.
        standing: Option<Amount>,
    },
}

/// A message of a link, as it is named.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    /// Who sent it, and its trace number; `None` where only the network trace names it.
    pub(super) by: Option<(Acquirer, u64)>,
    pub(super) terminal: AsciiText<16>,
    pub(super) rrn: AsciiText<12>,
    pub(super) transmitted: u64,
    pub(super) network_trace: NetworkTrace,
}

/// What a reversal takes back.
#[derive(Clone, Debug)]
pub(super) enum Posted {
    /// A record of a clearing file; of the same file where none is named.
    Record { file: Option<FileId>, number: u64 },
    /// A financial message of a link.
    Message(Named),
}

/// Reads a line; with a fault, the number of its record where that can be told.
pub(super) fn read(text: &str) -> Result<Record, (Option<u64>, BadLine)> {
    let mut members = Members::parse(text).map_err(|fault| (None, fault))?;
    let number = members.number("record", 1, LAST_RECORD).map_err(|fault| (None, fault))?;
    let Some(number) = number else {
        return Err((None, BadLine::member("record", "it must be there, a number from 1")));
    };
    rest(number, members).map_err(|fault| (Some(number), fault))
}

fn rest(number: u64, mut members: Members) -> Result<Record, BadLine> {
    let card = card(&mut members)?;
    let category = members.number("mcc", 0, 9_999)?.unwrap_or(0);
    let facts = Facts {
        rrn: members.text("rrn")?,
        category: u16::try_from(category).unwrap_or(0),
        merchant: members.text("merchant")?,
        approval_code: approval_code(&mut members)?,
    };
    let wanted = "purchase, cash, cash-back, quasi-cash, refund or reversal";
    let name = members.needed("type", wanted)?;
    let does = match KINDS.into_iter().find(|(_, known)| *known == name) {
        Some((kind, _)) => settle(kind, &mut members)?,
        None if name == "reversal" => reverse(&mut members)?,
        None => return Err(BadLine::member("type", wanted)),
    };
    members.end()?;
    Ok(Record { number, card, facts, does })
}

fn card(members: &mut Members) -> Result<CardName, BadLine> {
    let id = members.number("card", 1, i64::MAX.unsigned_abs())?;
    let pan = members.string("pan", "a card number as a string of digits")?.map(Zeroizing::new);
    match (id, pan) {
        (Some(id), None) => Ok(CardName::Id(CardId(i64::try_from(id).unwrap_or(0)))),
        (None, Some(pan)) => {
            let wrong = |_| BadLine::member("pan", "12 to 19 digits");
            Pan::from_digits(pan.as_bytes()).map(CardName::Pan).map_err(wrong)
        }
        _ => Err(BadLine("one of the members card and pan must be there, and not both".into())),
    }
}

fn approval_code(members: &mut Members) -> Result<Option<ApprovalCode>, BadLine> {
    let wanted = "six letters or digits";
    let Some(text) = members.string("approval_code", wanted)? else { return Ok(None) };
    let code = ApprovalCode::from_text(&text);
    code.map(Some).ok_or_else(|| BadLine::member("approval_code", wanted))
}

fn settle(kind: TransactionType, members: &mut Members) -> Result<Does, BadLine> {
    let currency = currency(members)?;
    let amount = amount("amount", members, currency)?;
    let amount = amount.filter(|amount| amount.minor.is_positive());
    let wanted = "major units as a string, above zero, at most twelve digits, as \"12.50\"";
    let amount = amount.ok_or_else(|| BadLine::member("amount", wanted))?;
    let of = members.object("authorization")?.map(named).transpose()?;
    let more_to_come = members.flag("more_to_come")?;
    if more_to_come && of.is_none() {
        let wanted = "it goes with the authorization of which more will come";
        return Err(BadLine::member("more_to_come", wanted));
    }
    let network = network(members)?;
    Ok(Does::Settle { kind, amount, network, of, more_to_come })
}

/// What the network converted, where the record says so.
fn network(members: &mut Members) -> Result<Option<Box<NetworkAmounts>>, BadLine> {
    let mut read = |name| {
        let Some(mut converted) = members.object(name)? else { return Ok(None) };
        let currency = currency(&mut converted)?;
        let found = amount("amount", &mut converted, currency)?;
        converted.end()?;
        found.map(Some).ok_or_else(|| BadLine::member(name, "at most twelve digits"))
    };
    let (billing, settlement) = (read("billing")?, read("settlement")?);
    let any = billing.is_some() || settlement.is_some();
    let amounts = NetworkAmounts { billing, settlement, ..NetworkAmounts::default() };
    Ok(any.then(|| Box::new(amounts)))
}

fn reverse(members: &mut Members) -> Result<Does, BadLine> {
    let posted = members.object("posted")?.map(posted).transpose()?;
    let message = members.object("message")?.map(named).transpose()?;
    let what = match (posted, message) {
        (Some(posted), None) => posted,
        (None, Some(message)) => Posted::Message(message),
        _ => {
            let wanted = "a reversal has one of the members posted and message, and not both";
            return Err(BadLine(wanted.into()));
        }
    };
    let standing = if members.has("standing") {
        let currency = currency(members)?;
        amount("standing", members, currency)?.filter(|amount| amount.minor.is_positive())
    } else {
        None
    };
    Ok(Does::Reverse { what, standing })
}

fn posted(mut members: Members) -> Result<Posted, BadLine> {
    let wanted = "the identifier of a file";
    let file = match members.string("file", wanted)? {
        None => None,
        Some(text) => Some(FileId::new(&text).ok_or_else(|| members.fault("file", wanted))?),
    };
    let number = members.number("record", 1, LAST_RECORD)?;
    let number = number.ok_or_else(|| members.fault("record", "it must be there"))?;
    members.end()?;
    Ok(Posted::Record { file, number })
}

fn named(mut members: Members) -> Result<Named, BadLine> {
    let network_trace = network_trace(&mut members)?;
    let institution = members.text::<11>("acquirer")?;
    let link = members.number("link", 1, u16::MAX.into())?;
    let acquirer = match (institution.is_empty(), link) {
        (false, None) => Some(Acquirer::Institution(institution)),
        (true, Some(link)) => Some(Acquirer::Link(LinkId(u16::try_from(link).unwrap_or(0)))),
        (true, None) if !network_trace.is_none() && !members.has("stan") => None,
        _ => {
            let wanted = "DE32 of the message, or link where it had none: one of the two";
            return Err(members.fault("acquirer", wanted));
        }
    };
    let by = match acquirer {
        Some(acquirer) => {
            let stan = members.number("stan", 0, LAST_RECORD)?;
            Some((acquirer, stan.ok_or_else(|| members.fault("stan", "DE11 of the message"))?))
        }
        None => None,
    };
    let named = Named {
        by,
        network_trace,
        terminal: members.text("terminal")?,
        rrn: members.text("rrn")?,
        transmitted: members.number("transmitted", 0, LAST_TIME)?.unwrap_or(0),
    };
    members.end()?;
    Ok(named)
}

/// What the network links the messages of one transaction by; none where it is not there.
fn network_trace(members: &mut Members) -> Result<NetworkTrace, BadLine> {
    let wanted = "the network's identifier of the transaction, up to 15 characters";
    let text = members.string("network_trace", wanted)?.unwrap_or_default();
    NetworkTrace::new(text.as_bytes()).map_err(|_| members.fault("network_trace", wanted))
}

fn currency(members: &mut Members) -> Result<Currency, BadLine> {
    let wanted = "a code of ISO 4217 in three letters that is in use, as EUR";
    let code = members.needed("currency", wanted)?;
    Currency::from_alphabetic(&code).ok_or_else(|| BadLine::member("currency", wanted))
}

/// `None` where it is none, or not within twelve digits.
fn amount(
    name: &str,
    members: &mut Members,
    currency: Currency,
) -> Result<Option<Amount>, BadLine> {
    let decimals = currency.exponent();
    let wanted = format!("major units as a string, at most {decimals} decimals, as \"12\"");
    let text = members.needed(name, &wanted)?;
    let minor = amount_of(&text, currency).map_err(|_| BadLine::member(name, &wanted))?;
    let within = (0..=MOST).contains(&minor.0);
    Ok(within.then_some(Amount { minor, currency }))
}

impl Record {
    /// What tells it from another record under its number: everything that it says, of its card the
    /// keyed hash.
    pub(super) fn digest(&self, card: &Fingerprint) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut add = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        add(&card.0);
        let Facts { rrn, category, merchant, approval_code } = &self.facts;
        add(rrn.as_bytes());
        add(&category.to_be_bytes());
        add(merchant.as_bytes());
        add(approval_code.as_ref().map_or("", ApprovalCode::as_str).as_bytes());
        match &self.does {
            Does::Settle { kind, amount, network, of, more_to_come } => {
                let name = KINDS.iter().find(|(known, _)| known == kind);
                add(name.map_or("", |(_, name)| *name).as_bytes());
                add(&[u8::from(*more_to_come)]);
                add_amount(&mut add, Some(*amount));
                if let Some(named) = of {
                    add_named(&mut add, named);
                }
                // Records of before there were any keep their digests.
                if let Some(network) = network {
                    add(b"network");
                    add_amount(&mut add, network.billing);
                    add_amount(&mut add, network.settlement);
                }
            }
            Does::Reverse { what, standing } => {
                add(b"reversal");
                add_amount(&mut add, *standing);
                match what {
                    Posted::Record { file, number } => {
                        add(file.as_ref().map_or("", FileId::as_str).as_bytes());
                        add(&number.to_be_bytes());
                    }
                    Posted::Message(named) => add_named(&mut add, named),
                }
            }
        }
        hash.finalize().into()
    }
}

fn add_amount(add: &mut impl FnMut(&[u8]), amount: Option<Amount>) {
    let minor = amount.map_or(MinorUnits::ZERO, |amount| amount.minor);
    add(&minor.0.to_be_bytes());
    add(&amount.map_or(0, |amount| amount.currency.numeric()).to_be_bytes());
}

fn add_named(add: &mut impl FnMut(&[u8]), named: &Named) {
    if let Some((acquirer, stan)) = &named.by {
        match acquirer {
            Acquirer::Institution(institution) => add(institution.as_bytes()),
            Acquirer::Link(link) => add(&link.0.to_be_bytes()),
        }
        add(&stan.to_be_bytes());
    }
    add(named.terminal.as_bytes());
    add(named.rrn.as_bytes());
    add(&named.transmitted.to_be_bytes());
    // Records of before there were any keep their digests.
    if !named.network_trace.is_none() {
        add(named.network_trace.as_bytes());
    }
}
