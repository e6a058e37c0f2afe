//! Card values: CVV of the stripe, iCVV of the chip's track, the printed CVV2. Must follow the
//! published rule, both passes over the digits included.

use super::cipher::{Block, halves, over, packed, single, triple};
use super::keys::TestKey;

/// Three digits from card number, expiry and service code, in the order of the track.
pub(super) fn card_value(key: &TestKey, pan: &str, expiry: &str, service_code: &str) -> String {
    let bytes = packed(&format!("{:0<32}", format!("{pan}{expiry}{service_code}")));
    let mut blocks = [Block::default(); 2];
    blocks.as_flattened_mut().iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = byte);
    let ([first, second], [left, _]) = (blocks, halves(&key.0));
    let made = triple(&key.0, over(single(&left, first), second));
    let nibbles = || made.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
    let decimal = nibbles().filter(|nibble| *nibble < 10);
    let letters = nibbles().filter(|nibble| *nibble >= 10).map(|nibble| nibble - 10);
    decimal.chain(letters).take(3).map(|digit| char::from(b'0' + digit)).collect()
}

/// Another value of as many digits.
pub(super) fn spoilt(digits: &str) -> String {
    let other = |digit: u8| if digit == b'9' { b'0' } else { digit + 1 };
    digits.bytes().map(|digit| char::from(other(digit))).collect()
}
