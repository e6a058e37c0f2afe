//! Terminal and chip report nothing that the programme declines (E-08).

use switch_domain::Reason;

use super::Case;
use crate::verification;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    let (Some(chip), Some(terms)) = (verification::evidence(case).chip, case.terms) else {
        return Ok(());
    };
    if chip.facts.and(terms.refused_facts).is_empty() {
        return Ok(());
    }
    Err(Reason::ChipReportRefused)
}
