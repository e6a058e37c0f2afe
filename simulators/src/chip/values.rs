//! Card values: CVV of the stripe, iCVV of the chip's track, the printed CVV2, and what a PIN is
//! verified against. Must follow the published rules, both passes over the digits included.

use super::cipher::{Block, halves, over, packed, single, triple};
use super::keys::TestKey;

/// Three digits from card number, expiry and service code, in the order of the track.
pub(super) fn card_value(key: &TestKey, pan: &str, expiry: &str, service_code: &str) -> String {
    let bytes = packed(&format!("{:0<32}", format!("{pan}{expiry}{service_code}")));
    let mut blocks = [Block::default(); 2];
    blocks.as_flattened_mut().iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = byte);
    let ([first, second], [left, _]) = (blocks, halves(&key.0));
    let made = triple(&key.0, over(single(&left, first), second));
    decimal_first(made).take(3).collect()
}

/// The PIN verification value (PVV) of a PIN: eleven digits of the card number before its check
/// digit, the number of the key, and the first four digits of the PIN, encrypted.
#[must_use]
pub fn pin_verification_value(key: &TestKey, pan: &str, index: u8, pin: &str) -> String {
    let before_check = &pan[..pan.len().saturating_sub(1)];
    let account = &before_check[before_check.len().saturating_sub(11)..];
    let first = pin.get(..4).unwrap_or(pin);
    let mut block = Block::default();
    let bytes = packed(&format!("{account}{index}{first}"));
    block.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = byte);
    decimal_first(triple(&key.0, block)).take(4).collect()
}

/// The decimal digits of a block, and then its letters as 0 to 5.
fn decimal_first(block: Block) -> impl Iterator<Item = char> {
    let nibbles = move || block.into_iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
    let decimal = nibbles().filter(|nibble| *nibble < 10);
    let letters = nibbles().filter(|nibble| *nibble >= 10).map(|nibble| nibble - 10);
    decimal.chain(letters).map(|digit| char::from(b'0' + digit))
}

/// Another value of as many digits.
pub(super) fn spoilt(digits: &str) -> String {
    let other = |digit: u8| if digit == b'9' { b'0' } else { digit + 1 };
    digits.bytes().map(|digit| char::from(other(digit))).collect()
}
