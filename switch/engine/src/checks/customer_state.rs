//! The customer may spend.

use switch_domain::{CustomerState, Reason};

use super::Case;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    let state = case.balance.map(|balance| case.state.customer_state(balance.customer));
    match state {
        Some(CustomerState::Active) => Ok(()),
        Some(CustomerState::Blocked) | None => Err(Reason::CustomerBlocked),
    }
}
