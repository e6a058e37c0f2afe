//! The partner's deposit covers the amount, where the programme is funded by deposit (SR-226:
//! before user funds). It only looks: the pool is taken after every other rule has passed (W-15).

use switch_domain::{MinorUnits, Reason};

use super::Case;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    match case.deposit {
        Some(pool) if case.needs() > MinorUnits::ZERO.max(case.headroom.available(pool)) => {
            Err(Reason::PartnerDepositInsufficient)
        }
        _ => Ok(()),
    }
}
