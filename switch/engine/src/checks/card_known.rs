//! A card with this number was issued, and its account is here.

use switch_domain::Reason;

use super::Case;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    match (case.card, case.balance) {
        (Some(_), Some(_)) => Ok(()),
        _ => Err(Reason::InvalidCardNumber),
    }
}
