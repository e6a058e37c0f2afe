//! The card is not locked. A locked card is declined whatever the transaction (SR-172, A-35).

use switch_domain::Reason;

use super::Case;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    match case.card.and_then(|card| card.lock) {
        Some(lock) => Err(lock.reason()),
        None => Ok(()),
    }
}
