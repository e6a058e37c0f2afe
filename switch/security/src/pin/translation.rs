//! Which format of a PIN block may become which (PCI PIN, requirement 3-3). It owns that table. A
//! PIN is never bound to another card number: there is one in the command, and a block that is
//! bound to another is not read with it.

use crate::PinBlockFormat;

/// Whether an online PIN in one format may be put into the other. Formats that are bound to a card
/// number stay so, format 1 may become bound, and nothing becomes format 1 or leaves or enters the
/// one for chips.
pub(crate) const fn is_allowed(from: PinBlockFormat, to: PinBlockFormat) -> bool {
    use PinBlockFormat::{Iso0, Iso1, Iso2, Iso3, Iso4};
    match (from, to) {
        (Iso0 | Iso1 | Iso3 | Iso4, Iso0 | Iso3 | Iso4) => true,
        (Iso2, _) | (_, Iso1 | Iso2) => false,
    }
}
