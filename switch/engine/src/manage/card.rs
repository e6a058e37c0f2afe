//! Cards: issue, activation, removal, locks. It owns which lock may follow which (SR-174, A-19),
//! and what a source outside may do to one (SR-209..211).

use switch_domain::{
    BalanceId, BalanceState, Card, CardId, CardIssued, CardStatus, Event, Expiry, LockCode,
    LockCodes, LockRefusal, OutsideAsk, VaultRef,
};

use super::{Change, Decided, card_security};
use crate::{Refusal, State};

pub(super) fn issue(
    state: &State,
    balance: BalanceId,
    vault: VaultRef,
    expiry: Expiry,
    status: CardStatus,
) -> Decided {
    let balance = state.balance(balance).ok_or(Refusal::NoSuchBalance)?;
    if balance.state == BalanceState::Closed {
        return Err(Refusal::BalanceClosed);
    }
    if status == CardStatus::Removed {
        return Err(Refusal::CardUnfit);
    }
    let id = state.mint(CardId::mint).ok_or(Refusal::IdentifiersExhausted)?;
    let issued = CardIssued {
        card: id,
        balance: balance.id,
        programme: balance.programme,
        partner: balance.partner,
        vault,
        expiry,
        status,
    };
    Ok(Some(Change::plain(Event::CardIssued(issued), Some(id.0))))
}

pub(super) fn activate(state: &State, id: CardId) -> Decided {
    match live(state, id)?.status {
        CardStatus::Inactive => Ok(Some(Change::plain(
            Event::CardStatusChanged { card: id, status: CardStatus::Active },
            None,
        ))),
        CardStatus::Active => Ok(None),
        CardStatus::Removed => Err(Refusal::NotAwaitingActivation),
    }
}

pub(super) fn remove(state: &State, id: CardId) -> Decided {
    let card = state.card(id).ok_or(Refusal::NoSuchCard)?;
    if card.status == CardStatus::Removed {
        return Ok(None);
    }
    let event = Event::CardStatusChanged { card: id, status: CardStatus::Removed };
    Ok(Some(Change::plain(event, None)))
}

pub(super) fn lock(state: &State, id: CardId, lock: LockCode) -> Decided {
    match live(state, id)?.lock {
        Some(current) if current == lock => return Ok(None),
        Some(current) if current.is_irreversible() => return Err(Refusal::LockIsFinal),
        Some(_) if !lock.is_irreversible() => return Err(Refusal::LockedOtherwise),
        Some(_) | None => {}
    }
    let event = Event::CardLockChanged { card: id, lock: Some(lock) };
    Ok(Some(Change::plain(event, None)))
}

pub(super) fn unlock(state: &State, id: CardId) -> Decided {
    match live(state, id)?.lock {
        None => Ok(None),
        Some(current) if current.is_irreversible() => Err(Refusal::LockIsFinal),
        Some(current) => {
            let event = Event::CardLockChanged { card: id, lock: None };
            let effects = card_security::unlocking(state, id, current);
            Ok(Some(Change { event, effects, made: None }))
        }
    }
}

/// A lock that somebody outside asks for, with authority over the codes in `may`. What the source
/// may not do is told first, whatever there is: it learns nothing of cards that are not its own.
pub(super) fn lock_outside(
    state: &State,
    id: Option<CardId>,
    ask: OutsideAsk,
    may: LockCodes,
) -> Decided {
    outside(state, id, ask, may).map_err(Refusal::Outside)
}

fn outside(
    state: &State,
    id: Option<CardId>,
    ask: OutsideAsk,
    may: LockCodes,
) -> Result<Option<Change>, LockRefusal> {
    if !ask.is_within(may) {
        return Err(LockRefusal::NotAllowed);
    }
    let id = id.ok_or(LockRefusal::NoSuchCard)?;
    let current = live(state, id).map_err(|_| LockRefusal::NoSuchCard)?.lock;
    let named = match ask {
        OutsideAsk::Lock(code) => {
            return lock(state, id, code).map_err(|refusal| match refusal {
                Refusal::LockIsFinal => LockRefusal::Final,
                _ => LockRefusal::LockedOtherwise,
            });
        }
        OutsideAsk::Unlock(named) => named,
    };
    let Some(current) = current else { return Ok(None) };
    if !may.contains(current) {
        return Err(LockRefusal::NotAllowed);
    }
    if named.is_some_and(|named| named != current) {
        return Err(LockRefusal::LockedOtherwise);
    }
    unlock(state, id).map_err(|_| LockRefusal::Final)
}

fn live(state: &State, id: CardId) -> Result<&Card, Refusal> {
    state.card(id).filter(|card| card.status != CardStatus::Removed).ok_or(Refusal::NoSuchCard)
}
