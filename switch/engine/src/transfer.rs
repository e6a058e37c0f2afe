//! Decides the three steps of a transfer (W-17): the debit in the shard of the account that pays,
//! the credit in the shard of the account that gets it, and the end in the first. It owns that
//! every step is done once, and that what the target refused is given back. The money is in transit
//! between the steps: each record says so by its postings, so the books balance at every moment.

use switch_domain::{
    Account, Amount, AsciiText, Balance, BalanceDelta, BalanceId, BalanceState, Cause,
    CustomerState, Effects, Event, Funding, MinorUnits, PartnerId, Posting, Record, Timestamp,
    Transfer, TransferId, TransferOutcome, TransferReceived,
};

use crate::manage::{Change, Decided, LARGEST_AMOUNT, positive};
use crate::state::Subject;
use crate::{Answer, Outcome, Refusal, State};

/// The debit: it restricts, so it counts when decided (W-14).
pub(crate) fn send(
    state: &State,
    (from, to): (BalanceId, BalanceId),
    minor: MinorUnits,
    reference: AsciiText<40>,
    target: TransferOutcome,
) -> Decided {
    let balance = state.balance(from).ok_or(Refusal::NoSuchBalance)?;
    let back = positive(minor)?;
    if from == to {
        return Err(Refusal::SameBalance);
    }
    match balance.state {
        BalanceState::Active => {}
        BalanceState::Blocked => return Err(Refusal::BalanceBlocked),
        BalanceState::Closed => return Err(Refusal::BalanceClosed),
    }
    if state.customer_state(balance.customer) == CustomerState::Blocked {
        return Err(Refusal::CustomerBlocked);
    }
    if !target.is_credited() {
        return Err(Refusal::Target(target));
    }
    if balance.available() < minor {
        return Err(Refusal::InsufficientFunds);
    }
    let id = state.mint(TransferId::mint).ok_or(Refusal::IdentifiersExhausted)?;
    let (partner, currency) = (balance.partner, balance.currency);
    let amount = Amount { minor, currency };
    let transfer = Transfer { id, from, to, partner, amount, reference };
    let effects = moved((from, back), (partner, minor), amount);
    Ok(Some(Change { event: Event::TransferSent(transfer), effects, made: Some(id.0) }))
}

/// Whether an account can be credited by another's transfer, as far as can be told before it is
/// sent. Partner, currency and funding never change; the state is looked at again by the target.
#[must_use]
pub fn judge_target(
    from: Option<&Balance>,
    to: Option<&Balance>,
    funding: impl Fn(&Balance) -> Option<Funding>,
) -> TransferOutcome {
    let Some(to) = to else { return TransferOutcome::NoSuchBalance };
    // Without the account that pays there is nothing to compare: the command is refused for that.
    let Some(from) = from else { return TransferOutcome::Credited };
    let deposit = |balance| funding(balance).map(|funding| funding.deposit().is_some());
    if deposit(from) != deposit(to) {
        return TransferOutcome::OtherFunding;
    }
    accepts(to, from.partner, Amount { minor: MinorUnits::ZERO, currency: from.currency })
}

/// Whether an account takes so much from an account of that partner.
fn accepts(to: &Balance, partner: PartnerId, amount: Amount) -> TransferOutcome {
    if to.partner != partner {
        return TransferOutcome::OtherPartner;
    }
    if to.currency != amount.currency {
        return TransferOutcome::OtherCurrency;
    }
    match to.state {
        BalanceState::Active => {}
        BalanceState::Blocked => return TransferOutcome::BalanceBlocked,
        BalanceState::Closed => return TransferOutcome::BalanceClosed,
    }
    match to.ledger.checked_add(amount.minor) {
        Some(sum) if sum.0 <= LARGEST_AMOUNT => TransferOutcome::Credited,
        _ => TransferOutcome::AmountTooLarge,
    }
}

/// The credit, or a refusal for good: the same transfer gets the same answer when it comes again.
pub(crate) fn receive(
    state: &State,
    transfer: &Transfer,
    settled_below: TransferId,
    now: Timestamp,
) -> Outcome {
    if let Some(outcome) = state.received(transfer.id) {
        return Outcome { answer: Answer::Transferred(outcome), record: None };
    }
    if state.is_in_flight(Subject::Balance(transfer.to)) {
        return Outcome { answer: Answer::Busy, record: None };
    }
    let outcome = state.balance(transfer.to).map_or(TransferOutcome::NoSuchBalance, |balance| {
        accepts(balance, transfer.partner, transfer.amount)
    });
    let (to, minor) = (transfer.to, transfer.amount.minor);
    let (outcome, effects) = match minor.checked_neg() {
        Some(back) if outcome.is_credited() => {
            (outcome, moved((to, minor), (transfer.partner, back), transfer.amount))
        }
        None if outcome.is_credited() => (TransferOutcome::AmountTooLarge, Effects::default()),
        _ => (outcome, Effects::default()),
    };
    let event = Event::TransferReceived(TransferReceived {
        transfer: transfer.clone(),
        outcome,
        settled_below,
    });
    let record = Record { at: now, cause: Cause::Switch, event, effects };
    Outcome { answer: Answer::Transferred(outcome), record: Some(record) }
}

/// The end: nothing more where the money arrived; else it is given back, which relaxes and counts
/// at the commit. `None` where the transfer is closed, or is being closed.
pub(crate) fn close(
    state: &State,
    id: TransferId,
    outcome: TransferOutcome,
    now: Timestamp,
) -> Outcome {
    let answer = Answer::Transferred(outcome);
    let open = state.open_transfer(id).filter(|open| !open.closing).map(|open| &open.transfer);
    let record = open.and_then(|transfer| {
        let effects = if outcome.is_credited() {
            Effects::default()
        } else {
            let back = transfer.amount.minor.checked_neg()?;
            let from = (transfer.from, transfer.amount.minor);
            moved(from, (transfer.partner, back), transfer.amount)
        };
        let event = Event::TransferClosed { transfer: id, partner: transfer.partner, outcome };
        Some(Record { at: now, cause: Cause::Switch, event, effects })
    });
    Outcome { answer, record }
}

/// Money between an account and what is in transit for its partner: the two amounts are each
/// other's opposite.
fn moved(
    (balance, ledger): (BalanceId, MinorUnits),
    (partner, transit): (PartnerId, MinorUnits),
    Amount { currency, .. }: Amount,
) -> Effects {
    Effects {
        balance: Some(BalanceDelta { balance, ledger, held: MinorUnits::ZERO }),
        postings: vec![
            Posting { account: Account::Balance(balance), amount: ledger, currency },
            Posting { account: Account::InTransit(partner), amount: transit, currency },
        ],
        ..Effects::default()
    }
}
