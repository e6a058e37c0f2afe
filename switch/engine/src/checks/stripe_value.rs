//! The value of the stripe is that of the card (CVV), wherever a stripe was read, or what was read
//! is not said.

use switch_domain::Reason;

use super::Case;
use crate::verification;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    if verification::chip_was_read(case) {
        return Ok(());
    }
    let needed = verification::is_needed(case, |needed| needed.stripe);
    let found = verification::evidence(case).stripe;
    verification::judge(found, needed, Reason::CardValueIncorrect, Reason::CardValueRequired)
}
