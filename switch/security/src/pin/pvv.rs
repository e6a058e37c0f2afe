//! Visa's PIN verification value. It owns what it is computed over; of a longer PIN it is the first
//! four digits, by its definition.

use subtle::ConstantTimeEq;
use switch_domain::Pan;
use zeroize::Zeroizing;

use super::{ClearPin, ReadPin};
use crate::SecurityError;
use crate::decimal::{decimalise, packed};
use crate::des_pair::DesPair;

/// Digits of a card number that go into it: those before the check digit.
const PAN_DIGITS: usize = 11;
/// Digits of the PIN that go into it, and of the value.
const DIGITS: usize = 4;

const NO_INDEX: SecurityError = SecurityError::Malformed("the index of the PIN key is 0 to 9");

/// The value of a PIN, in ASCII.
pub(crate) fn generate_pvv(
    key: &DesPair,
    key_index: u8,
    pin: &ClearPin,
    pan: &Pan,
) -> Result<[u8; DIGITS], SecurityError> {
    if key_index > 9 {
        return Err(NO_INDEX);
    }
    let digits = pan.digits_for_security();
    let from = digits.len().saturating_sub(PAN_DIGITS.saturating_add(1));
    let of_pan = digits.get(from..).unwrap_or_default().iter().copied().take(PAN_DIGITS);
    let of_pin = pin.all_places().iter().copied().take(DIGITS);
    let all = of_pan.chain([key_index]).chain(of_pin);
    let block = Zeroizing::new(packed(all));
    Ok(decimalise(&key.encrypt(*block)))
}

/// Whether the value is that of the PIN in a good block. Takes as long for any block.
pub(crate) fn verify_pvv(
    key: &DesPair,
    (key_index, value): (u8, &[u8; DIGITS]),
    read: &ReadPin,
    pan: &Pan,
) -> Result<(), SecurityError> {
    let ours = Zeroizing::new(generate_pvv(key, key_index, &read.pin, pan)?);
    let same = read.good & ours.ct_eq(value);
    if same.into() { Ok(()) } else { Err(SecurityError::Incorrect) }
}
