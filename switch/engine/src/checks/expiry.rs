//! The card's month is not over, and the message, where it names a month, names the card's own. Of
//! a card that was renewed a chip is that of the plastic that is good now.

use switch_domain::{Finding, Reason, Unverified};

use super::Case;

pub(super) fn check(case: &Case<'_>) -> Result<(), Reason> {
    let Some(card) = case.card else { return Err(Reason::ExpiredCard) };
    let named_otherwise = case.request.expiry.is_some_and(|named| named != card.expiry);
    if card.expiry.is_past(case.now) || named_otherwise || is_of_other_plastic(case) {
        return Err(Reason::ExpiredCard);
    }
    Ok(())
}

/// Whether a chip was read of plastic that is no longer good, or not yet. Its number is known only
/// where the chip could be read at all; and 0, which stands for none as well, only where a
/// cryptogram is right for it.
fn is_of_other_plastic(case: &Case<'_>) -> bool {
    let references = case.card.and_then(|card| card.references.as_deref());
    let chip = case.request.evidence.as_deref().and_then(|found| found.chip);
    let Some((references, chip)) = references.zip(chip) else { return false };
    let is_read = chip.cryptogram != Finding::Unverified(Unverified::Malformed);
    let is_said = chip.sequence != 0 || chip.cryptogram == Finding::Matched;
    is_read && is_said && !references.plastic.takes(chip.sequence)
}
