//! Schedules of fees put in force, and fees for acts and periods charged or given back. It owns
//! that a schedule is of its programme's currency, and that a fee which is taken at once is there.
//! How much a fee is, whoever charges it has worked out; those of purchases are no commands.

use switch_domain::{
    Account, Amount, AsciiText, Balance, BalanceDelta, BalanceId, BalanceState, CardId, Effects,
    Event, FeeCharged, FeeEvent, FeeSchedule, MinorUnits, Posting, ProgrammeId, Taken,
};

use super::control::{LARGEST_AMOUNT, positive};
use super::{Change, Decided};
use crate::{Refusal, State};

/// What is charged or given back: what the two acts have in common.
#[derive(Clone, Copy)]
pub(super) struct Charge {
    pub(super) balance: BalanceId,
    pub(super) card: Option<CardId>,
    pub(super) event: FeeEvent,
    pub(super) fee: MinorUnits,
    pub(super) taken: Taken,
    pub(super) reference: AsciiText<40>,
}

pub(super) fn set(state: &State, id: ProgrammeId, schedule: Option<&FeeSchedule>) -> Decided {
    let programme = state.control().programmes.get(&id).ok_or(Refusal::NoSuchProgramme)?;
    if schedule.is_some_and(|schedule| schedule.currency() != programme.currency) {
        return Err(Refusal::FeeCurrency);
    }
    if state.fees_of(id) == schedule {
        return Ok(None);
    }
    let schedule = schedule.cloned().map(Box::new);
    Ok(Some(Change::plain(Event::FeesSet { programme: id, schedule }, None)))
}

/// A fee out of the account, or put down for the invoice. Of a blocked account it is taken as well:
/// it is no spending of the customer's.
pub(super) fn charge(state: &State, charge: Charge) -> Decided {
    let balance = of(state, charge)?;
    let from = positive(charge.fee)?;
    if charge.taken == Taken::AtOnce && balance.available() < charge.fee {
        return Err(Refusal::InsufficientFunds);
    }
    Ok(Some(change(balance, charge, from)))
}

/// The same the other way round.
pub(super) fn refund(state: &State, charge: Charge) -> Decided {
    let balance = of(state, charge)?;
    positive(charge.fee)?;
    // What is invoiced moves nothing.
    let sum = balance.ledger.0.saturating_add(charge.fee.0);
    if charge.taken == Taken::AtOnce && sum > LARGEST_AMOUNT {
        return Err(Refusal::AmountTooLarge);
    }
    Ok(Some(change(balance, charge, charge.fee)))
}

fn of(state: &State, charge: Charge) -> Result<&Balance, Refusal> {
    let balance = state.balance(charge.balance).ok_or(Refusal::NoSuchBalance)?;
    if balance.state == BalanceState::Closed {
        return Err(Refusal::BalanceClosed);
    }
    if let Some(card) = charge.card {
        let here = state.card(card).is_some_and(|card| card.balance == balance.id);
        here.then_some(()).ok_or(Refusal::NoSuchCard)?;
    }
    Ok(balance)
}

/// `moved` is what the account gets: below zero for a charge.
fn change(balance: &Balance, charge: Charge, moved: MinorUnits) -> Change {
    let Charge { balance: id, card, event, taken, reference, .. } = charge;
    let (partner, currency) = (balance.partner, balance.currency);
    let other = MinorUnits(moved.0.saturating_neg());
    let event = Event::FeeCharged(Box::new(FeeCharged {
        balance: id,
        partner,
        card,
        event,
        amount: Amount { minor: other, currency },
        taken,
        reference,
    }));
    let effects = match taken {
        Taken::Invoiced => Effects::default(),
        Taken::AtOnce => Effects {
            balance: Some(BalanceDelta { balance: id, ledger: moved, held: MinorUnits::ZERO }),
            postings: vec![
                Posting { account: Account::Balance(id), amount: moved, currency },
                Posting { account: Account::FeeIncome(partner), amount: other, currency },
            ],
            ..Effects::default()
        },
    };
    Change { event, effects, made: None }
}
