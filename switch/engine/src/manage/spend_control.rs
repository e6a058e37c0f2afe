//! Spend controls: made, changed, removed. It owns what a control may be: a subject that is there,
//! limits above zero, zones that exist, lists of a bounded length, a bounded number for one
//! subject. A change keeps what was used, so it may not change what counts.

use switch_domain::{
    ControlId, ControlRule, ControlSubject, ControlTerms, Event, Hours, SpendControl, Window,
};

use super::control::LARGEST_AMOUNT;
use super::{Change, Decided};
use crate::{Refusal, State, calendar};

/// How many controls there may be, and how long: each is judged with every purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlLimits {
    /// Controls of one card, account or programme.
    pub per_subject: usize,
    /// Entries in a list of categories, countries or merchants.
    pub list: usize,
}

impl ControlLimits {
    /// The most that can be set: more would be felt by every purchase.
    pub const MOST: Self = Self { per_subject: 256, list: 1_000 };
}

impl Default for ControlLimits {
    fn default() -> Self {
        Self { per_subject: 32, list: 100 }
    }
}

pub(super) fn define(state: &State, terms: &ControlTerms) -> Decided {
    check(state, terms)?;
    let limits = state.control_limits();
    if terms.selects.longest_list() > limits.list {
        return Err(Refusal::ControlListTooLong);
    }
    if known(state, terms.subject).len() >= limits.per_subject {
        return Err(Refusal::TooManyControls);
    }
    let id = state.mint(ControlId::mint).ok_or(Refusal::IdentifiersExhausted)?;
    let control = SpendControl { id, terms: terms.clone() };
    Ok(Some(Change::plain(Event::ControlDefined(Box::new(control)), Some(id.0))))
}

pub(super) fn change(state: &State, id: ControlId, terms: &ControlTerms) -> Decided {
    let before = find(state, terms.subject, id)?;
    if before.terms == *terms {
        return Ok(None);
    }
    if !before.terms.counts_alike(terms) {
        return Err(Refusal::ControlCountsOtherwise);
    }
    check(state, terms)?;
    let control = SpendControl { id, terms: terms.clone() };
    Ok(Some(Change::plain(Event::ControlDefined(Box::new(control)), Some(id.0))))
}

pub(super) fn remove(state: &State, id: ControlId, subject: ControlSubject) -> Decided {
    find(state, subject, id)?;
    Ok(Some(Change::plain(Event::ControlRemoved { control: id, subject }, None)))
}

fn known(state: &State, subject: ControlSubject) -> &[SpendControl] {
    match subject {
        ControlSubject::Programme(programme) => state.control().spend_controls_of(programme),
        ControlSubject::Balance(_) | ControlSubject::Card(_) => state.spend_controls_of(subject),
    }
}

fn find(state: &State, subject: ControlSubject, id: ControlId) -> Result<&SpendControl, Refusal> {
    known(state, subject).iter().find(|one| one.id == id).ok_or(Refusal::NoSuchControl)
}

fn check(state: &State, terms: &ControlTerms) -> Result<(), Refusal> {
    match terms.subject {
        ControlSubject::Programme(programme) => {
            let programme = state.control().programmes.get(&programme);
            programme.map(|_| ()).ok_or(Refusal::NoSuchProgramme)?;
        }
        ControlSubject::Balance(balance) => {
            state.balance(balance).map(|_| ()).ok_or(Refusal::NoSuchBalance)?;
        }
        ControlSubject::Card(card) => state.card(card).map(|_| ()).ok_or(Refusal::NoSuchCard)?,
    }
    sensible(terms)
}

/// Whether there can be such a control, whoever it is for.
pub(crate) fn sensible(terms: &ControlTerms) -> Result<(), Refusal> {
    let selects = &terms.selects;
    let in_order = selects.categories.iter().all(|one| one.first <= one.last);
    if !in_order {
        return Err(Refusal::ControlInvalid);
    }
    let zones = selects.hours.iter().map(|hours| &hours.zone).chain(window(terms).zone());
    if !selects.hours.as_ref().is_none_or(Hours::are_valid) {
        return Err(Refusal::ControlInvalid);
    }
    if !zones.into_iter().all(calendar::is_zone) {
        return Err(Refusal::NoSuchZone);
    }
    let sensible = match &terms.rule {
        ControlRule::Amount(most, _) => most.is_positive() && most.0 <= LARGEST_AMOUNT,
        ControlRule::Count(most, window) => *most > 0 && *window != Window::Transaction,
        ControlRule::Forbid | ControlRule::AllowOnly | ControlRule::OneMerchant => true,
    };
    let rolls = match window(terms) {
        Window::Rolling(hours) => (1..=Window::MOST_HOURS).contains(hours),
        _ => true,
    };
    if sensible && rolls { Ok(()) } else { Err(Refusal::ControlInvalid) }
}

/// The window of a limit; of anything else, that of one transaction.
const fn window(terms: &ControlTerms) -> &Window {
    match &terms.rule {
        ControlRule::Amount(_, window) | ControlRule::Count(_, window) => window,
        ControlRule::Forbid | ControlRule::AllowOnly | ControlRule::OneMerchant => {
            &Window::Transaction
        }
    }
}
