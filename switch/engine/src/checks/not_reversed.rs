//! The message was not reversed before it came. Its hold would never end: the peer has done with
//! it.

use switch_domain::Reason;

use super::Case;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    if case.state.was_reversed_early(&case.request.facts) {
        return Err(Reason::OriginalReversed);
    }
    Ok(())
}
