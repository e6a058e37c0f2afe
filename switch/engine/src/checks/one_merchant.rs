//! A card that is for one merchant is used at that one: the first that it was granted at. Where all
//! of that was taken back, it is for none again.

use switch_domain::{ControlRule, Reason, SpendControl};

use super::Case;
use crate::controls;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    case.controls.in_force().try_for_each(|control| judge(case, control))
}

pub(super) fn judge(case: &Case<'_>, control: &SpendControl) -> Result<(), Reason> {
    let is_one = control.terms.rule == ControlRule::OneMerchant;
    if is_one && controls::selects(case, control) && controls::used_at_others(case, control) {
        return Err(Reason::MerchantNotPermitted);
    }
    Ok(())
}
