//! Spend controls and what counts towards them, as they are stored: in records, in snapshots, and
//! in the columns of tables that hold them whole. It owns those shapes both ways.

use prost::Message;
use switch_domain::{
    AsciiText, BalanceId, CardId, CardUses, Categories, ControlFindings, ControlId, ControlRule,
    ControlSubject, ControlTerms, Counted, Country, Event, Hours, MinorUnits, Part, ProgrammeId,
    Selector, SpendControl, Usage, UsageDelta, Used, Window,
};

use super::read::{Read, amount, illegal, narrow, text};
use super::{FormatError, RecordFault};

#[derive(Clone, PartialEq, Message)]
pub(super) struct Control {
    #[prost(int64, tag = "1")]
    id: i64,
    #[prost(message, optional, tag = "2")]
    subject: Option<Subject>,
    #[prost(string, tag = "3")]
    name: String,
    #[prost(bool, tag = "4")]
    shadow: bool,
    #[prost(uint32, tag = "5")]
    uses: u32,
    /// First and last of each, by turns.
    #[prost(uint32, repeated, tag = "6")]
    categories: Vec<u32>,
    #[prost(uint32, repeated, tag = "7")]
    countries: Vec<u32>,
    /// 0 where none is named.
    #[prost(uint32, tag = "8")]
    abroad_of: u32,
    #[prost(string, repeated, tag = "9")]
    merchants: Vec<String>,
    #[prost(message, optional, tag = "10")]
    hours: Option<StoredHours>,
    /// 1 forbids, 2 allows only, 3 is one merchant, 4 an amount, 5 a count.
    #[prost(uint32, tag = "11")]
    rule: u32,
    /// Of an amount and a count.
    #[prost(sint64, optional, tag = "12")]
    most: Option<i64>,
    /// 1 a transaction, 2 rolling hours, 3 day, 4 week, 5 month, 6 year, 7 for life.
    #[prost(uint32, tag = "13")]
    window: u32,
    #[prost(uint32, tag = "14")]
    rolling_hours: u32,
    #[prost(string, tag = "15")]
    zone: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Subject {
    /// 1 a card, 2 a balance, 3 a programme.
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(int64, tag = "2")]
    id: i64,
}

#[derive(Clone, PartialEq, Message)]
struct StoredHours {
    #[prost(uint32, tag = "1")]
    days: u32,
    #[prost(uint32, tag = "2")]
    from: u32,
    #[prost(uint32, tag = "3")]
    to: u32,
    #[prost(string, tag = "4")]
    zone: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ControlRemoved {
    #[prost(int64, tag = "1")]
    control: i64,
    #[prost(message, optional, tag = "2")]
    subject: Option<Subject>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Findings {
    #[prost(int64, optional, tag = "1")]
    declined_by: Option<i64>,
    #[prost(int64, repeated, tag = "2")]
    would_decline: Vec<i64>,
}

/// Change of what counts.
#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredUsageDelta {
    #[prost(message, optional, tag = "1")]
    counted: Option<StoredCounted>,
    /// Only where something begins to count.
    #[prost(sint64, optional, tag = "2")]
    oldest: Option<i64>,
    #[prost(sint64, optional, tag = "3")]
    amount: Option<i64>,
    #[prost(sint32, tag = "4")]
    count: i32,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct StoredCounted {
    #[prost(int64, tag = "1")]
    control: i64,
    #[prost(int64, tag = "2")]
    holder: i64,
    #[prost(sint64, tag = "3")]
    part: i64,
}

/// What one holder used of one control.
#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredUsage {
    #[prost(int64, tag = "1")]
    control: i64,
    #[prost(int64, tag = "2")]
    holder: i64,
    #[prost(message, repeated, tag = "3")]
    parts: Vec<StoredPart>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct StoredPart {
    #[prost(sint64, tag = "1")]
    part: i64,
    #[prost(sint64, tag = "2")]
    amount: i64,
    #[prost(sint32, tag = "3")]
    count: i32,
}

/// Where one authorization counts: the whole of a column.
#[derive(Clone, PartialEq, Message)]
struct CountedList {
    #[prost(message, repeated, tag = "1")]
    all: Vec<StoredCounted>,
}

/// A control as its column holds it.
pub(crate) fn encode_control(control: &SpendControl) -> Vec<u8> {
    write_control(control).encode_to_vec()
}

/// A control from its column.
pub(crate) fn decode_control(bytes: &[u8]) -> Result<SpendControl, FormatError> {
    read_control(Control::decode(bytes)?).map_err(FormatError::Snapshot)
}

/// Where an authorization counts, as its column holds it.
pub(crate) fn encode_counted(counted: &[Counted]) -> Vec<u8> {
    CountedList { all: counted.iter().map(write_counted).collect() }.encode_to_vec()
}

/// Where an authorization counts, from its column.
pub(crate) fn decode_counted(bytes: &[u8]) -> Result<Box<[Counted]>, FormatError> {
    Ok(CountedList::decode(bytes)?.all.iter().map(read_counted).collect())
}

pub(super) fn write_subject(subject: ControlSubject) -> Subject {
    let (kind, id) = match subject {
        ControlSubject::Card(id) => (1, id.0),
        ControlSubject::Balance(id) => (2, id.0),
        ControlSubject::Programme(id) => (3, id.0),
    };
    Subject { kind, id }
}

fn read_subject(stored: Option<Subject>) -> Read<ControlSubject> {
    let Subject { kind, id } = stored.ok_or(RecordFault::Missing("subject of a control"))?;
    match kind {
        1 => Ok(ControlSubject::Card(CardId(id))),
        2 => Ok(ControlSubject::Balance(BalanceId(id))),
        3 => Ok(ControlSubject::Programme(ProgrammeId(id))),
        other => Err(illegal("subject of a control", other)),
    }
}

pub(super) fn write_control(control: &SpendControl) -> Control {
    let ControlTerms { subject, name, shadow, selects, rule } = &control.terms;
    let (number, most, window) = match rule {
        ControlRule::Forbid => (1, None, None),
        ControlRule::AllowOnly => (2, None, None),
        ControlRule::OneMerchant => (3, None, None),
        ControlRule::Amount(most, window) => (4, Some(most.0), Some(window)),
        ControlRule::Count(most, window) => (5, Some(i64::from(*most)), Some(window)),
    };
    let (kind, hours) = match window {
        None => (0, 0),
        Some(Window::Transaction) => (1, 0),
        Some(Window::Rolling(hours)) => (2, u32::from(*hours)),
        Some(Window::Day(_)) => (3, 0),
        Some(Window::Week(_)) => (4, 0),
        Some(Window::Month(_)) => (5, 0),
        Some(Window::Year(_)) => (6, 0),
        Some(Window::Lifetime) => (7, 0),
    };
    let zone = window.and_then(Window::zone).map_or_else(String::new, ToString::to_string);
    let categories = selects.categories.iter();
    Control {
        id: control.id.0,
        subject: Some(write_subject(*subject)),
        name: name.to_string(),
        shadow: *shadow,
        uses: u32::from(selects.uses.bits()),
        categories: categories.flat_map(|one| [one.first, one.last]).map(u32::from).collect(),
        countries: selects.countries.iter().map(|one| u32::from(one.numeric())).collect(),
        abroad_of: selects.abroad_of.map_or(0, |home| u32::from(home.numeric())),
        merchants: selects.merchants.iter().map(ToString::to_string).collect(),
        hours: selects.hours.as_ref().map(|hours| StoredHours {
            days: u32::from(hours.days),
            from: u32::from(hours.from),
            to: u32::from(hours.to),
            zone: hours.zone.to_string(),
        }),
        rule: number,
        most,
        window: kind,
        rolling_hours: hours,
        zone,
    }
}

pub(super) fn read_control(stored: Control) -> Read<SpendControl> {
    let rule = read_rule(&stored)?;
    let bits = narrow("uses", stored.uses)?;
    let pairs = stored.categories.chunks(2);
    let categories = pairs.map(|pair| match pair {
        [first, last] => {
            Ok(Categories { first: narrow("category", *first)?, last: narrow("category", *last)? })
        }
        _ => Err(illegal("categories", stored.categories.len())),
    });
    let abroad_of = (stored.abroad_of != 0).then(|| country(stored.abroad_of)).transpose()?;
    let merchants = stored.merchants.iter().map(|one| text("merchant", one));
    let selects = Selector {
        uses: CardUses::from_bits(bits).ok_or_else(|| illegal("uses", stored.uses))?,
        categories: categories.collect::<Read<_>>()?,
        countries: stored.countries.iter().map(|one| country(*one)).collect::<Read<_>>()?,
        abroad_of,
        merchants: merchants.collect::<Read<_>>()?,
        hours: stored.hours.as_ref().map(read_hours).transpose()?,
    };
    let terms = ControlTerms {
        subject: read_subject(stored.subject)?,
        name: text("control name", &stored.name)?,
        shadow: stored.shadow,
        selects,
        rule,
    };
    Ok(SpendControl { id: ControlId(stored.id), terms })
}

pub(super) fn country(code: u32) -> Read<Country> {
    Country::from_numeric(narrow("country", code)?).map_err(|_| illegal("country", code))
}

fn read_hours(stored: &StoredHours) -> Read<Hours> {
    Ok(Hours {
        days: narrow("days", stored.days)?,
        from: narrow("minute", stored.from)?,
        to: narrow("minute", stored.to)?,
        zone: text("zone", &stored.zone)?,
    })
}

fn read_rule(stored: &Control) -> Read<ControlRule> {
    let most = || amount("limit", stored.most);
    Ok(match stored.rule {
        1 => ControlRule::Forbid,
        2 => ControlRule::AllowOnly,
        3 => ControlRule::OneMerchant,
        4 => ControlRule::Amount(most()?, read_window(stored)?),
        5 => {
            let most = most()?.0;
            let count = u32::try_from(most).map_err(|_| illegal("limit", most))?;
            ControlRule::Count(count, read_window(stored)?)
        }
        other => return Err(illegal("rule of a control", other)),
    })
}

fn read_window(stored: &Control) -> Read<Window> {
    let zone: AsciiText<40> = text("zone", &stored.zone)?;
    Ok(match stored.window {
        1 => Window::Transaction,
        2 => Window::Rolling(narrow("hours", stored.rolling_hours)?),
        3 => Window::Day(zone),
        4 => Window::Week(zone),
        5 => Window::Month(zone),
        6 => Window::Year(zone),
        7 => Window::Lifetime,
        other => return Err(illegal("window", other)),
    })
}

pub(super) fn write_removed(control: ControlId, subject: ControlSubject) -> ControlRemoved {
    ControlRemoved { control: control.0, subject: Some(write_subject(subject)) }
}

pub(super) fn read_removed(stored: &ControlRemoved) -> Read<Event> {
    let (control, subject) = (ControlId(stored.control), read_subject(stored.subject)?);
    Ok(Event::ControlRemoved { control, subject })
}

pub(super) fn write_findings(findings: &ControlFindings) -> Findings {
    Findings {
        declined_by: findings.declined_by.map(|id| id.0),
        would_decline: findings.would_decline.iter().map(|id| id.0).collect(),
    }
}

pub(super) fn read_findings(stored: Findings) -> Box<ControlFindings> {
    Box::new(ControlFindings {
        declined_by: stored.declined_by.map(ControlId),
        would_decline: stored.would_decline.into_iter().map(ControlId).collect(),
    })
}

pub(super) fn write_counted(counted: &Counted) -> StoredCounted {
    let Counted { control, holder, part } = *counted;
    StoredCounted { control: control.0, holder, part: part.0 }
}

pub(super) fn read_counted(stored: &StoredCounted) -> Counted {
    let StoredCounted { control, holder, part } = *stored;
    Counted { control: ControlId(control), holder, part: Part(part) }
}

pub(super) fn write_delta(delta: &UsageDelta) -> StoredUsageDelta {
    StoredUsageDelta {
        counted: Some(write_counted(&delta.counted)),
        oldest: delta.oldest.map(|part| part.0),
        amount: Some(delta.amount.0),
        count: delta.count,
    }
}

pub(super) fn read_delta(stored: &StoredUsageDelta) -> Read<UsageDelta> {
    let counted = stored.counted.as_ref().ok_or(RecordFault::Missing("what counts"))?;
    Ok(UsageDelta {
        counted: read_counted(counted),
        oldest: stored.oldest.map(Part),
        amount: amount("used", stored.amount)?,
        count: stored.count,
    })
}

pub(super) fn write_usage(((control, holder), usage): &((ControlId, i64), Usage)) -> StoredUsage {
    let part = |(part, used): &(Part, Used)| StoredPart {
        part: part.0,
        amount: used.amount.0,
        count: used.count,
    };
    let parts = usage.parts().iter().map(part).collect();
    StoredUsage { control: control.0, holder: *holder, parts }
}

pub(super) fn read_usage(stored: &StoredUsage) -> Read<((ControlId, i64), Usage)> {
    let part = |one: &StoredPart| {
        (Part(one.part), Used { amount: MinorUnits(one.amount), count: one.count })
    };
    let usage = Usage::from_parts(stored.parts.iter().map(part).collect());
    Ok(((ControlId(stored.control), stored.holder), usage))
}
