//! What an approval that was given in our stead needs to take effect: an amount that somebody owes,
//! and sums that stay within numbers. It owns no rule of an authorization request.

use switch_domain::{Direction, MinorUnits, Reason};

use super::Case;
use crate::fees;

/// It asks for money of one card. That the card is expired is no reason: the money was given.
pub(super) fn asks_for_money(case: &Case<'_>) -> Result<(), Reason> {
    match case.request.fault {
        Some(fault) if fault != Reason::ExpiredCard => Err(fault),
        _ if case.direction() == Direction::None => Ok(()),
        _ if case.asks_for_money() => Ok(()),
        _ => Err(Reason::InvalidAmount),
    }
}

/// Neither the account, fees included, nor the deposit leaves the range of amounts by it.
pub(super) fn has_room(case: &Case<'_>) -> Result<(), Reason> {
    let amount = case.comes_to();
    let fits = |level: MinorUnits, held: MinorUnits, amount: MinorUnits| match case.direction() {
        Direction::None => true,
        Direction::Credit => level.checked_add(amount).is_some(),
        Direction::Debit => {
            held.checked_add(amount).and_then(|held| level.checked_sub(held)).is_some()
        }
    };
    let of_balance = case.balance.is_some_and(|balance| {
        let both = amount.checked_add(fees::moved_at_most(case));
        both.is_some_and(|both| fits(balance.ledger, balance.held, both))
    });
    let of_pool = case.deposit.is_none_or(|pool| {
        let share = case.state.share(pool);
        fits(share.level, share.held, amount)
            && case.headroom.available(pool).checked_sub(amount).is_some()
    });
    if of_balance && of_pool { Ok(()) } else { Err(Reason::InvalidAmount) }
}
