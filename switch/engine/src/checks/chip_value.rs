//! The value of the track that a chip gave is that of the chip (iCVV): with the value of the stripe
//! it is a copy of the stripe (C-03).

use switch_domain::Reason;

use super::Case;
use crate::verification;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    if !verification::chip_was_read(case) {
        return Ok(());
    }
    let needed = verification::is_needed(case, |needed| needed.chip_value);
    let found = verification::evidence(case).stripe;
    verification::judge(found, needed, Reason::CardValueIncorrect, Reason::CardValueRequired)
}
