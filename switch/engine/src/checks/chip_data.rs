//! The chip says what the message says (E-03), but for what the link lets pass. What comes later of
//! a purchase is of another amount and another day, and not of the chip's.

use switch_domain::Reason;

use super::Case;
use crate::verification;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    let Some(chip) = verification::evidence(case).chip else { return Ok(()) };
    let agrees = chip.differs.without(chip.tolerated).is_empty();
    if agrees || !verification::is_first_request(case) {
        return Ok(());
    }
    Err(Reason::ChipDataDiffer)
}
