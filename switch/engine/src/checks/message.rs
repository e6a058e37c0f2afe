//! The message as a whole can be granted: translation found no fault in it, and what moves money
//! names an amount.

use switch_domain::{Direction, Reason};

use super::Case;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    match case.request.fault {
        Some(reason) => Err(reason),
        None if case.direction() == Direction::None => Ok(()),
        None if case.asks_for_money() => Ok(()),
        None => Err(Reason::InvalidAmount),
    }
}
