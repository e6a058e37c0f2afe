//! Where and how a purchase is made, by DE18, DE22 and DE25 of ISO 8583:1987. It owns the tables of
//! their codes; a code that is not in them is no fault, it says nothing.

use codecs::iso8583::Message;
use switch_domain::{Channel, EntryMode};

use super::FieldFault;
use super::fault::optional_number;

const CATEGORY: u8 = 18;
const ENTRY_MODE: u8 = 22;
const CONDITION: u8 = 25;

/// MCC 6010 and 6011: cash at a counter of a bank, cash from a machine.
const CASH_CATEGORIES: [u16; 2] = [6010, 6011];
/// DE25: mail or telephone order, customer's own terminal, electronic commerce.
const REMOTE_CONDITIONS: [u64; 3] = [8, 15, 59];

/// DE18 and what follows from it, DE22 and DE25.
pub(super) struct Place {
    pub(super) category: u16,
    pub(super) channel: Channel,
    pub(super) entry: EntryMode,
}

/// Reads the place; `cash` says that the processing code asks for cash.
pub(super) fn place(message: &Message<'_>, cash: bool) -> Result<Place, FieldFault> {
    let wanted = "a merchant category code of ISO 18245";
    let category = optional_number(message, CATEGORY, wanted)?.unwrap_or(0);
    let category =
        u16::try_from(category).map_err(|_| FieldFault::Invalid { field: CATEGORY, wanted })?;
    let mode = optional_number(message, ENTRY_MODE, "an entry mode")?;
    // Two digits of how the number came in; the third tells of the PIN pad.
    let mode = mode.map_or(0, |mode| mode / 10);
    let condition = optional_number(message, CONDITION, "a condition code")?.unwrap_or(0);
    Ok(Place { category, channel: channel(category, cash, mode, condition), entry: entry(mode) })
}

fn channel(category: u16, cash: bool, mode: u64, condition: u64) -> Channel {
    // Typed, or stored at the merchant: remote only if the condition says so as well.
    let without_card = matches!(mode, 1 | 10);
    if cash || CASH_CATEGORIES.contains(&category) {
        Channel::Atm
    } else if mode == 81 || (without_card && REMOTE_CONDITIONS.contains(&condition)) {
        Channel::Ecommerce
    } else {
        Channel::Pos
    }
}

const fn entry(mode: u64) -> EntryMode {
    match mode {
        1 | 79 => EntryMode::Manual,      // 79: typed, because the chip failed
        2 | 80 | 90 => EntryMode::Stripe, // 80: read, because the chip failed
        5 | 95 => EntryMode::Chip,        // 95: the track's CVV may be unreliable
        7 => EntryMode::Contactless,
        91 => EntryMode::ContactlessStripe,
        10 | 81 => EntryMode::Ecommerce,
        _ => EntryMode::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_say_where_and_how() {
        use Channel::{Atm, Ecommerce, Pos};
        let rows = [
            (5411, false, 5, 0, Pos, EntryMode::Chip),
            (5411, false, 7, 0, Pos, EntryMode::Contactless),
            (5411, false, 91, 0, Pos, EntryMode::ContactlessStripe),
            (5411, false, 90, 0, Pos, EntryMode::Stripe),
            (5411, false, 1, 0, Pos, EntryMode::Manual),
            (5411, false, 1, 8, Ecommerce, EntryMode::Manual),
            (5411, false, 1, 59, Ecommerce, EntryMode::Manual),
            (5411, false, 10, 59, Ecommerce, EntryMode::Ecommerce),
            (5411, false, 5, 59, Pos, EntryMode::Chip),
            (5999, false, 81, 0, Ecommerce, EntryMode::Ecommerce),
            (6011, false, 5, 0, Atm, EntryMode::Chip),
            (6010, false, 2, 0, Atm, EntryMode::Stripe),
            (0, true, 5, 0, Atm, EntryMode::Chip),
            (0, false, 0, 0, Pos, EntryMode::Unknown),
            (0, false, 99, 0, Pos, EntryMode::Unknown),
        ];
        for (category, cash, mode, condition, expected, expected_entry) in rows {
            let row = (category, cash, mode, condition);
            assert_eq!(channel(category, cash, mode, condition), expected, "{row:?}");
            assert_eq!(entry(mode), expected_entry, "{row:?}");
        }
    }
}
