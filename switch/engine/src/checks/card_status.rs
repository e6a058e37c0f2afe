//! The card is in use: activated, and not removed.

use switch_domain::{CardStatus, Reason};

use super::Case;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    match case.card.map(|card| card.status) {
        Some(CardStatus::Active) => Ok(()),
        Some(CardStatus::Inactive) => Err(Reason::CardNotActive),
        Some(CardStatus::Removed) | None => Err(Reason::InvalidCardNumber),
    }
}
