//! Schedules of fees and fees that were charged, as records and snapshots have them. It owns those
//! shapes both ways. What a schedule must not be, it is not when it is read either.

use prost::Message;
use switch_domain::{
    Amount, BalanceId, BasisPoints, CardForm, CardId, Event, FeeCharged, FeeEffect, FeeEvent,
    FeeRule, FeeSchedule, FeeTotals, MinorUnits, PartnerId, Price, PriceTerms, ProgrammeId,
    Surroundings,
};

use super::RecordFault;
use super::controls::country;
use super::read::{Read, amount, choice, currency, illegal, narrow, text};
use crate::codes::Stored;

/// A programme and its schedule; without one, nothing is charged.
#[derive(Clone, PartialEq, Message)]
pub(super) struct FeesSet {
    #[prost(int64, tag = "1")]
    programme: i64,
    #[prost(message, optional, tag = "2")]
    schedule: Option<Schedule>,
}

#[derive(Clone, PartialEq, Message)]
struct Schedule {
    #[prost(uint32, tag = "1")]
    currency: u32,
    #[prost(uint32, tag = "2")]
    charged_by: u32,
    /// By its number; 0 where none is named.
    #[prost(uint32, tag = "3")]
    home: u32,
    #[prost(uint32, repeated, tag = "4")]
    region: Vec<u32>,
    #[prost(message, repeated, tag = "5")]
    rules: Vec<Rule>,
    #[prost(sint64, optional, tag = "6")]
    monthly_waived_from: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
struct Rule {
    #[prost(string, tag = "1")]
    event: String,
    /// 0 for all.
    #[prost(uint32, tag = "2")]
    form: u32,
    #[prost(sint64, optional, tag = "3")]
    fixed: Option<i64>,
    #[prost(uint32, tag = "4")]
    rate: u32,
    #[prost(sint64, optional, tag = "5")]
    least: Option<i64>,
    #[prost(sint64, optional, tag = "6")]
    most: Option<i64>,
    #[prost(uint32, tag = "7")]
    taken: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Charged {
    #[prost(int64, tag = "1")]
    balance: i64,
    #[prost(int64, tag = "2")]
    partner: i64,
    #[prost(int64, optional, tag = "3")]
    card: Option<i64>,
    #[prost(string, tag = "4")]
    event: String,
    #[prost(sint64, optional, tag = "5")]
    amount: Option<i64>,
    #[prost(uint32, tag = "6")]
    currency: u32,
    #[prost(uint32, tag = "7")]
    taken: u32,
    #[prost(string, tag = "8")]
    reference: String,
}

/// Where fees stand, or how that changes.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Totals {
    #[prost(sint64, optional, tag = "1")]
    held: Option<i64>,
    #[prost(sint64, optional, tag = "2")]
    charged: Option<i64>,
    #[prost(sint64, optional, tag = "3")]
    invoiced: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredFeeEffect {
    #[prost(message, optional, tag = "1")]
    own: Option<Totals>,
    #[prost(message, optional, tag = "2")]
    completed: Option<Totals>,
    #[prost(message, repeated, tag = "3")]
    lines: Vec<Charged>,
}

pub(super) fn write_totals(totals: &FeeTotals) -> Totals {
    let FeeTotals { held, charged, invoiced } = totals;
    Totals { held: Some(held.0), charged: Some(charged.0), invoiced: Some(invoiced.0) }
}

pub(super) fn read_totals(stored: &Totals) -> Read<FeeTotals> {
    Ok(FeeTotals {
        held: amount("fees held", stored.held)?,
        charged: amount("fees charged", stored.charged)?,
        invoiced: amount("fees invoiced", stored.invoiced)?,
    })
}

pub(super) fn write_effect(effect: &FeeEffect) -> StoredFeeEffect {
    StoredFeeEffect {
        own: Some(write_totals(&effect.own)),
        completed: Some(write_totals(&effect.completed)),
        lines: effect.lines.iter().map(write_charged).collect(),
    }
}

pub(super) fn read_effect(stored: &StoredFeeEffect) -> Read<Box<FeeEffect>> {
    let totals = |one: &Option<Totals>| {
        read_totals(one.as_ref().ok_or(RecordFault::Missing("change of fees"))?)
    };
    Ok(Box::new(FeeEffect {
        own: totals(&stored.own)?,
        completed: totals(&stored.completed)?,
        lines: stored.lines.iter().map(charged).collect::<Read<_>>()?,
    }))
}

pub(super) fn write_set(programme: ProgrammeId, schedule: Option<&FeeSchedule>) -> FeesSet {
    FeesSet { programme: programme.0, schedule: schedule.map(write_schedule) }
}

pub(super) fn read_set(stored: &FeesSet) -> Read<(ProgrammeId, Option<FeeSchedule>)> {
    let schedule = stored.schedule.as_ref().map(read_schedule).transpose()?;
    Ok((ProgrammeId(stored.programme), schedule))
}

pub(super) fn read_set_event(stored: &FeesSet) -> Read<Event> {
    let (programme, schedule) = read_set(stored)?;
    Ok(Event::FeesSet { programme, schedule: schedule.map(Box::new) })
}

fn write_schedule(schedule: &FeeSchedule) -> Schedule {
    let around = schedule.around();
    Schedule {
        currency: u32::from(schedule.currency().numeric()),
        charged_by: schedule.charged_by().code(),
        home: around.home.map_or(0, |home| u32::from(home.numeric())),
        region: around.region.iter().map(|one| u32::from(one.numeric())).collect(),
        rules: schedule.rules().iter().map(write_rule).collect(),
        monthly_waived_from: schedule.monthly_waived_from().map(|from| from.0),
    }
}

fn read_schedule(stored: &Schedule) -> Read<FeeSchedule> {
    let rules = stored.rules.iter().map(read_rule).collect::<Read<_>>()?;
    let home = (stored.home != 0).then(|| country(stored.home)).transpose()?;
    let region = stored.region.iter().map(|one| country(*one)).collect::<Read<_>>()?;
    let currency = currency(stored.currency)?;
    let schedule = FeeSchedule::new(currency, choice(stored.charged_by)?, rules);
    let placed = schedule.and_then(|schedule| schedule.within(Surroundings { home, region }));
    let waived_from = stored.monthly_waived_from.map(MinorUnits);
    placed
        .and_then(|schedule| match waived_from {
            Some(from) => schedule.waiving_monthly_from(from),
            None => Ok(schedule),
        })
        .map_err(|error| illegal("schedule of fees", error))
}

fn write_rule(rule: &FeeRule) -> Rule {
    let terms = rule.price.terms();
    Rule {
        event: rule.event.name(),
        form: rule.form.map_or(0, CardForm::code),
        fixed: Some(terms.fixed.0),
        rate: u32::from(terms.rate.points()),
        least: Some(terms.least.0),
        most: terms.most.map(|most| most.0),
        taken: rule.taken.code(),
    }
}

fn read_rule(stored: &Rule) -> Read<FeeRule> {
    let rate = BasisPoints::new(narrow("rate of a fee", stored.rate)?);
    let terms = PriceTerms {
        fixed: amount("fixed", stored.fixed)?,
        rate: rate.ok_or_else(|| illegal("rate of a fee", stored.rate))?,
        least: amount("least", stored.least)?,
        most: stored.most.map(MinorUnits),
    };
    Ok(FeeRule {
        event: event(&stored.event)?,
        form: (stored.form != 0).then(|| choice(stored.form)).transpose()?,
        price: Price::new(terms).map_err(|error| illegal("price", error))?,
        taken: choice(stored.taken)?,
    })
}

pub(super) fn write_charged(one: &FeeCharged) -> Charged {
    Charged {
        balance: one.balance.0,
        partner: one.partner.0,
        card: one.card.map(|card| card.0),
        event: one.event.name(),
        amount: Some(one.amount.minor.0),
        currency: u32::from(one.amount.currency.numeric()),
        taken: one.taken.code(),
        reference: one.reference.to_string(),
    }
}

pub(super) fn read_charged(stored: &Charged) -> Read<Event> {
    Ok(Event::FeeCharged(Box::new(charged(stored)?)))
}

fn charged(stored: &Charged) -> Read<FeeCharged> {
    Ok(FeeCharged {
        balance: BalanceId(stored.balance),
        partner: PartnerId(stored.partner),
        card: stored.card.map(CardId),
        event: event(&stored.event)?,
        amount: Amount {
            minor: amount("fee", stored.amount)?,
            currency: currency(stored.currency)?,
        },
        taken: choice(stored.taken)?,
        reference: text("reference", &stored.reference)?,
    })
}

/// What a fee is charged for, by its name.
fn event(name: &str) -> Result<FeeEvent, RecordFault> {
    FeeEvent::from_name(name).ok_or_else(|| illegal("event of a fee", name))
}
