//! The chip's transaction counter is a new one (E-01). Only one that a right cryptogram vouches for
//! is looked at: any other could be anybody's. What was decided in our stead is never a replay.

use switch_domain::{CounterStanding, Finding, LowerCounter, Reason};

use super::Case;
use crate::verification;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    let chip = verification::evidence(case).chip;
    let vouched = chip.filter(|chip| chip.cryptogram == Finding::Matched);
    let (Some(chip), Some(terms)) = (vouched, case.terms) else { return Ok(()) };
    if !verification::is_request(case) {
        return Ok(());
    }
    let rules = terms.counter;
    match verification::counter_standing(case, &chip) {
        Some(CounterStanding::Used) => Err(Reason::CryptogramReplayed),
        Some(CounterStanding::Above(by)) if rules.declines_jump && rules.is_jump(by) => {
            Err(Reason::CounterOutOfRange)
        }
        Some(CounterStanding::Above(_)) => Ok(()),
        Some(CounterStanding::Unused) if rules.lower == LowerCounter::Take => Ok(()),
        // One that nobody can judge is not taken for a new one.
        Some(CounterStanding::Unused | CounterStanding::Forgotten) | None => {
            Err(Reason::CounterOutOfRange)
        }
    }
}
