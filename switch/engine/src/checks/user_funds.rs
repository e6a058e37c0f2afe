//! The customer's available funds cover the amount and its fees: no approval drives them below
//! zero. What is given to the customer stays within the largest amount.

use switch_domain::{Direction, MinorUnits, Reason};

use super::Case;
use crate::manage::LARGEST_AMOUNT;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    match case.direction() {
        Direction::None => Ok(()),
        Direction::Credit => {
            let ledger = case.balance.map_or(MinorUnits::ZERO, |balance| balance.ledger);
            let sum = ledger.checked_add(case.amount.minor);
            let fits = sum.is_some_and(|sum| sum.0 <= LARGEST_AMOUNT);
            if fits { Ok(()) } else { Err(Reason::InvalidAmount) }
        }
        Direction::Debit => {
            let available =
                case.balance.map_or(MinorUnits::ZERO, switch_domain::Balance::available);
            // What is held already was covered when it was granted.
            let needs = case.needs_of_customer();
            let short = needs.is_positive() && available < needs;
            if short { Err(Reason::InsufficientFunds) } else { Ok(()) }
        }
    }
}
