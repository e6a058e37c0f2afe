//! Cards: issue, activation, removal, locks. It owns which lock may follow which (SR-174, A-19).

use switch_domain::{
    BalanceId, BalanceState, Card, CardId, CardIssued, CardStatus, Event, Expiry, LockCode,
    VaultRef,
};

use super::{Change, Decided};
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
        Some(_) => {
            let event = Event::CardLockChanged { card: id, lock: None };
            Ok(Some(Change::plain(event, None)))
        }
    }
}

fn live(state: &State, id: CardId) -> Result<&Card, Refusal> {
    state.card(id).filter(|card| card.status != CardStatus::Removed).ok_or(Refusal::NoSuchCard)
}
