//! No more than so many purchases in a window. An increment and a completion are none of their own.

use switch_domain::{ControlRule, Reason, SpendControl};

use super::Case;
use crate::controls;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    case.controls.in_force().try_for_each(|control| judge(case, control))
}

pub(super) fn judge(case: &Case<'_>, control: &SpendControl) -> Result<(), Reason> {
    let ControlRule::Count(most, window) = &control.terms.rule else { return Ok(()) };
    let one_of_its_own = case.adds.is_none() && case.completes.is_none();
    if !one_of_its_own || !case.needs().is_positive() || !controls::selects(case, control) {
        return Ok(());
    }
    let used = u32::try_from(controls::used_before(case, control, window).count).unwrap_or(0);
    if used < *most { Ok(()) } else { Err(Reason::CountLimitExceeded) }
}
