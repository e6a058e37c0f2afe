//! Spend controls as data: what comes over the control socket, one JSON object each. It owns the
//! names and shapes of their members, and how hours, categories and windows are written.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switch_domain::{
    AsciiText, BalanceId, CardId, CardUse, CardUses, Categories, ControlId, ControlRule,
    ControlSubject, ControlTerms, Country, Currency, DAY_MINUTES, Hours, ProgrammeId, Selector,
    Usage, Window,
};

use crate::operation::{Caller, amount_of, decimal};
use crate::{ListedControl, Problem, Services};

/// One operation on controls.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs)] // the members are the documentation; `cardswitch help` says each in words
pub enum ControlOperation {
    ControlDefine { subject: SubjectName, terms: Box<ControlSpec> },
    ControlChange { control: i64, subject: SubjectName, terms: Box<ControlSpec> },
    ControlRemove { control: i64, subject: SubjectName },
    ControlList { subject: SubjectName },
}

/// Whom a control is for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum SubjectName {
    Card(i64),
    Balance(i64),
    Programme(i64),
}

impl SubjectName {
    /// The subject of that name.
    #[must_use]
    pub const fn subject(self) -> ControlSubject {
        match self {
            Self::Card(id) => ControlSubject::Card(CardId(id)),
            Self::Balance(id) => ControlSubject::Balance(BalanceId(id)),
            Self::Programme(id) => ControlSubject::Programme(ProgrammeId(id)),
        }
    }
}

/// What a control is to be.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ControlSpec {
    /// Its name for people.
    pub name: String,
    /// Declines nothing, and is only noted.
    pub shadow: bool,
    /// `forbid`, `allow-only`, `one-merchant`, `amount` or `count`.
    pub rule: String,
    /// Of `amount`: in major units, as `100.00`.
    pub amount: Option<String>,
    /// Of `count`.
    pub count: Option<u32>,
    /// `transaction`, `day`, `week`, `month`, `year`, `lifetime`, or `rolling:24` for so many
    /// hours.
    pub window: Option<String>,
    /// The time zone of a calendar window and of hours, by its IANA name; UTC where none is given.
    pub zone: Option<String>,
    /// `atm`, `pos`, `ecommerce`, `contactless`, `stripe`, `cash_back`.
    pub uses: Vec<String>,
    /// Merchant category codes: `5411`, or `3000-3299`.
    pub categories: Vec<String>,
    /// Countries by two letters, or three digits.
    pub countries: Vec<String>,
    /// Any other country than this.
    pub abroad_of: Option<String>,
    /// Merchants by DE42.
    pub merchants: Vec<String>,
    /// `mon-fri 09:00-17:00`, or `sat,sun 22:00-06:00`.
    pub hours: Option<String>,
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Does an operation and gives its result.
///
/// # Errors
/// See [`Problem`].
pub async fn perform(
    services: &Services,
    caller: Caller,
    operation: ControlOperation,
) -> Result<Value, Problem> {
    let Caller { actor, key } = caller;
    match operation {
        ControlOperation::ControlDefine { subject, terms } => {
            let subject = subject.subject();
            let currency = services.currency_of_subject(subject).await?;
            let terms = terms.terms(subject, currency)?;
            let control = services.define_control(key, actor, terms).await?;
            Ok(json!({ "control": control.0 }))
        }
        ControlOperation::ControlChange { control, subject, terms } => {
            let subject = subject.subject();
            let currency = services.currency_of_subject(subject).await?;
            let terms = terms.terms(subject, currency)?;
            services.change_control(key, actor, ControlId(control), terms).await?;
            Ok(json!({ "done": true }))
        }
        ControlOperation::ControlRemove { control, subject } => {
            let (control, subject) = (ControlId(control), subject.subject());
            services.remove_control(key, actor, control, subject).await?;
            Ok(json!({ "done": true }))
        }
        ControlOperation::ControlList { subject } => {
            let subject = subject.subject();
            let currency = services.currency_of_subject(subject).await?;
            let controls = services.controls_of(subject).await?;
            let listed: Vec<_> = controls.iter().map(|one| listed(one, currency)).collect();
            Ok(json!({ "controls": listed }))
        }
    }
}

impl ControlSpec {
    /// What it says for a subject whose limits are in a currency.
    ///
    /// # Errors
    /// Words that are none of a control, with those that are.
    pub fn terms(
        &self,
        subject: ControlSubject,
        currency: Currency,
    ) -> Result<ControlTerms, Problem> {
        let name = AsciiText::new(self.name.as_bytes())
            .map_err(|error| Problem::invalid(format!("name: {error}")))?;
        let rule = self.rule(currency)?;
        let hours = self.hours.as_deref().map(|hours| self.hours(hours)).transpose()?;
        let categories = self.categories.iter().map(|one| category(one));
        let uses: Vec<CardUse> = (self.uses.iter())
            .map(|name| {
                CardUse::from_name(name).ok_or_else(|| {
                    let known = CardUse::ALL.map(CardUse::name).join(", ");
                    Problem::invalid(format!("{name:?} is no use of a card: write one of {known}"))
                })
            })
            .collect::<Result<_, _>>()?;
        let merchants = self.merchants.iter().map(|one| {
            AsciiText::new(one.as_bytes())
                .map_err(|error| Problem::invalid(format!("merchant: {error}")))
        });
        let selects = Selector {
            uses: CardUses::of(&uses),
            categories: categories.collect::<Result<_, _>>()?,
            countries: self.countries.iter().map(|one| country(one)).collect::<Result<_, _>>()?,
            abroad_of: self.abroad_of.as_deref().map(country).transpose()?,
            merchants: merchants.collect::<Result<_, _>>()?,
            hours,
        };
        Ok(ControlTerms { subject, name, shadow: self.shadow, selects, rule })
    }

    fn rule(&self, currency: Currency) -> Result<ControlRule, Problem> {
        let missing = |what| Problem::invalid(format!("a control of {:?} needs {what}", self.rule));
        let rule = match self.rule.as_str() {
            "forbid" => ControlRule::Forbid,
            "allow-only" => ControlRule::AllowOnly,
            "one-merchant" => ControlRule::OneMerchant,
            "amount" => {
                let amount = self.amount.as_deref().ok_or_else(|| missing("an amount"))?;
                ControlRule::Amount(amount_of(amount, currency)?, self.window()?)
            }
            "count" => {
                ControlRule::Count(self.count.ok_or_else(|| missing("a count"))?, self.window()?)
            }
            other => {
                return Err(Problem::invalid(format!(
                    "{other:?} is no rule: write forbid, allow-only, one-merchant, amount or count"
                )));
            }
        };
        Ok(rule)
    }

    fn zone(&self) -> Result<AsciiText<40>, Problem> {
        let zone = self.zone.as_deref().unwrap_or("UTC");
        AsciiText::new(zone.as_bytes()).map_err(|error| Problem::invalid(format!("zone: {error}")))
    }

    fn window(&self) -> Result<Window, Problem> {
        let name = self.window.as_deref().unwrap_or("transaction");
        let rolling = name.strip_prefix("rolling:").and_then(|hours| hours.parse().ok());
        Ok(match (name, rolling) {
            (_, Some(hours)) => Window::Rolling(hours),
            ("transaction", _) => Window::Transaction,
            ("day", _) => Window::Day(self.zone()?),
            ("week", _) => Window::Week(self.zone()?),
            ("month", _) => Window::Month(self.zone()?),
            ("year", _) => Window::Year(self.zone()?),
            ("lifetime", _) => Window::Lifetime,
            _ => {
                return Err(Problem::invalid(format!(
                    "{name:?} is no window: write transaction, day, week, month, year, lifetime, \
                     or rolling:24 for so many hours"
                )));
            }
        })
    }

    fn hours(&self, hours: &str) -> Result<Hours, Problem> {
        let wrong = || {
            Problem::invalid(format!(
                "{hours:?} are no hours: write days and times, as \"mon-fri 09:00-17:00\" or \
                 \"sat,sun 22:00-06:00\""
            ))
        };
        let (days, times) = hours.split_once(' ').ok_or_else(wrong)?;
        let (from, to) = times.trim().split_once('-').ok_or_else(wrong)?;
        let days = days_of(days).ok_or_else(wrong)?;
        let (from, to) = (minute(from).ok_or_else(wrong)?, minute(to).ok_or_else(wrong)?);
        let hours = Hours { days, from, to, zone: self.zone()? };
        if hours.are_valid() { Ok(hours) } else { Err(wrong()) }
    }
}

/// `mon-fri`, `sat,sun`: a bit for each day.
fn days_of(text: &str) -> Option<u8> {
    let day = |name: &str| DAYS.iter().position(|day| *day == name);
    let mut bits = 0_u8;
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let span = if first <= last { last - first } else { 7 + last - first };
        for offset in 0..=span {
            bits |= 1 << ((first + offset) % 7);
        }
    }
    Some(bits)
}

/// `09:00`; 24:00 is the end of the day.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let plain = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let (hours, minutes) = Some((hours, minutes)).filter(|(h, m)| plain(h) && plain(m))?;
    let minute =
        hours.parse::<u16>().ok()? * 60 + minutes.parse::<u16>().ok().filter(|m| *m < 60)?;
    (minute <= DAY_MINUTES).then_some(minute)
}

fn category(text: &str) -> Result<Categories, Problem> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let code = |text: &str| {
        let plain = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        Some(text).filter(|_| plain).and_then(|text| text.parse().ok())
    };
    let pair = code(first).zip(code(last));
    let pair = pair.map(|(first, last)| Categories { first, last });
    pair.ok_or_else(|| {
        Problem::invalid(format!(
            "{text:?} is no merchant category: write four digits, or a range as 3000-3299"
        ))
    })
}

fn country(text: &str) -> Result<Country, Problem> {
    Country::from_code(text).map_err(|error| Problem::invalid(error.to_string()))
}

/// A control as it is shown.
fn listed(one: &ListedControl, currency: Currency) -> Value {
    let terms = &one.control.terms;
    let (subject, id) = match terms.subject {
        ControlSubject::Card(id) => ("card", id.0),
        ControlSubject::Balance(id) => ("balance", id.0),
        ControlSubject::Programme(id) => ("programme", id.0),
    };
    let (rule, most, window) = match &terms.rule {
        ControlRule::Forbid => ("forbid", Value::Null, None),
        ControlRule::AllowOnly => ("allow-only", Value::Null, None),
        ControlRule::OneMerchant => ("one-merchant", Value::Null, None),
        ControlRule::Amount(most, window) => {
            ("amount", json!(decimal(*most, currency)), Some(window))
        }
        ControlRule::Count(most, window) => ("count", json!(most), Some(window)),
    };
    let selects = &terms.selects;
    let used = one.usage.iter().flat_map(Usage::parts).map(|(part, used)| {
        json!({ "part": part.0, "amount": decimal(used.amount, currency), "count": used.count })
    });
    json!({
        "control": one.control.id.0,
        "of": { subject: id },
        "name": terms.name.as_str(),
        "shadow": terms.shadow,
        "rule": rule,
        "most": most,
        "window": window.map(window_name),
        "zone": window.and_then(Window::zone).map(AsciiText::as_str),
        "uses": selects.uses.iter().map(CardUse::name).collect::<Vec<_>>(),
        "categories": selects.categories.iter().map(range_name).collect::<Vec<_>>(),
        "countries": selects.countries.iter().map(|one| one.alpha2()).collect::<Vec<_>>(),
        "abroad_of": selects.abroad_of.map(Country::alpha2),
        "merchants": selects.merchants.iter().map(AsciiText::as_str).collect::<Vec<_>>(),
        "hours": selects.hours.as_ref().map(hours_name),
        "used": used.collect::<Vec<_>>(),
    })
}

pub(crate) fn range_name(one: &Categories) -> String {
    if one.first == one.last {
        format!("{:04}", one.first)
    } else {
        format!("{:04}-{:04}", one.first, one.last)
    }
}

pub(crate) fn window_name(window: &Window) -> String {
    match window {
        Window::Transaction => "transaction".into(),
        Window::Rolling(hours) => format!("rolling:{hours}"),
        Window::Day(_) => "day".into(),
        Window::Week(_) => "week".into(),
        Window::Month(_) => "month".into(),
        Window::Year(_) => "year".into(),
        Window::Lifetime => "lifetime".into(),
    }
}

pub(crate) fn hours_name(hours: &Hours) -> String {
    let days = (0..7).filter(|day| hours.days >> day & 1 == 1);
    let days: Vec<_> = days.filter_map(|day| DAYS.get(day).copied()).collect();
    let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    format!("{} {}-{} {}", days.join(","), time(hours.from), time(hours.to), hours.zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_minutes_are_read_or_refused() {
        for (text, bits) in [
            ("mon", Some(0b000_0001)),
            ("mon-fri", Some(0b001_1111)),
            ("sat,sun", Some(0b110_0000)),
            ("sun-tue", Some(0b100_0011)),
            ("mon-sun", Some(0b111_1111)),
            ("Mon", None),
            ("", None),
            ("mon-", None),
        ] {
            assert_eq!(days_of(text), bits, "{text}");
        }
        for (text, expected) in [
            ("00:00", Some(0)),
            ("09:05", Some(545)),
            ("23:59", Some(1439)),
            ("24:00", Some(1440)),
            ("24:01", None),
            ("9:05", None),
            ("09:60", None),
            ("+9:05", None),
            ("0905", None),
        ] {
            assert_eq!(minute(text), expected, "{text}");
        }
    }

    #[test]
    fn a_spec_becomes_terms_and_what_it_shows_can_be_read_again() {
        let spec = ControlSpec {
            name: "night cash".into(),
            rule: "amount".into(),
            amount: Some("250.00".into()),
            window: Some("day".into()),
            zone: Some("Europe/Madrid".into()),
            uses: vec!["atm".into()],
            categories: vec!["6011".into(), "3000-3299".into()],
            countries: vec!["ES".into(), "276".into()],
            hours: Some("sat,sun 22:00-06:00".into()),
            ..ControlSpec::default()
        };
        let euro = Currency::from_alphabetic("EUR").expect("euro");
        let terms = spec.terms(ControlSubject::Card(CardId(5)), euro).expect("terms");
        let control = switch_domain::SpendControl { id: ControlId(9), terms };
        let shown = listed(&ListedControl { control, usage: None }, euro);
        assert_eq!(shown["most"], "250.00");
        assert_eq!(shown["categories"], json!(["6011", "3000-3299"]));
        assert_eq!(shown["countries"], json!(["ES", "DE"]));
        assert_eq!(shown["hours"], "sat,sun 22:00-06:00 Europe/Madrid");
        assert_eq!((&shown["window"], &shown["zone"]), (&json!("day"), &json!("Europe/Madrid")));
    }

    #[test]
    fn what_is_no_control_is_refused_with_what_to_write() {
        let euro = Currency::from_alphabetic("EUR").expect("euro");
        let card = ControlSubject::Card(CardId(5));
        let base = ControlSpec { rule: "count".into(), count: Some(1), ..ControlSpec::default() };
        for (spec, said) in [
            (ControlSpec { rule: "block".into(), ..base.clone() }, "is no rule"),
            (ControlSpec { count: None, ..base.clone() }, "needs a count"),
            (ControlSpec { window: Some("hour".into()), ..base.clone() }, "is no window"),
            (ControlSpec { uses: vec!["phone".into()], ..base.clone() }, "is no use"),
            (ControlSpec { categories: vec!["54".into()], ..base.clone() }, "four digits"),
            (ControlSpec { countries: vec!["XX".into()], ..base.clone() }, "is no country"),
            (ControlSpec { hours: Some("noon".into()), ..base.clone() }, "are no hours"),
        ] {
            let problem = spec.terms(card, euro).expect_err(said);
            assert!(problem.to_string().contains(said), "{problem}: {said}");
        }
    }
}
