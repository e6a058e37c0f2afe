//! Exchange rates, and the terms on which a programme takes other currencies. It owns which rates
//! come into force: of two different currencies, quoted by somebody, later than the one before, a
//! bounded number of pairs. How old one may be when it is used is for `convert` to judge.

use switch_domain::{
    Currency, Event, ExchangeRate, ForeignTerms, Programme, ProgrammeId, Timestamp,
};

use super::{Change, Decided};
use crate::{Refusal, State};

/// How many pairs of currencies may have a rate: every shard keeps them all.
pub(crate) const MOST_RATES: usize = 1_024;
/// How far the clock of who quotes a rate may be ahead.
const AHEAD_MICROS: i64 = 60 * 1_000_000;

pub(super) fn set_terms(state: &State, id: ProgrammeId, terms: Option<ForeignTerms>) -> Decided {
    let programme = state.control().programmes.get(&id).ok_or(Refusal::NoSuchProgramme)?;
    if programme.foreign == terms {
        return Ok(None);
    }
    let programme = Programme { foreign: terms, ..programme.clone() };
    Ok(Some(Change::plain(Event::ProgrammeDefined(programme), None)))
}

pub(super) fn set(state: &State, rate: &ExchangeRate, now: Timestamp) -> Decided {
    if rate.from == rate.to || rate.source.is_empty() {
        return Err(Refusal::RateInvalid);
    }
    if rate.at.0.saturating_sub(now.0) > AHEAD_MICROS {
        return Err(Refusal::RateOfTheFuture);
    }
    match state.control().rate(rate.from, rate.to) {
        Some(before) if before == rate => return Ok(None),
        Some(before) if before.at >= rate.at => return Err(Refusal::RateSuperseded),
        None if state.rates_taken() >= MOST_RATES => return Err(Refusal::TooManyRates),
        Some(_) | None => {}
    }
    Ok(Some(Change::plain(Event::RateSet(Box::new(*rate)), None)))
}

pub(super) fn remove(state: &State, from: Currency, to: Currency) -> Decided {
    state.control().rate(from, to).ok_or(Refusal::NoSuchRate)?;
    Ok(Some(Change::plain(Event::RateRemoved { from, to }, None)))
}
