//! PINs as a terminal sends them: in blocks of ISO 9564-1, encrypted under the zone key of its
//! acquirer. Must never be asked for a real cardholder's.

use super::cipher::{aes, over, triple};
use super::keys::TestKey;

/// Format 0 under triple DES: PIN and card number, one laid over the other.
#[must_use]
pub fn pin_block_0(zone: &TestKey, pan: &str, pin: &str) -> [u8; 8] {
    triple(&zone.0, over(array(&filled(0, pin, 'F', 16)), array(&format!("0000{}", bound(pan)))))
}

/// Format 4 under AES: the PIN with `chosen` behind it, and the card number laid over in between.
#[must_use]
pub fn pin_block_4(zone: &TestKey, pan: &str, pin: &str, chosen: [u8; 8]) -> [u8; 16] {
    let field = format!("{}{}", filled(4, pin, 'A', 16), hex::encode(chosen));
    let longer = pan.len().saturating_sub(12);
    let number = format!("{:0<32}", format!("{longer}{pan:0>12}"));
    aes(&zone.0, over(aes(&zone.0, array(&field)), array(&number)))
}

/// Control, number of digits, digits, filler.
fn filled(control: u8, pin: &str, filler: char, digits: usize) -> String {
    let mut field = format!("{control}{:X}{pin}", pin.len());
    while field.len() < digits {
        field.push(filler);
    }
    field
}

/// The last twelve digits of a card number without its check digit.
fn bound(pan: &str) -> String {
    let without = pan.get(..pan.len().saturating_sub(1)).unwrap_or_default();
    format!("{:0>12}", without.get(without.len().saturating_sub(12)..).unwrap_or_default())
}

/// Hexadecimal digits as bytes; zeros where they are none, as a broken terminal would send.
fn array<const N: usize>(digits: &str) -> [u8; N] {
    let mut bytes = [0; N];
    hex::decode_to_slice(digits, &mut bytes).map_or([0; N], |()| bytes)
}
