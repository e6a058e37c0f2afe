//! What a decision is called, for people and for programs alike: what decided it, what each check
//! said, the amounts. It owns those words, which are said once, for the command as for the API; how
//! they are laid out is for whoever tells them.

use switch_domain::{
    Amount, Authorization, BasisPoints, CheckSet, ChipDifference, ChipFact, ControlRule,
    Conversion, Currency, DecidedBy, DecisionTrace, Evidence, FeeTotals, Finding, MinorUnits,
    RateSource, Reason, SpendControl, StandIn, Timestamp, Window,
};
use switch_shard::{check_name, check_order, verifies};
use switch_store::{ControlSaid, DecisionEvent, Explained};

/// What a check said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// What it looks at is as it should be.
    Passed,
    /// It is not.
    Failed,
    /// What it looks at was not there, or there was no such check.
    NotJudged,
    /// Nobody asked: something else had decided, or nothing was recorded.
    NotAsked,
}

impl Said {
    /// As people read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::NotJudged => "not judged",
            Self::NotAsked => "not asked",
        }
    }
}

/// A check and what it said.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Its number, which no other check ever has.
    pub number: u8,
    /// Its name.
    pub name: String,
    /// What it said.
    pub said: Said,
    /// Whether it is the one that decided.
    pub decided: bool,
}

/// Whether a decision was granted as it stands in its row, or was before a void took it back.
fn was_granted(one: &Explained) -> bool {
    let row = &one.authorization;
    row.reason.is_approval() || row.stand_in == Some(StandIn::Agreed) || is_voided(one)
}

/// Whether a void took the answer back: the row says so in place of the approval.
#[must_use]
pub fn is_voided(one: &Explained) -> bool {
    one.events.iter().any(|event| event.kind == "voided")
}

/// Every check of this version in its order, and behind them what only the trace knows.
#[must_use]
pub fn checks(one: &Explained) -> Vec<Checked> {
    let trace = one.trace.as_ref();
    let known = check_order().map(|(number, name)| (number, name.to_owned()));
    let decided = |number| trace.is_some_and(|trace| trace.decided_by.check() == Some(number));
    let others = trace.into_iter().flat_map(|trace| {
        let all = CheckSet::from_bits(trace.passed.bits() | trace.failed.bits());
        all.iter().filter(|number| check_order().all(|(one, _)| one != *number))
    });
    let others = others.map(|number| (number, name_of(number)));
    known
        .chain(others)
        .map(|(number, name)| {
            let said = match trace {
                None if was_granted(one) && (!verifies(number) || one.evidence.is_some()) => {
                    Said::Passed
                }
                None => Said::NotAsked,
                Some(trace) => said(trace, number),
            };
            Checked { number, name, said, decided: decided(number) }
        })
        .collect()
}

fn said(trace: &DecisionTrace, number: u8) -> Said {
    match () {
        () if trace.failed.has(number) => Said::Failed,
        () if trace.passed.has(number) => Said::Passed,
        () if trace.decided_by.check().is_none() => Said::NotAsked,
        () => Said::NotJudged,
    }
}

fn name_of(number: u8) -> String {
    check_name(number).map_or_else(|| format!("check {number}"), str::to_owned)
}

/// What verification found, each by its name: what was not sent is left out.
#[must_use]
pub fn findings(found: &Evidence) -> Vec<(&'static str, String)> {
    let mut all = vec![];
    let rows = [
        ("stripe", found.stripe),
        ("code", found.code),
        ("pin", found.pin),
        ("new_pin", found.new_pin),
        ("script", found.script),
    ];
    for (name, finding) in rows {
        if finding != Finding::Absent {
            all.push((name, finding.name().to_owned()));
        }
    }
    if let Some(chip) = &found.chip {
        let differs: Vec<_> = chip.differs.iter().map(ChipDifference::name).collect();
        let facts: Vec<_> = chip.facts.iter().map(ChipFact::name).collect();
        all.push(("cryptogram", chip.cryptogram.name().to_owned()));
        all.push(("kind", chip.kind.name().to_owned()));
        all.push(("atc", chip.atc.to_string()));
        all.push(("sequence", chip.sequence.to_string()));
        all.extend((!differs.is_empty()).then(|| ("differs", differs.join(","))));
        all.extend((!facts.is_empty()).then(|| ("reports", facts.join(","))));
    }
    all.extend(found.fallback.then(|| ("fallback", "yes".to_owned())));
    all
}

/// What decided, in one line.
#[must_use]
pub fn decided_by(one: &Explained) -> String {
    match one.trace.as_ref().map(|trace| trace.decided_by) {
        Some(DecidedBy::Check(number)) => name_of(number),
        Some(DecidedBy::AdviceCameFirst) => {
            "no check: its advice had come before it, and has decided it".into()
        }
        Some(DecidedBy::OtherAmount) => {
            "no check: its request was approved here for another amount".into()
        }
        Some(DecidedBy::OwnApproval) => {
            "no check: its request was approved here, and that approval holds".into()
        }
        Some(DecidedBy::DeclinedElsewhere) => "no check: it was declined in our stead".into(),
        Some(DecidedBy::ReversalCameFirst) => "no check: its reversal had come before it".into(),
        None if is_voided(one) => {
            "no check: every one passed, and the answer never left, so it was taken back".into()
        }
        None if was_granted(one) => "every check passed".into(),
        None => "not recorded: it was decided before there were traces".into(),
    }
}

/// A moment as people write it, in UTC.
fn written(moment: Timestamp) -> String {
    let at = jiff::Timestamp::from_microsecond(moment.0);
    at.map_or_else(|_| moment.0.to_string(), |at| at.to_string())
}

/// Whether it was granted, here or in our stead.
#[must_use]
pub fn is_granted(one: &Authorization) -> bool {
    one.stand_in.map_or_else(|| one.reason.is_approval(), StandIn::holds)
}

/// What a holder is told of why: of what stands against fraud no more than that it was declined.
#[must_use]
pub const fn told_to_holder(reason: Reason) -> Reason {
    match reason {
        Reason::AttemptsBlocked
        | Reason::CardValueIncorrect
        | Reason::CardValueRequired
        | Reason::CardCodeIncorrect
        | Reason::CardCodeRequired
        | Reason::CardCodeTriesExceeded
        | Reason::CryptogramIncorrect
        | Reason::CryptogramRequired
        | Reason::CryptogramNotARequest
        | Reason::CryptogramReplayed
        | Reason::CounterOutOfRange
        | Reason::ChipDataDiffer
        | Reason::ChipReportRefused
        | Reason::FallbackRefused
        | Reason::VerificationKeyMissing
        | Reason::VerificationReferenceMissing
        | Reason::VerificationDataInvalid
        | Reason::VerificationUnavailable
        | Reason::CryptogramProfileUnknown => Reason::NotHonoured,
        other => other,
    }
}

/// What was answered, in one word.
#[must_use]
pub fn outcome(one: &Authorization) -> &'static str {
    match one.stand_in {
        Some(StandIn::Agreed | StandIn::Forced(_)) => "granted in our stead",
        Some(StandIn::Declined) => "declined in our stead",
        Some(StandIn::Suspense(_)) => "in suspense",
        Some(StandIn::Known) => "known",
        Some(StandIn::Reversed) => "reversed before it came",
        None if one.reason.is_approval() => "approved",
        None => "declined",
    }
}

/// The reason that says why, and not only that an advice was taken note of.
#[must_use]
pub fn reason(one: &Authorization) -> Reason {
    one.stand_in.and_then(StandIn::would_be).unwrap_or(one.reason)
}

/// The amounts of it, by name. Whatever else is known of amounts (in another currency, of a part)
/// belongs here: both forms print what this gives.
#[must_use]
pub fn amounts(one: &Explained) -> Vec<(&'static str, String)> {
    let row = &one.authorization;
    let shown = |minor| Amount { minor, currency: row.currency }.to_string();
    let totals = [
        ("authorized", row.totals.authorized),
        ("incremented", row.totals.incremented),
        ("reversed", row.totals.reversed),
        ("cleared", row.totals.cleared),
        ("refunded", row.totals.refunded),
    ];
    let mut amounts = row.conversion.as_deref().map_or_else(Vec::new, converted);
    amounts.push(("requested", shown(row.requested)));
    if let Some(portion) = row.portion.as_deref() {
        amounts.push(("approved", shown(portion.approved)));
        let fee = Some(("acquirer fee", portion.fee)).filter(|(_, fee)| !fee.is_zero());
        amounts.extend(fee.map(|(name, fee)| (name, shown(fee))));
    }
    let moved = totals.into_iter().filter(|(_, total)| !total.is_zero());
    amounts.extend(moved.map(|(name, total)| (name, shown(total))));
    amounts.push(("held now", shown(row.held())));
    let FeeTotals { held, charged, invoiced } = row.fee_totals();
    let fees = [("fees held", held), ("fees charged", charged), ("fees invoiced", invoiced)];
    let fees = fees.into_iter().filter(|(_, fee)| !fee.is_zero());
    amounts.extend(fees.map(|(name, fee)| (name, shown(fee))));
    amounts
}

/// What the message itself asked for, and how that became what was asked of the account.
fn converted(conversion: &Conversion) -> Vec<(&'static str, String)> {
    let rate = conversion.rate.map_or_else(String::new, |rate| format!("{rate} "));
    let rate = match conversion.source {
        RateSource::NotNeeded => None,
        RateSource::Network => Some(format!("{rate}of the network")),
        RateSource::Table { name, at } => {
            Some(format!("{rate}of {} at {}", name.as_str(), written(at)))
        }
    };
    let points = |points: BasisPoints| format!("{} basis points", points.points());
    let billing = Amount { minor: conversion.billing, currency: conversion.currency };
    let mut amounts = vec![("transaction", conversion.transaction.to_string())];
    amounts.extend(rate.map(|rate| ("rate", rate)));
    if conversion.markup != BasisPoints::ZERO {
        amounts.push(("mark-up", points(conversion.markup)));
    }
    if conversion.margin != BasisPoints::ZERO {
        amounts.push(("margin", points(conversion.margin)));
    }
    amounts.push(("billing", billing.to_string()));
    amounts.extend(conversion.settlement.map(|amount| ("settlement", amount.to_string())));
    amounts
}

/// What the check that decided compared: needed, and there.
#[must_use]
pub fn compared(one: &Explained) -> Option<(String, String)> {
    let compared = one.trace.and_then(|trace| trace.compared)?;
    let counts = reason(&one.authorization) == Reason::CountLimitExceeded;
    let currency = one.authorization.currency;
    let shown = |minor: MinorUnits| {
        if counts { minor.0.to_string() } else { Amount { minor, currency }.to_string() }
    };
    Some((shown(compared.needed), shown(compared.there)))
}

/// A control by its number, with its name and rule as they are now.
#[must_use]
pub fn control(said: &ControlSaid, currency: Currency) -> String {
    match &said.control {
        Some(control) => {
            format!("{} \"{}\" ({})", said.id, control.terms.name, rule(control, currency))
        }
        None => format!("{} (removed since)", said.id),
    }
}

/// A rule in a few words.
#[must_use]
pub fn rule(control: &SpendControl, currency: Currency) -> String {
    match &control.terms.rule {
        ControlRule::Forbid => "forbid".into(),
        ControlRule::AllowOnly => "allow only".into(),
        ControlRule::OneMerchant => "one merchant".into(),
        ControlRule::Amount(minor, of) => {
            format!("{} {}", Amount { minor: *minor, currency }, window(of))
        }
        ControlRule::Count(most, of) => format!("{most} times {}", window(of)),
    }
}

fn window(window: &Window) -> String {
    match window {
        Window::Transaction => "at once".into(),
        Window::Rolling(hours) => format!("in {hours} hours"),
        Window::Day(zone) => format!("a day of {zone}"),
        Window::Week(zone) => format!("a week of {zone}"),
        Window::Month(zone) => format!("a month of {zone}"),
        Window::Year(zone) => format!("a year of {zone}"),
        Window::Lifetime => "ever".into(),
    }
}

/// What an event did to amounts, by name.
#[must_use]
pub fn moved(event: &DecisionEvent, currency: Currency) -> Vec<(&'static str, String)> {
    let amounts = [
        ("incremented", event.incremented),
        ("reversed", event.reversed),
        ("cleared", event.cleared),
        ("refunded", event.refunded),
        ("held", event.held),
    ];
    let moved = amounts.into_iter().filter(|(_, minor)| !minor.is_zero());
    moved.map(|(name, minor)| (name, Amount { minor, currency }.to_string())).collect()
}

/// An amount by the number of its currency; in minor units where that is none we know.
#[must_use]
pub fn amount_of(minor: MinorUnits, currency: i16) -> String {
    let known = u16::try_from(currency).ok().and_then(|code| Currency::from_numeric(code).ok());
    known.map_or_else(
        || format!("{minor} minor units of {currency:03}"),
        |currency| Amount { minor, currency }.to_string(),
    )
}

/// The types of message that a class stands for, whatever the edition.
#[must_use]
pub fn message_type(class: &str) -> &'static str {
    match class {
        "authorization" => "x100",
        "authorization_advice" => "x120",
        "financial" => "x200",
        "financial_advice" => "x220",
        _ => "x4xx",
    }
}
