//! The message was not reversed as a whole before it came. Its hold would never end: the peer has
//! done with it.

use switch_domain::Reason;

use super::Case;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    match case.standing {
        Some(standing) if standing.is_zero() => Err(Reason::OriginalReversed),
        _ => Ok(()),
    }
}
