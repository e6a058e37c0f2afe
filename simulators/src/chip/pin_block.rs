//! PINs as a terminal sends them: in blocks of ISO 9564-1, encrypted under the zone key of its
//! acquirer. Must never be asked for a real cardholder's.

use super::cipher::{aes, over, triple, triple_inverse};
use super::keys::TestKey;

/// Format 0 under triple DES: PIN and card number, one laid over the other.
#[must_use]
pub fn pin_block_0(zone: &TestKey, pan: &str, pin: &str) -> [u8; 8] {
    triple(&zone.0, over(array(&filled(0, pin, 'F', 16)), array(&format!("0000{}", bound(pan)))))
}

/// The PIN of a block of format 0, for who prints it; `None` where it is no block of this card.
#[must_use]
pub fn pin_of_block_0(zone: &TestKey, pan: &str, block: [u8; 8]) -> Option<String> {
    let field = over(triple_inverse(&zone.0, block), array(&format!("0000{}", bound(pan))));
    let field = hex::encode(field);
    let length = usize::from_str_radix(field.strip_prefix('0')?.get(..1)?, 16).ok()?;
    let (pin, filler) = field.get(2..)?.split_at_checked(length)?;
    let digits = (4..=12).contains(&length) && pin.bytes().all(|byte| byte.is_ascii_digit());
    (digits && filler.bytes().all(|byte| byte == b'f')).then(|| pin.to_owned())
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

#[test]
fn a_block_of_format_0_gives_its_pin_back_for_its_card_alone() {
    let zone = TestKey([7; 16]);
    for pin in ["1234", "271828", "123456789012"] {
        let block = pin_block_0(&zone, "9999991200000010", pin);
        assert_eq!(pin_of_block_0(&zone, "9999991200000010", block).as_deref(), Some(pin));
        assert_ne!(pin_of_block_0(&zone, "9999991312345670", block).as_deref(), Some(pin));
    }
}
