//! Accounts and the state of customers. It owns where the money of a top-up comes from: the
//! partner's credit pool, or the contra of a memorandum where the partner holds the money itself.

use switch_domain::{
    Account, AsciiText, BalanceDelta, BalanceId, BalanceOpened, BalanceState, CustomerId,
    CustomerState, Effects, Event, Funding, MinorUnits, PoolDelta, Posting, ProgrammeId,
};

use super::control::{LARGEST_AMOUNT, positive};
use super::{Change, Decided};
use crate::{Headroom, Refusal, State};

pub(super) fn open(state: &State, programme: ProgrammeId, customer: CustomerId) -> Decided {
    let programme = state.control().programmes.get(&programme).ok_or(Refusal::NoSuchProgramme)?;
    let id = state.mint(BalanceId::mint).ok_or(Refusal::IdentifiersExhausted)?;
    let opened = BalanceOpened {
        balance: id,
        programme: programme.id,
        partner: programme.partner,
        customer,
        currency: programme.currency,
    };
    Ok(Some(Change::plain(Event::BalanceOpened(opened), Some(id.0))))
}

pub(super) fn set_state(state: &State, id: BalanceId, new: BalanceState) -> Decided {
    let balance = state.balance(id).ok_or(Refusal::NoSuchBalance)?;
    if balance.state == new {
        return Ok(None);
    }
    if balance.state == BalanceState::Closed {
        return Err(Refusal::BalanceClosed);
    }
    let idle = balance.held.is_zero() && !state.has_open_transfers(id);
    let empty = balance.ledger.is_zero() && idle;
    if new == BalanceState::Closed && !empty {
        return Err(Refusal::BalanceNotEmpty);
    }
    Ok(Some(Change::plain(Event::BalanceStateChanged { balance: id, state: new }, None)))
}

/// One atomic transfer: credit pool to customer (SR-223), or memorandum contra to customer.
pub(super) fn credit(
    state: &State,
    id: BalanceId,
    amount: MinorUnits,
    reference: AsciiText<40>,
    headroom: &dyn Headroom,
) -> Decided {
    let balance = state.balance(id).ok_or(Refusal::NoSuchBalance)?;
    if balance.state == BalanceState::Closed {
        return Err(Refusal::BalanceClosed);
    }
    let back = positive(amount)?;
    let sum = balance.ledger.checked_add(amount).ok_or(Refusal::AmountTooLarge)?;
    if sum.0 > LARGEST_AMOUNT {
        return Err(Refusal::AmountTooLarge);
    }
    let programmes = &state.control().programmes;
    let programme = programmes.get(&balance.programme).ok_or(Refusal::NoSuchProgramme)?;
    let (pool, source) = match programme.funding {
        Funding::Credit(pool) => {
            if headroom.available(pool) < amount {
                return Err(Refusal::PoolInsufficient);
            }
            let delta = PoolDelta { pool, level: back, held: MinorUnits::ZERO };
            (Some(delta), Account::Pool(pool))
        }
        Funding::Deposit(_) => (None, Account::Memorandum(balance.partner)),
    };
    let currency = balance.currency;
    let effects = Effects {
        balance: Some(BalanceDelta { balance: id, ledger: amount, held: MinorUnits::ZERO }),
        pool,
        postings: vec![
            Posting { account: Account::Balance(id), amount, currency },
            Posting { account: source, amount: back, currency },
        ],
        ..Effects::default()
    };
    let event = Event::BalanceCredited { balance: id, reference };
    Ok(Some(Change { event, effects, made: None }))
}

pub(super) fn set_customer_state(state: &State, id: CustomerId, new: CustomerState) -> Decided {
    if state.customer_state(id) == new {
        return Ok(None);
    }
    let event = Event::CustomerStateChanged { customer: id, state: new };
    Ok(Some(Change::plain(event, None)))
}
