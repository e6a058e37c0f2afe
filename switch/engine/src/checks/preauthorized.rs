//! Of an authorization no more is settled than it was for, and what its merchant is allowed on top.
//! Who wants more asks for an increment, or for another authorization.

use switch_domain::Reason;

use super::Case;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    match case.completes {
        Some(hold) if hold.exceeds => Err(Reason::ExceedsPreauthorizedAmount),
        _ => Ok(()),
    }
}
