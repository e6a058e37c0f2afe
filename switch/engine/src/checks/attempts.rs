//! Nobody tries card numbers at this merchant (T-13). It stands before everything about the card,
//! so that whoever goes on learns nothing more of any. What rests on an earlier purchase is no
//! attempt.

use switch_domain::Reason;

use super::Case;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    let rests_on_another = case.adds.is_some() || case.completes.is_some();
    let refused = case.request.blocked && !rests_on_another;
    if refused { Err(Reason::AttemptsBlocked) } else { Ok(()) }
}
