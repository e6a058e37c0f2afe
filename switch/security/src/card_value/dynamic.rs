//! The card values of contactless stripes, other for every transaction: dCVV and CVC3. It owns how
//! each is computed with the card's own key.

use subtle::ConstantTimeEq;
use switch_domain::{Expiry, Pan};
use zeroize::Zeroizing;

use super::fixed::{over_digits, year_month};
use crate::des_pair::{BLOCK, Block, DesPair};
use crate::{CardValue, Cvc3Track, SecurityError, ServiceCode};

/// Bytes of the longest template of a track: 79 characters of track 1.
const MOST_TRACK: usize = 96;
/// Fewer digits of a CVC3 than these are guessed too easily to be worth comparing.
const FEWEST_CVC3: usize = 3;

const LETTER_IN_ATC: SecurityError =
    SecurityError::Malformed("a dCVV takes counters whose hexadecimal digits are decimal");
const NO_TRACK: SecurityError =
    SecurityError::Malformed("the template of a track has 1 to 96 bytes");
const TOO_SHORT: SecurityError = SecurityError::Malformed("a CVC3 is compared in 3 to 5 digits");

/// The CVV over the card number with the counter in the place of its first four digits.
pub(crate) fn dcvv(
    card_key: &DesPair,
    pan: &Pan,
    expiry: Expiry,
    service_code: ServiceCode,
    atc: u16,
) -> Result<CardValue, SecurityError> {
    let [high, low] = atc.to_be_bytes();
    let counter = [high >> 4, high & 0x0F, low >> 4, low & 0x0F];
    if counter.iter().any(|digit| *digit > 9) {
        return Err(LETTER_IN_ATC);
    }
    let rest = pan.digits_for_security().iter().copied().skip(counter.len());
    let digits = counter.into_iter().chain(rest);
    over_digits(card_key, digits, &year_month(expiry), service_code)
}

/// The whole CVC3, five digits.
pub(crate) fn cvc3(
    card_key: &DesPair,
    track: Cvc3Track<'_>,
    unpredictable_number: u32,
    atc: u16,
) -> Result<CardValue, SecurityError> {
    let vector = match track {
        Cvc3Track::Vector(vector) => vector,
        Cvc3Track::Template(track) => track_vector(card_key, track)?,
    };
    let mut block = Zeroizing::new(Block::default());
    let bytes = vector.into_iter().chain(unpredictable_number.to_be_bytes());
    let bytes = bytes.chain(atc.to_be_bytes());
    block.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = byte);
    let [.., high, low] = card_key.encrypt(*block);
    let number = u16::from_be_bytes([high, low]);
    let mut digits = Zeroizing::new([0; CardValue::MAX_DIGITS]);
    let mut rest = number;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' | u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
    }
    CardValue::from_digits(&*digits).ok_or(SecurityError::Malformed("five digits"))
}

/// Whether the last digits of a whole CVC3 are these: a track has room for three to five.
pub(crate) fn matches_cvc3(whole: &CardValue, claimed: &CardValue) -> Result<(), SecurityError> {
    let (ours, claimed) = (whole.digits_for_card(), claimed.digits_for_card());
    if claimed.len() < FEWEST_CVC3 {
        return Err(TOO_SHORT);
    }
    let from = ours.len().checked_sub(claimed.len()).ok_or(SecurityError::Incorrect)?;
    let same = ours.get(from..).unwrap_or_default().ct_eq(claimed);
    if same.into() { Ok(()) } else { Err(SecurityError::Incorrect) }
}

/// The last two bytes of the code over the static part of the track: retail MAC, padding method 2.
fn track_vector(card_key: &DesPair, track: &[u8]) -> Result<[u8; 2], SecurityError> {
    if !(1..=MOST_TRACK).contains(&track.len()) {
        return Err(NO_TRACK);
    }
    let mut state = Zeroizing::new(Block::default());
    let mut filled = 0usize;
    for byte in track.iter().copied().chain([0x80]) {
        if filled == BLOCK {
            *state = card_key.encrypt_left(*state);
            filled = 0;
        }
        if let Some(slot) = state.get_mut(filled) {
            *slot ^= byte;
        }
        filled = filled.saturating_add(1);
    }
    let [.., high, low] = card_key.encrypt(*state);
    Ok([high, low])
}
