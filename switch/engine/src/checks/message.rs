//! The message as a whole can be granted: translation found no fault in it, and what moves money
//! names an amount. Services of the PIN are only for cards that are verified here: what nobody
//! verified is never granted (1015, 40).

use switch_domain::{Direction, Reason};

use super::Case;
use crate::verification;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    match case.request.fault {
        Some(reason) => Err(reason),
        None if case.request.facts.kind.is_of_pin() && !verification::is_verified(case) => {
            Err(Reason::FunctionNotSupported)
        }
        None if case.direction() == Direction::None => Ok(()),
        None if case.asks_for_money() => Ok(()),
        None => Err(Reason::InvalidAmount),
    }
}
