//! The customer's available funds cover the amount. No approval drives them below zero.

use switch_domain::{MinorUnits, Reason};

use super::Case;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    let available = case.balance.map_or(MinorUnits::ZERO, switch_domain::Balance::available);
    if available < case.request.amount.minor { Err(Reason::InsufficientFunds) } else { Ok(()) }
}
