//! The refusal of a lock from outside, as it is stored. It owns that shape both ways.

use switch_domain::{CardId, Event, LockRefusal, OutsideAsk};

use super::read::{Read, choice, lock};
use super::{RecordFault, shapes};
use crate::codes::Stored;

pub(super) fn write_refused(
    card: Option<CardId>,
    ask: OutsideAsk,
    refusal: LockRefusal,
) -> shapes::LockRefused {
    let (code, unlock) = match ask {
        OutsideAsk::Lock(code) => (Some(code), false),
        OutsideAsk::Unlock(code) => (code, true),
    };
    shapes::LockRefused {
        card: card.map(|card| card.0),
        lock: code.map(|code| u32::from(code.number())),
        unlock,
        refusal: refusal.code(),
    }
}

pub(super) fn read_refused(stored: &shapes::LockRefused) -> Read<Event> {
    let code = stored.lock.map(lock).transpose()?;
    let ask = match (stored.unlock, code) {
        (false, Some(code)) => OutsideAsk::Lock(code),
        (false, None) => return Err(RecordFault::Missing("lock code")),
        (true, code) => OutsideAsk::Unlock(code),
    };
    let refusal = choice(stored.refusal)?;
    Ok(Event::LockRefused { card: stored.card.map(CardId), ask, refusal })
}
