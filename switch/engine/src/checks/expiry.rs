//! The card's month is not over, and the message, where it names a month, names the card's own.

use switch_domain::Reason;

use super::Case;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    let Some(card) = case.card else { return Err(Reason::ExpiredCard) };
    let named_otherwise = case.request.expiry.is_some_and(|named| named != card.expiry);
    if card.expiry.is_past(case.now) || named_otherwise {
        return Err(Reason::ExpiredCard);
    }
    Ok(())
}
