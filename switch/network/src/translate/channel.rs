//! Where and how a purchase is made: DE18 or DE26 for the kind of merchant, DE22 and, in 1987, DE25
//! for the rest. It owns the tables of their codes, one for each form of DE22; a code that is not
//! in them is no fault, it says nothing.

use codecs::iso8583::{EntryForm, Message, Version};
use switch_domain::{Channel, EntryMode};

use super::FieldFault;
use super::digits::value;
use super::fault::optional_number;

const CATEGORY_1987: u8 = 18;
const CATEGORY: u8 = 26;
const ENTRY_MODE: u8 = 22;
const CONDITION_1987: u8 = 25;

/// MCC 6010 and 6011: cash at a counter of a bank, cash from a machine.
const CASH_CATEGORIES: [u16; 2] = [6010, 6011];
/// DE25 of 1987: mail or telephone order, customer's own terminal, electronic commerce.
const REMOTE_CONDITIONS: [u64; 3] = [8, 15, 59];

/// The merchant's category and what follows from it and the entry.
pub(super) struct Place {
    pub(super) category: u16,
    pub(super) channel: Channel,
    pub(super) entry: EntryMode,
}

/// How the card was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    mode: EntryMode,
    /// The cardholder was not there.
    remote: bool,
}

/// Reads the place; `cash` says that the processing code asks for cash.
pub(super) fn place(message: &Message<'_>, cash: bool) -> Result<Place, FieldFault> {
    let dialect = message.dialect();
    let wanted = "a merchant category code of ISO 18245";
    let first = dialect.version() == Version::V1987;
    let field = if first { CATEGORY_1987 } else { CATEGORY };
    let category = optional_number(message, field, wanted)?.unwrap_or(0);
    let category = u16::try_from(category).map_err(|_| FieldFault::Invalid { field, wanted })?;
    let entry = match dialect.entry_form() {
        EntryForm::Digits => {
            let condition = if first {
                optional_number(message, CONDITION_1987, "a condition code")?
            } else {
                None
            };
            by_digits(mode(message), condition.unwrap_or(0))
        }
        EntryForm::Positions => {
            message.text(ENTRY_MODE).map_or(Entry::UNKNOWN, |text| by_positions(text.as_bytes()))
        }
        EntryForm::Bits => message.bytes(ENTRY_MODE, &mut [0; 16]).map_or(Entry::UNKNOWN, by_bits),
    };
    let channel = if cash || CASH_CATEGORIES.contains(&category) {
        Channel::Atm
    } else if entry.remote {
        Channel::Ecommerce
    } else {
        Channel::Pos
    };
    Ok(Place { category, channel, entry: entry.mode })
}

/// Whether the message says that the stripe was read where the chip should have been (E-07): of
/// 1987 that the chip failed (80), or that the whole stripe was read (90), which on a chip card is
/// the same; of the later editions that the terminal can read chips, and read the stripe.
pub(crate) fn is_fallback(message: &Message<'_>) -> bool {
    let text = || message.text(ENTRY_MODE).ok();
    match message.dialect().entry_form() {
        EntryForm::Digits => matches!(mode(message), 80 | 90),
        EntryForm::Positions => text().is_some_and(|text| fell_back(text.as_bytes())),
        // What the terminal can do stands in a field of its own (27), in no form that is agreed.
        EntryForm::Bits => false,
    }
}

/// The first position is what the terminal can read, the seventh what it did.
fn fell_back(code: &[u8]) -> bool {
    let [can, _, _, _, _, _, input, ..] = code else { return false };
    matches!(can, b'5' | b'C' | b'D' | b'E') && matches!(input, b'2' | b'B')
}

/// Two digits of how the number came in; what follows tells of the PIN pad.
fn mode(message: &Message<'_>) -> u64 {
    let text = message.text(ENTRY_MODE).ok();
    text.and_then(|text| value(text.as_bytes().get(..2)?)).unwrap_or(0)
}

impl Entry {
    const UNKNOWN: Self = Self { mode: EntryMode::Unknown, remote: false };
}

/// ISO 8583:1987, DE22 and DE25, with the values that networks have added.
fn by_digits(mode: u64, condition: u64) -> Entry {
    // Typed, or stored at the merchant: remote only if the condition says so as well.
    let without_card = matches!(mode, 1 | 10);
    let remote = mode == 81 || (without_card && REMOTE_CONDITIONS.contains(&condition));
    let mode = match mode {
        1 | 79 => EntryMode::Manual,      // 79: typed, because the chip failed
        2 | 80 | 90 => EntryMode::Stripe, // 80: read, because the chip failed
        5 | 95 => EntryMode::Chip,        // 95: the track's CVV may be unreliable
        7 => EntryMode::Contactless,
        91 => EntryMode::ContactlessStripe,
        10 | 81 => EntryMode::Ecommerce,
        _ => EntryMode::Unknown,
    };
    Entry { mode, remote }
}

/// ISO 8583:1993, DE22: the fifth position is whether the cardholder was there, the seventh how the
/// card was read. Letters are what networks have added for contactless and electronic commerce.
fn by_positions(code: &[u8]) -> Entry {
    let [_, _, _, _, cardholder, _, input, ..] = code else { return Entry::UNKNOWN };
    let mode = match input {
        b'1' | b'6' => EntryMode::Manual,
        b'2' | b'B' => EntryMode::Stripe,
        b'5' | b'C' => EntryMode::Chip,
        b'M' => EntryMode::Contactless,
        b'A' => EntryMode::ContactlessStripe,
        b'S' | b'T' => EntryMode::Ecommerce,
        _ => EntryMode::Unknown,
    };
    // Mail, telephone, electronic order.
    let remote = matches!(cardholder, b'2' | b'3' | b'5') || mode == EntryMode::Ecommerce;
    Entry { mode, remote }
}

/// Sixteen bytes, four for each of: how the card was read, how the cardholder was verified, where,
/// how it was secured. The lowest byte of each four stands first.
fn by_bits(code: &[u8]) -> Entry {
    const CONTACTLESS: u8 = 1 << 1;
    const TYPED: u8 = 1 << 2;
    const STRIPE: u8 = 1 << 4;
    const CHIP: u8 = 1 << 5;
    /// Mail or telephone, electronic and mobile commerce.
    const REMOTE: u8 = 1 << 3 | 1 << 4 | 1 << 5;
    let [reading, _, _, _, _, _, _, _, place, ..] = *code else { return Entry::UNKNOWN };
    let has = |bit| reading & bit != 0;
    let remote = place & REMOTE != 0;
    let mode = if has(CONTACTLESS) && has(STRIPE) {
        EntryMode::ContactlessStripe
    } else if has(CONTACTLESS) {
        EntryMode::Contactless
    } else if has(CHIP) {
        EntryMode::Chip
    } else if has(STRIPE) {
        EntryMode::Stripe
    } else if has(TYPED) {
        EntryMode::Manual
    } else if remote {
        EntryMode::Ecommerce
    } else {
        EntryMode::Unknown
    };
    Entry { mode, remote }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_say_where_and_how() {
        let rows = [
            (5, 0, EntryMode::Chip, false),
            (7, 0, EntryMode::Contactless, false),
            (91, 0, EntryMode::ContactlessStripe, false),
            (90, 0, EntryMode::Stripe, false),
            (1, 0, EntryMode::Manual, false),
            (1, 8, EntryMode::Manual, true),
            (1, 59, EntryMode::Manual, true),
            (10, 59, EntryMode::Ecommerce, true),
            (5, 59, EntryMode::Chip, false),
            (81, 0, EntryMode::Ecommerce, true),
            (2, 0, EntryMode::Stripe, false),
            (0, 0, EntryMode::Unknown, false),
            (99, 0, EntryMode::Unknown, false),
        ];
        for (code, condition, mode, remote) in rows {
            assert_eq!(by_digits(code, condition), Entry { mode, remote }, "{code} {condition}");
        }
    }

    #[test]
    fn positions_say_how_and_whether_the_cardholder_was_there() {
        let rows = [
            ("510101513344", EntryMode::Chip, false),
            ("210101213344", EntryMode::Stripe, false),
            ("A10101A13344", EntryMode::ContactlessStripe, false),
            ("M10101M13344", EntryMode::Contactless, false),
            ("100020600044", EntryMode::Manual, true),
            ("100030600044", EntryMode::Manual, true),
            ("100050S00044", EntryMode::Ecommerce, true),
            ("100100600044", EntryMode::Manual, false),
            ("000000000000", EntryMode::Unknown, false),
            ("51010", EntryMode::Unknown, false),
        ];
        for (code, mode, remote) in rows {
            assert_eq!(by_positions(code.as_bytes()), Entry { mode, remote }, "{code}");
        }
    }

    #[test]
    fn a_stripe_read_by_a_terminal_for_chips_is_a_fallback() {
        for (code, fallback) in [
            ("510101213344", true),
            ("C10101B13344", true),
            ("210101213344", false),
            ("510101513344", false),
            ("51010", false),
        ] {
            assert_eq!(fell_back(code.as_bytes()), fallback, "{code}");
        }
    }

    #[test]
    fn bits_say_the_same() {
        let code = |reading: u8, place: u8| {
            let mut code = [0; 16];
            (code[0], code[8]) = (reading, place);
            code
        };
        let rows = [
            (code(1 << 5, 2), EntryMode::Chip, false),
            (code(1 << 1, 2), EntryMode::Contactless, false),
            (code(1 << 1 | 1 << 4, 2), EntryMode::ContactlessStripe, false),
            (code(1 << 4, 2), EntryMode::Stripe, false),
            (code(1 << 2, 1 << 3), EntryMode::Manual, true),
            (code(1, 1 << 4), EntryMode::Ecommerce, true),
            (code(1, 1), EntryMode::Unknown, false),
        ];
        for (code, mode, remote) in rows {
            assert_eq!(by_bits(&code), Entry { mode, remote }, "{code:?}");
        }
        assert_eq!(by_bits(&[0xFF; 8]), Entry::UNKNOWN);
    }
}
