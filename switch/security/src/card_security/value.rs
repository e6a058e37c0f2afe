//! Card values in commands: which there are, and what each is computed from. It owns their words;
//! a value is wiped when dropped, cannot be printed, and is compared in constant time.

use subtle::ConstantTimeEq;
use switch_domain::{Expiry, ExpiryOrder, Pan, ServiceCode};
use zeroize::Zeroize;

use super::KeyHandle;
use crate::emv::CardKeyOption;

/// Whether a claimed card value is that of the card.
#[derive(Clone, Copy)]
pub struct VerifyCardValue<'a> {
    /// The key: `C0` for static values, an issuer master key (`E4`) for dynamic ones.
    pub key: KeyHandle,
    /// The card.
    pub pan: &'a Pan,
    /// Its expiry, as the value was made with.
    pub expiry: Expiry,
    /// Which value, with what it takes beside card and expiry.
    pub kind: CardValueKind<'a>,
    /// What came.
    pub claimed: &'a CardValue,
}

/// The card value that a card is to have.
#[derive(Clone, Copy)]
pub struct GenerateCardValue<'a> {
    /// The key: `C0` for static values, an issuer master key (`E4`) for dynamic ones.
    pub key: KeyHandle,
    /// The card.
    pub pan: &'a Pan,
    /// Its expiry.
    pub expiry: Expiry,
    /// Which value, with what it takes beside card and expiry.
    pub kind: CardValueKind<'a>,
}

/// Which card value, with all that goes into it beside card number and expiry.
#[derive(Clone, Copy)]
pub enum CardValueKind<'a> {
    /// CVV or CVC1, of the magnetic stripe.
    Cvv {
        /// The service code of the stripe.
        service_code: ServiceCode,
    },
    /// iCVV or chip CVC, of the track-2 data in a chip: service code 999.
    Icvv,
    /// CVV2 or CVC2, printed on the card: service code 000.
    Cvv2 {
        /// How this programme writes the expiry.
        order: ExpiryOrder,
    },
    /// dCVV: of a contactless stripe, other for every transaction.
    Dcvv {
        /// The service code of the track.
        service_code: ServiceCode,
        /// The PAN sequence number, 0 to 99.
        sequence: u8,
        /// How the card's key follows from the master key.
        card_key: CardKeyOption,
        /// The counter of the card. Only its decimal digits have a meaning in this algorithm: with
        /// a letter among its four hexadecimal ones the command is malformed.
        atc: u16,
    },
    /// CVC3: of a contactless stripe, other for every transaction. The expiry has no part in it.
    Cvc3 {
        /// The PAN sequence number, 0 to 99.
        sequence: u8,
        /// How the card's key follows from the master key.
        card_key: CardKeyOption,
        /// Where the value over the static part of the track comes from.
        track: Cvc3Track<'a>,
        /// The reader's unpredictable number.
        unpredictable_number: u32,
        /// The counter of the card.
        atc: u16,
    },
}

/// The static part of a track that CVC3 is bound to.
#[derive(Clone, Copy)]
pub enum Cvc3Track<'a> {
    /// The track's template as bytes, variable places as zeros: a code is made over it.
    Template(&'a [u8]),
    /// That code itself (IVCVC3), where it is on file.
    Vector([u8; 2]),
}

/// A card value: up to five digits, wiped on drop. It cannot be printed or copied unseen:
///
/// ```compile_fail
/// fn print<T: std::fmt::Debug>() {}
/// print::<switch_security::CardValue>();
/// ```
///
/// ```compile_fail
/// fn compare<T: PartialEq>() {}
/// compare::<switch_security::CardValue>();
/// ```
pub struct CardValue {
    digits: [u8; Self::MAX_DIGITS],
    length: u8,
}

impl CardValue {
    /// The most digits: a whole CVC3.
    pub const MAX_DIGITS: usize = 5;

    /// From ASCII digits, one to five; `None` of anything else.
    #[must_use]
    pub fn from_digits(ascii: &[u8]) -> Option<Self> {
        let fits = (1..=Self::MAX_DIGITS).contains(&ascii.len());
        if !fits || !ascii.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut digits = [0; Self::MAX_DIGITS];
        for (slot, digit) in digits.iter_mut().zip(ascii) {
            *slot = *digit;
        }
        Some(Self { digits, length: u8::try_from(ascii.len()).ok()? })
    }

    /// The ASCII digits, for what brings them to the card or its holder and for a module's wire.
    #[must_use]
    pub fn digits_for_card(&self) -> &[u8] {
        self.digits.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// Whether both have the same digits and as many. Takes the same time whatever they are.
    #[must_use]
    pub fn matches(&self, claimed: &Self) -> bool {
        self.digits_for_card().len() == claimed.digits_for_card().len()
            && bool::from(self.digits.ct_eq(&claimed.digits))
    }
}

impl Drop for CardValue {
    fn drop(&mut self) {
        self.digits.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_compared_whole() {
        let value = |digits: &[u8]| CardValue::from_digits(digits).expect("digits");
        assert!(value(b"123").matches(&value(b"123")));
        for other in [&b"124"[..], b"12", b"1230", b"023"] {
            assert!(!value(b"123").matches(&value(other)));
        }
        for wrong in [&b""[..], b"123456", b"12A", b"12 "] {
            assert!(CardValue::from_digits(wrong).is_none());
        }
    }
}
