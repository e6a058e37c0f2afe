//! A card number as people may see it: the issuer's digits and the last four (PCI DSS 3.4.1). It
//! owns how much stays hidden; whoever wants all of a number goes through [`crate::exit`].

use std::fmt;

use switch_domain::Pan;

/// Digits at the end that are shown.
const LAST: usize = 4;
/// Digits that stay hidden, however short the number is.
const HIDDEN: usize = 4;

/// A card number with its middle hidden.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MaskedPan {
    ascii: [u8; Pan::MAX_DIGITS],
    length: usize,
}

impl MaskedPan {
    /// Shows the first `bin_digits`, 8 at most, and the last four. Of a short number fewer of the
    /// first: four digits stay hidden.
    #[must_use]
    pub fn of(pan: &Pan, bin_digits: u8) -> Self {
        let digits = pan.digits_for_security();
        let length = digits.len();
        let most = length.saturating_sub(LAST.saturating_add(HIDDEN));
        let first = usize::from(bin_digits.min(8)).min(most);
        let last = length.saturating_sub(LAST);
        let mut ascii = [b'*'; Pan::MAX_DIGITS];
        for (place, (slot, digit)) in ascii.iter_mut().zip(digits).enumerate() {
            if place < first || place >= last {
                *slot = *digit;
            }
        }
        Self { ascii, length }
    }
}

impl fmt::Display for MaskedPan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.ascii.get(..self.length).unwrap_or_default();
        f.write_str(std::str::from_utf8(text).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{CARD_NUMBERS, check_groups};
    use crate::{PanKeys, PanVault};

    /// The keyed hash that the vault finds a card by, in hexadecimal.
    fn fingerprint(key: &[u8], pan: &Pan) -> String {
        let mut keys = PanKeys::generate().expect("keys");
        keys.fingerprint.copy_from_slice(key);
        hex::encode_upper(PanVault::new(&keys).expect("a vault").fingerprint(pan).0)
    }

    #[test]
    fn every_vector_of_card_numbers_is_met() {
        check_groups(&CARD_NUMBERS, |group, vector| {
            let text = vector.text("pan");
            let pan = Pan::from_digits(text.as_bytes()).expect("a card number");
            let id = vector.id();
            match group {
                "luhn" => assert_eq!(pan.passes_luhn(), *vector.output("valid"), "{id}"),
                "pan_mask" => {
                    let masked = MaskedPan::of(&pan, vector.number("bin_length"));
                    assert_eq!(masked.to_string(), vector.expected("masked"), "{id}");
                }
                "pan_hmac_sha256" => {
                    // As many bytes as the index of the vault has.
                    let hash = fingerprint(&vector.bytes("key"), &pan);
                    assert_eq!(hash, vector.expected("hash")[..32], "{id}");
                }
                other => panic!("nobody checks {other}"),
            }
        });
    }
}
