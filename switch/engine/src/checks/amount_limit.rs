//! No more than an amount, at once or in a window. What is held counts; what is given back of it
//! does no longer.

use switch_domain::{ControlRule, Reason, SpendControl};

use super::Case;
use crate::controls;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    case.controls.in_force().try_for_each(|control| judge(case, control))
}

pub(super) fn judge(case: &Case<'_>, control: &SpendControl) -> Result<(), Reason> {
    let ControlRule::Amount(most, window) = &control.terms.rule else { return Ok(()) };
    let asked = case.counts();
    if !asked.is_positive() || !controls::selects(case, control) {
        return Ok(());
    }
    let used = controls::used_before(case, control, window);
    let fits = used.amount.0.saturating_add(asked.0) <= most.0;
    if fits { Ok(()) } else { Err(Reason::AmountLimitExceeded) }
}
