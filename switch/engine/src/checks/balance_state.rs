//! The account may be spent from.

use switch_domain::{BalanceState, Reason};

use super::Case;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    match case.balance.map(|balance| balance.state) {
        Some(BalanceState::Active) => Ok(()),
        Some(BalanceState::Blocked) => Err(Reason::BalanceBlocked),
        Some(BalanceState::Closed) | None => Err(Reason::BalanceClosed),
    }
}
