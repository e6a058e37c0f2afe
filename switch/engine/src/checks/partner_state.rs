//! The partner's cards are served.

use switch_domain::{PartnerState, Reason};

use super::Case;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    let partners = &case.state.control().partners;
    let partner = case.programme.and_then(|programme| partners.get(&programme.partner));
    match partner.map(|partner| partner.state) {
        Some(PartnerState::Active) => Ok(()),
        Some(PartnerState::Suspended) | None => Err(Reason::PartnerSuspended),
    }
}
