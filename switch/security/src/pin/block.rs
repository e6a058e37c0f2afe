//! PIN blocks of ISO 9564-1 in clear, and the fields of format 4 before they are encrypted. It owns
//! every rule of a block: control field, length, digits, filler, card number. All of them are
//! judged for every block, without a branch, and only their conjunction leaves (C-25).

use subtle::{
    Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater, ConstantTimeLess,
};
use switch_domain::Pan;
use zeroize::Zeroizing;

use super::Fill;
use super::clear::{ClearPin, FEWEST, MOST, ReadPin};
use crate::PinBlockFormat;
use crate::decimal::packed;

/// A field of eight bytes, wiped on drop.
pub(super) type Field = Zeroizing<[u8; 8]>;

/// Digits of a card number that a block of 8 bytes is bound to: those before the check digit.
const BOUND_DIGITS: usize = 12;
/// Digits of the shortest card number, which format 4 counts from.
const SHORTEST_PAN: usize = 12;
/// Zeros before them.
const ZEROS: usize = 4;

/// What stands behind the digits of a PIN.
#[derive(Clone, Copy)]
enum Filler {
    /// This hexadecimal digit.
    Exactly(u8),
    /// A to F, by chance.
    Letters,
    /// Any, by chance.
    Any,
}

impl Filler {
    fn takes(self, nibble: u8) -> Choice {
        match self {
            Self::Exactly(wanted) => nibble.ct_eq(&wanted),
            Self::Letters => nibble.ct_gt(&9),
            Self::Any => Choice::from(1),
        }
    }
}

/// What is different between the formats.
struct Layout {
    filler: Filler,
    /// Whether the card number is laid over the field. In format 4 it is, between the two ciphers.
    over_pan: bool,
}

impl Layout {
    const fn of(format: PinBlockFormat) -> Self {
        let (filler, over_pan) = match format {
            PinBlockFormat::Iso0 => (Filler::Exactly(0x0F), true),
            PinBlockFormat::Iso1 => (Filler::Any, false),
            PinBlockFormat::Iso2 => (Filler::Exactly(0x0F), false),
            PinBlockFormat::Iso3 => (Filler::Letters, true),
            PinBlockFormat::Iso4 => (Filler::Exactly(0x0A), false),
        };
        Self { filler, over_pan }
    }
}

/// The PIN of a clear field: the whole block of formats 0 to 3, the first half of format 4's.
pub(super) fn decode(format: PinBlockFormat, field: &[u8; 8], pan: &Pan) -> ReadPin {
    let layout = Layout::of(format);
    let field = if layout.over_pan { over(field, &pan_field(pan)) } else { (*field).into() };
    let nibbles = Zeroizing::new(split(&field));
    let [control, length, rest @ ..] = &*nibbles;
    let fits = !length.ct_lt(&(FEWEST as u8)) & !length.ct_gt(&(MOST as u8));
    let length = u8::conditional_select(&(FEWEST as u8), length, fits);
    let mut good = control.ct_eq(&format.number()) & fits;
    let mut pin = ClearPin::blank(length);
    for (place, nibble) in (0u8..).zip(rest) {
        let in_pin = place.ct_lt(&length);
        let decimal = !nibble.ct_gt(&9);
        good &= Choice::conditional_select(&layout.filler.takes(*nibble), &decimal, in_pin);
        pin.put(place, u8::conditional_select(&0, nibble, in_pin & decimal));
    }
    ReadPin { pin, good }
}

/// The clear field of a PIN. Of `fill` as much is taken as the format leaves to chance.
pub(super) fn encode(format: PinBlockFormat, pin: &ClearPin, pan: &Pan, fill: &Fill) -> Field {
    let layout = Layout::of(format);
    let by_chance = fill.nibbles().iter().copied();
    let filler = by_chance.map(|nibble| match layout.filler {
        Filler::Exactly(wanted) => wanted,
        Filler::Letters | Filler::Any => nibble,
    });
    let digits = pin.digits().iter().copied();
    let field = packed([format.number(), pin.length()].into_iter().chain(digits).chain(filler));
    let field = Zeroizing::new(field);
    if layout.over_pan { over(&field, &pan_field(pan)) } else { field }
}

/// What formats 0 and 3 lay over the PIN: zeros, and the twelve digits before the check digit, or
/// as many as there are.
fn pan_field(pan: &Pan) -> Field {
    let digits = pan.digits_for_security();
    let mut places = Zeroizing::new([0u8; ZEROS + BOUND_DIGITS]);
    let before_check = digits.iter().rev().skip(1).take(BOUND_DIGITS);
    places.iter_mut().rev().zip(before_check).for_each(|(slot, digit)| *slot = *digit);
    Zeroizing::new(packed(places.iter().copied()))
}

/// What format 4 lays over the PIN between its two ciphers: how many digits the number has more
/// than twelve, all of them from the left, and zeros.
pub(super) fn pan_field_4(pan: &Pan) -> Zeroizing<[u8; 16]> {
    let digits = pan.digits_for_security();
    let more = digits.len().saturating_sub(SHORTEST_PAN);
    let more = u8::try_from(more).unwrap_or_default();
    Zeroizing::new(packed(std::iter::once(more).chain(digits.iter().copied())))
}

/// The one laid over the other (exclusive or).
pub(super) fn over<const N: usize>(one: &[u8; N], other: &[u8; N]) -> Zeroizing<[u8; N]> {
    let mut sum = Zeroizing::new(*one);
    sum.iter_mut().zip(other).for_each(|(slot, byte)| *slot ^= byte);
    sum
}

fn split(field: &[u8; 8]) -> [u8; 16] {
    let mut nibbles = [0; 16];
    let halves = field.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
    nibbles.iter_mut().zip(halves).for_each(|(slot, nibble)| *slot = nibble);
    nibbles
}
