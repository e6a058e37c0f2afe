//! The card number is of a programme of this host.

use switch_domain::Reason;

use super::Case;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    case.programme.map(|_| ()).ok_or(Reason::NoRoute)
}
