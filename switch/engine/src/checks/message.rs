//! The message as a whole can be granted: translation found no fault in it, and what moves money
//! names an amount.

use switch_domain::{Direction, Reason};

use super::Case;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    match case.request.fault {
        Some(reason) => Err(reason),
        None if case.direction() == Direction::None => Ok(()),
        None if case.request.amount.minor.is_positive() && case.comes_to().is_positive() => Ok(()),
        None => Err(Reason::InvalidAmount),
    }
}
