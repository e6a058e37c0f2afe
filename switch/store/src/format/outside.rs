//! The refusal of a lock from outside, as it is stored. It owns that shape both ways.

use prost::Message;
use switch_domain::{CardId, Event, LockRefusal, OutsideAsk};

use super::RecordFault;
use super::read::{Read, choice, lock};
use crate::codes::Stored;

/// A lock asked for from outside: `lock` alone, or with `unlock` the one to be taken back.
#[derive(Clone, PartialEq, Message)]
pub(super) struct LockRefused {
    #[prost(int64, optional, tag = "1")]
    pub(super) card: Option<i64>,
    #[prost(uint32, optional, tag = "2")]
    pub(super) lock: Option<u32>,
    #[prost(bool, tag = "3")]
    pub(super) unlock: bool,
    #[prost(uint32, tag = "4")]
    pub(super) refusal: u32,
}

pub(super) fn write_refused(
    card: Option<CardId>,
    ask: OutsideAsk,
    refusal: LockRefusal,
) -> LockRefused {
    let (code, unlock) = match ask {
        OutsideAsk::Lock(code) => (Some(code), false),
        OutsideAsk::Unlock(code) => (code, true),
    };
    LockRefused {
        card: card.map(|card| card.0),
        lock: code.map(|code| u32::from(code.number())),
        unlock,
        refusal: refusal.code(),
    }
}

pub(super) fn read_refused(stored: &LockRefused) -> Read<Event> {
    let code = stored.lock.map(lock).transpose()?;
    let ask = match (stored.unlock, code) {
        (false, Some(code)) => OutsideAsk::Lock(code),
        (false, None) => return Err(RecordFault::Missing("lock code")),
        (true, code) => OutsideAsk::Unlock(code),
    };
    let refusal = choice(stored.refusal)?;
    Ok(Event::LockRefused { card: stored.card.map(CardId), ask, refusal })
}
