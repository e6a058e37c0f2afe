//! The PIN was not wrong too often. It says so before anybody learns what the PIN of this message
//! was: at the limit no answer tells whether it was the right one (C-23).

use switch_domain::{Finding, Reason};

use super::Case;
use crate::verification;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    if !verification::is_request(case) || verification::pin_tries_left(case) > 0 {
        return Ok(());
    }
    let found = verification::evidence(case).pin;
    let asked = found != Finding::Absent || verification::is_needed(case, |needed| needed.pin);
    if asked { Err(Reason::PinTriesExceeded) } else { Ok(()) }
}
