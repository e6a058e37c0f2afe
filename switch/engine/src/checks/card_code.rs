//! The printed code is that of the card (CVV2), and was not wrong too often in a day: then the card
//! is not taken any more without being present (T-15).

use switch_domain::Reason;

use super::Case;
use crate::verification;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    if verification::is_card_not_present(case) && !verification::code_tries_are_left(case) {
        return Err(Reason::CardCodeTriesExceeded);
    }
    let needed = verification::is_needed(case, |needed| needed.code);
    let found = verification::evidence(case).code;
    verification::judge(found, needed, Reason::CardCodeIncorrect, Reason::CardCodeRequired)
}
