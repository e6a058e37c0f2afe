//! The cryptogram is that of the card for these data, and asks for a decision: a chip that decided
//! by itself asks for none (E-04).

use switch_domain::{CryptogramType, Finding, Reason};

use super::Case;
use crate::verification;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    let chip = verification::evidence(case).chip;
    let found = chip.map_or(Finding::Absent, |chip| chip.cryptogram);
    let needed = verification::is_needed(case, |needed| needed.cryptogram)
        || verification::commands_chip(case);
    verification::judge(found, needed, Reason::CryptogramIncorrect, Reason::CryptogramRequired)?;
    let decided_itself = chip.is_some_and(|chip| chip.kind != CryptogramType::Request);
    if decided_itself && verification::is_first_request(case) {
        return Err(Reason::CryptogramNotARequest);
    }
    Ok(())
}
