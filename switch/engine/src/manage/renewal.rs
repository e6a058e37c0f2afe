//! Renewal: the same card with a later month, and where it is of plastic with plastic of a higher
//! sequence number. It owns what a card can be renewed to, and that nothing else of it changes but
//! what follows: a new chip does not have the PIN by itself. Who may have it renewed, and when, is
//! not decided here.

use switch_domain::{Card, CardCounters, CardId, Event, Expiry, LockCode, ServiceCode};

use super::card_security::{changed, effects, live, next_version, references_of};
use super::{Change, Decided};
use crate::{Refusal, State};

/// Plastic was made that is good once the card is renewed by it.
pub(super) fn await_plastic(state: &State, id: CardId, sequence: u8) -> Decided {
    let mut references = references_of(renewable(state, id)?);
    if references.plastic.awaited == Some(sequence) {
        return Ok(None);
    }
    if sequence <= references.sequence {
        return Err(Refusal::RenewalNotLater);
    }
    references.plastic.awaited = Some(sequence);
    changed(id, references, None)
}

pub(super) fn renew(
    state: &State,
    id: CardId,
    expiry: Expiry,
    plastic: Option<(ServiceCode, u8)>,
) -> Decided {
    let card = renewable(state, id)?;
    let mut references = references_of(card);
    // Somebody may have said by command meanwhile that the card has the number that was awaited.
    let is_awaited = |sequence| references.plastic.awaited == Some(sequence);
    let is_later =
        plastic.is_none_or(|(_, sequence)| sequence > references.sequence || is_awaited(sequence));
    if expiry <= card.expiry || !is_later {
        return Err(Refusal::RenewalNotLater);
    }
    let mut counters = None;
    if let Some((service_code, sequence)) = plastic {
        (references.service_code, references.sequence) = (Some(service_code), sequence);
        (references.plastic.since, references.plastic.awaited) = (sequence, None);
        let asks_pin = service_code.has_chip() && references.pin.is_some();
        counters = asks_pin.then(|| without_pin(state, id));
    }
    // The printed code is of the month: what was compared with that of before is stale.
    let references = next_version(references)?;
    let event = Event::CardRenewed { card: id, expiry, references };
    Ok(Some(Change { event, effects: effects(id, counters), made: None }))
}

fn renewable(state: &State, id: CardId) -> Result<&Card, Refusal> {
    let card = live(state, id)?;
    let is_final = card.lock.is_some_and(LockCode::is_irreversible);
    if is_final { Err(Refusal::LockIsFinal) } else { Ok(card) }
}

/// The counters of a card whose new chip does not have its PIN. Nothing is forgiven.
fn without_pin(state: &State, id: CardId) -> CardCounters {
    let before = state.counters_of(id).cloned().unwrap_or_default();
    CardCounters { chip_pins: before.chip_pins.saturating_add(1), ..before }
}
