//! The stripe of a chip card is taken up to an amount only (E-07): who reads it otherwise does not
//! have the chip. Whether a card has one is for its service code to say, whatever the message says.

use switch_domain::{EntryMode, Reason, ServiceCode};

use super::Case;
use crate::verification;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    let Some(terms) = case.terms else { return Ok(()) };
    let read = case.request.facts.entry == EntryMode::Stripe;
    if !read || !verification::is_first_request(case) {
        return Ok(());
    }
    let references = case.card.and_then(|card| card.references.as_deref());
    let service_code = references.and_then(|references| references.service_code);
    let has_chip = service_code.is_some_and(ServiceCode::has_chip);
    let falls_back = has_chip || verification::evidence(case).fallback;
    if falls_back && case.amount.minor > terms.fallback_floor {
        return Err(Reason::FallbackRefused);
    }
    Ok(())
}
