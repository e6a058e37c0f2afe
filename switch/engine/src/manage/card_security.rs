//! What cards are verified by: the terms of a programme, what a card's values are compared with. It
//! owns which terms there can be, and what a change forgives. It has no key, and no PIN.

use std::sync::Arc;

use switch_domain::{
    Card, CardCounters, CardId, CardReferences, CardSecurityTerms, CardStatus, CounterEffect,
    Effects, Event, LockCode, OffsetDigits, PinMethod, PinReference, Programme, ProgrammeId,
    SecurityKeys, ServiceCode, Timestamp,
};

use super::{Change, Decided};
use crate::{Refusal, State};

pub(super) fn set_terms(
    state: &State,
    id: ProgrammeId,
    terms: Option<&CardSecurityTerms>,
) -> Decided {
    let programme = state.control().programmes.get(&id).ok_or(Refusal::NoSuchProgramme)?;
    if programme.security.as_deref() == terms {
        return Ok(None);
    }
    if terms.is_some_and(|terms| !is_sensible(terms)) {
        return Err(Refusal::SecurityTermsInvalid);
    }
    let security = terms.map(|terms| Arc::new(terms.clone()));
    let programme = Programme { security, ..programme.clone() };
    Ok(Some(Change::plain(Event::ProgrammeDefined(programme), None)))
}

/// Whether there can be such terms.
fn is_sensible(terms: &CardSecurityTerms) -> bool {
    let method = match &terms.pin {
        Some(PinMethod::Offset { decimalisation, length }) => {
            let fits = (OffsetDigits::FEWEST..=OffsetDigits::MOST).contains(&usize::from(*length));
            fits && decimalisation.iter().all(u8::is_ascii_digit)
        }
        Some(PinMethod::Pvv) | None => true,
    };
    method
        && (1..=CardSecurityTerms::MOST_PIN_TRIES).contains(&terms.pin_limit)
        && (1..=CardSecurityTerms::MOST_CODE_FAILURES).contains(&terms.code_limit)
        && terms.keys.cvk2.len() <= SecurityKeys::MOST_CODE_KEYS
        && terms.profiles.len() <= CardSecurityTerms::MOST_PROFILES
}

pub(super) fn set_data(
    state: &State,
    id: CardId,
    service_code: Option<ServiceCode>,
    sequence: u8,
) -> Decided {
    let mut references = references_of(live(state, id)?);
    if (references.service_code, references.sequence) == (service_code, sequence) {
        return Ok(None);
    }
    (references.service_code, references.sequence) = (service_code, sequence);
    changed(id, references, None)
}

pub(super) fn set_pin(state: &State, id: CardId, reference: &PinReference) -> Decided {
    let mut references = references_of(live(state, id)?);
    if references.pin.as_ref() == Some(reference) {
        return Ok(None);
    }
    references.pin = Some(reference.clone());
    // Before it is known that the card has a chip, whoever makes the chip gives it the PIN.
    let has_chip = references.service_code.is_some_and(ServiceCode::has_chip);
    let counters =
        if has_chip { Some(unknown_to_chip(state, id)) } else { forgive_pins(state, id) };
    changed(id, references, counters)
}

/// The counters of a card whose chip does not have its new PIN.
fn unknown_to_chip(state: &State, id: CardId) -> CardCounters {
    let before = state.counters_of(id).cloned().unwrap_or_default();
    let forgiven_pins = before.wrong_pins;
    CardCounters { forgiven_pins, chip_pins: before.chip_pins.saturating_add(1), ..before }
}

pub(super) fn reset_code(state: &State, id: CardId, now: Timestamp) -> Decided {
    let mut references = references_of(live(state, id)?);
    let next = references.code_generation.checked_add(1);
    references.code_generation = next.ok_or(Refusal::CodesExhausted)?;
    let effect = state.counters_of(id).filter(|before| !before.wrong_codes.is_empty());
    let effect = effect.map(|before| CardCounters { forgiven_codes: now, ..before.clone() });
    changed(id, references, effect)
}

/// What unlocking a card forgives: the wrong PINs that locked it.
pub(super) fn unlocking(state: &State, id: CardId, lock: LockCode) -> Effects {
    let counters = forgive_pins(state, id).filter(|_| lock == LockCode::PinTriesExceeded);
    effects(id, counters)
}

fn forgive_pins(state: &State, id: CardId) -> Option<CardCounters> {
    let before = state.counters_of(id).filter(|before| before.pin_tries() > 0)?;
    Some(CardCounters { forgiven_pins: before.wrong_pins, ..before.clone() })
}

pub(super) fn changed(
    id: CardId,
    references: CardReferences,
    counters: Option<CardCounters>,
) -> Decided {
    let references = next_version(references)?;
    let event = Event::CardReferencesChanged { card: id, references };
    Ok(Some(Change { event, effects: effects(id, counters), made: None }))
}

/// The same of the next version: what was compared with the one before is stale.
pub(super) fn next_version(mut references: CardReferences) -> Result<Box<CardReferences>, Refusal> {
    let next = references.version.checked_add(1);
    references.version = next.ok_or(Refusal::CodesExhausted)?;
    Ok(Box::new(references))
}

pub(super) fn effects(card: CardId, counters: Option<CardCounters>) -> Effects {
    let counters =
        counters.map(|counters| Box::new(CounterEffect { card, counters, locks: false }));
    Effects { counters, ..Effects::default() }
}

pub(super) fn references_of(card: &Card) -> CardReferences {
    card.references.as_deref().cloned().unwrap_or_default()
}

pub(super) fn live(state: &State, id: CardId) -> Result<&Card, Refusal> {
    state.card(id).filter(|card| card.status != CardStatus::Removed).ok_or(Refusal::NoSuchCard)
}
