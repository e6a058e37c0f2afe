//! The natural PIN of IBM 3624, and the offset that makes another PIN of it. It owns what they are
//! computed from; an offset is as long as its PIN.

use subtle::{Choice, ConstantTimeEq, ConstantTimeGreater};
use switch_domain::Pan;
use zeroize::Zeroizing;

use super::clear::{FEWEST, MOST};
use super::{ClearPin, ReadPin};
use crate::decimal::packed;
use crate::des_pair::{Block, DesPair};
use crate::{Ibm3624, PanPart, SecurityError};

/// Digits of the validation data.
const VALIDATION_DIGITS: usize = 16;

const NO_VALIDATION: SecurityError =
    SecurityError::Malformed("the card number has not the digits that the validation data takes");
const NO_PAD: SecurityError = SecurityError::Malformed("the pad is no hexadecimal digit");
const NO_OFFSET: SecurityError = SecurityError::Malformed("an offset has 4 to 12 digits");

/// The offset that belongs to a PIN: in ASCII as many digits as the PIN has, and zero bytes.
pub(crate) fn generate_offset(
    key: &DesPair,
    rules: &Ibm3624,
    pin: &ClearPin,
    pan: &Pan,
) -> Result<[u8; MOST], SecurityError> {
    let natural = natural_pin(key, rules, pan)?;
    let mut offset = [0; MOST];
    for ((slot, digit), natural) in offset.iter_mut().zip(pin.digits()).zip(*natural) {
        *slot = b'0' | difference(*digit, natural);
    }
    Ok(offset)
}

/// Whether the offset is that of the PIN in a good block. Takes as long for any block.
pub(crate) fn verify_offset(
    key: &DesPair,
    rules: &Ibm3624,
    offset: &[u8],
    read: &ReadPin,
    pan: &Pan,
) -> Result<(), SecurityError> {
    let length = u8::try_from(offset.len()).or(Err(NO_OFFSET))?;
    let fits = (FEWEST..=MOST).contains(&offset.len());
    if !fits || !offset.iter().all(u8::is_ascii_digit) {
        return Err(NO_OFFSET);
    }
    let natural = natural_pin(key, rules, pan)?;
    let mut same = read.good & read.pin.length().ct_eq(&length);
    let entered = read.pin.all_places().iter().zip(*natural);
    for ((digit, natural), claimed) in entered.zip(offset) {
        same &= difference(*digit, natural).ct_eq(&(claimed & 0x0F));
    }
    if same.into() { Ok(()) } else { Err(SecurityError::Incorrect) }
}

/// The first twelve digits of the natural PIN, as numbers: a PIN takes as many as it has.
pub(super) fn natural_pin(
    key: &DesPair,
    rules: &Ibm3624,
    pan: &Pan,
) -> Result<Zeroizing<[u8; MOST]>, SecurityError> {
    let block = Zeroizing::new(key.encrypt(*validation_data(rules, pan)?));
    let nibbles = block.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
    let mut natural = Zeroizing::new([0; MOST]);
    for (slot, nibble) in natural.iter_mut().zip(nibbles) {
        *slot = decimal(rules, nibble);
    }
    Ok(natural)
}

/// What a hexadecimal digit stands for. The whole table is read, whichever it is.
fn decimal(rules: &Ibm3624, nibble: u8) -> u8 {
    let mut found = 0;
    for (place, digit) in (0u8..).zip(rules.table.digits()) {
        let here = place.ct_eq(&nibble).unwrap_u8();
        found |= digit & 0u8.wrapping_sub(here);
    }
    found
}

/// One digit less the other, without carrying.
fn difference(digit: u8, natural: u8) -> u8 {
    let raw = digit.wrapping_sub(natural);
    let below: Choice = natural.ct_gt(&digit);
    raw.wrapping_add(10 & 0u8.wrapping_sub(below.unwrap_u8()))
}

fn validation_data(rules: &Ibm3624, pan: &Pan) -> Result<Zeroizing<Block>, SecurityError> {
    let digits = pan.digits_for_security();
    let (skip, take) = match rules.validation {
        PanPart::FromLeft { skip, take } => (usize::from(skip), usize::from(take)),
        PanPart::BeforeCheckDigit { take } => {
            let behind = usize::from(take).saturating_add(1);
            (digits.len().checked_sub(behind).ok_or(NO_VALIDATION)?, usize::from(take))
        }
    };
    let part = digits.get(skip..).and_then(|rest| rest.get(..take)).ok_or(NO_VALIDATION)?;
    if !(1..=VALIDATION_DIGITS).contains(&take) {
        return Err(NO_VALIDATION);
    }
    if rules.pad > 0x0F {
        return Err(NO_PAD);
    }
    let padded = part.iter().copied().chain(std::iter::repeat(rules.pad));
    Ok(Zeroizing::new(packed(padded.take(VALIDATION_DIGITS))))
}
