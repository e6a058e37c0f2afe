//! The PIN is that of the card. The last of verification: who does not have the card learns nothing
//! of its PIN. A PIN that came is verified wherever the programme has PINs, needed or not. Who
//! wants another one has to know it, and is granted it only with all that it takes: what the new
//! one is compared with from then on, and the command for the chip.

use switch_domain::{Finding, Reason};

use super::Case;
use crate::verification;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    if !verification::is_request(case) {
        return Ok(());
    }
    let found = verification::evidence(case).pin;
    let has_pins = case.terms.is_some_and(|terms| terms.pin.is_some());
    let came = found != Finding::Absent;
    let serves = case.request.facts.kind.is_of_pin();
    let needed = verification::is_needed(case, |needed| needed.pin) || (has_pins && came) || serves;
    // The last try that there is says so itself, and locks the card.
    let wrong = match verification::pin_tries_left(case) {
        0 | 1 => Reason::PinTriesExceeded,
        _ => Reason::IncorrectPin,
    };
    verification::judge(found, needed, wrong, Reason::PinRequired)?;
    if serves { verification::judge_pin_service(case) } else { Ok(()) }
}
