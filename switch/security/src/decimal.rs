//! Decimal digits out of a block of ciphertext, as CVV and PVV take them, or of a hash, as card
//! keys of EMV do. It owns the two passes: one card in eighteen thousand has too few digits for a
//! CVV without the second.

/// The first `N` digits of a block or a hash, ASCII: those hexadecimal digits that are decimal, in
/// order, and behind them the letters A to F as 0 to 5.
pub(crate) fn decimalise<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let nibbles = || bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
    let decimal = nibbles().filter(|nibble| *nibble < 10);
    let letters = nibbles().filter_map(|nibble| nibble.checked_sub(10));
    let mut digits = [b'0'; N];
    for (slot, digit) in digits.iter_mut().zip(decimal.chain(letters)) {
        *slot |= digit;
    }
    digits
}

/// Digits packed two to a byte, and zeros behind them. Takes digits as numbers or ASCII.
pub(crate) fn packed<const N: usize>(digits: impl IntoIterator<Item = u8>) -> [u8; N] {
    let mut digits = digits.into_iter().map(|digit| digit & 0x0F);
    let mut bytes = [0; N];
    for slot in &mut bytes {
        *slot = digits.next().unwrap_or(0) << 4 | digits.next().unwrap_or(0);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_follow_where_digits_are_too_few() {
        let block = [0xAB, 0xC1, 0xDE, 0xF2, 0xFF, 0xFF, 0xFF, 0xFF];
        assert_eq!(&decimalise::<4>(&block), b"1201");
        assert_eq!(&decimalise::<16>(&block), b"1201234555555555");
        assert_eq!(&decimalise::<3>(&[0x12, 0x34, 0, 0, 0, 0, 0, 0]), b"123");
    }

    #[test]
    fn digits_are_packed_from_the_left() {
        assert_eq!(packed::<4>(*b"12345"), [0x12, 0x34, 0x50, 0]);
        assert_eq!(packed::<2>([1, 2, 3, 4, 5]), [0x12, 0x34]);
    }
}
