//! The message as a whole can be granted: translation found no fault in it, and it asks for money.

use switch_domain::Reason;

use super::Case;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    match case.request.fault {
        Some(reason) => Err(reason),
        None if case.request.amount.minor.is_positive() => Ok(()),
        None => Err(Reason::InvalidAmount),
    }
}
