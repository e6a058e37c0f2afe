//! The card may be used so, there, and then: no control forbids what it is about, and each that
//! allows only some uses is about this one.

use switch_domain::{Aspect, CardUse, CardUses, ControlRule, Reason, Selector, SpendControl};

use super::Case;
use crate::controls;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    case.controls.in_force().try_for_each(|control| judge(case, control))
}

pub(super) fn judge(case: &Case<'_>, control: &SpendControl) -> Result<(), Reason> {
    let declines = match control.terms.rule {
        ControlRule::Forbid => controls::selects(case, control),
        ControlRule::AllowOnly => !controls::selects(case, control),
        ControlRule::OneMerchant | ControlRule::Amount(..) | ControlRule::Count(..) => false,
    };
    if declines { Err(reason(&control.terms.selects)) } else { Ok(()) }
}

fn reason(selects: &Selector) -> Reason {
    match selects.aspect() {
        Aspect::Use if selects.uses == CardUses::of(&[CardUse::CashBack]) => {
            Reason::CashBackNotPermitted
        }
        Aspect::Use => Reason::UseNotPermitted,
        Aspect::Category => Reason::CategoryNotPermitted,
        Aspect::Country => Reason::CountryNotPermitted,
        Aspect::Merchant => Reason::MerchantNotPermitted,
        Aspect::Hours => Reason::HoursNotPermitted,
    }
}
