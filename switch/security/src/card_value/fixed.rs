//! CVV, iCVV and CVV2 (CVC1, chip CVC and CVC2): one computation over card number, expiry and
//! service code. It owns the order of the digits; which of the three it is follows from the service
//! code alone.

use switch_domain::{Expiry, Pan};
use zeroize::Zeroizing;

use crate::decimal::{decimalise, packed};
use crate::des_pair::{Block, DesPair};
use crate::{CardValue, ExpiryOrder, SecurityError, ServiceCode};

/// Digits of every such value.
const DIGITS: usize = 3;
/// Digits of the two blocks that it is computed over.
const BLOCK_DIGITS: usize = 16;

/// Of a magnetic stripe.
pub(crate) fn cvv(
    key: &DesPair,
    pan: &Pan,
    expiry: Expiry,
    service_code: ServiceCode,
) -> Result<CardValue, SecurityError> {
    let digits = pan.digits_for_security().iter().copied();
    over_digits(key, digits, &year_month(expiry), service_code)
}

/// Of the track-2 data in a chip.
pub(crate) fn icvv(key: &DesPair, pan: &Pan, expiry: Expiry) -> Result<CardValue, SecurityError> {
    cvv(key, pan, expiry, ServiceCode::CHIP)
}

/// Printed on the card.
pub(crate) fn cvv2(
    key: &DesPair,
    pan: &Pan,
    expiry: Expiry,
    order: ExpiryOrder,
) -> Result<CardValue, SecurityError> {
    let [y, ear, m, onth] = year_month(expiry);
    let expiry = match order {
        ExpiryOrder::YearMonth => [y, ear, m, onth],
        ExpiryOrder::MonthYear => [m, onth, y, ear],
    };
    over_digits(key, pan.digits_for_security().iter().copied(), &expiry, ServiceCode::PRINTED)
}

/// The expiry as four digits, year first.
pub(super) fn year_month(expiry: Expiry) -> [u8; 4] {
    let number = expiry.yymm();
    let digit = |power: u16| {
        let digit = number.checked_div(power).unwrap_or_default() % 10;
        u8::try_from(digit).unwrap_or_default()
    };
    [digit(1000), digit(100), digit(10), digit(1)]
}

/// The three digits over up to 32: the first half encrypted with the left key, the second half laid
/// over it, and that encrypted with both.
pub(super) fn over_digits(
    key: &DesPair,
    pan: impl Iterator<Item = u8> + Clone,
    expiry: &[u8; 4],
    service_code: ServiceCode,
) -> Result<CardValue, SecurityError> {
    let behind = expiry.iter().copied().chain(service_code.digits());
    let digits = pan.chain(behind);
    let left: Zeroizing<Block> = Zeroizing::new(packed(digits.clone()));
    let right: Zeroizing<Block> = Zeroizing::new(packed(digits.skip(BLOCK_DIGITS)));
    let mut block = Zeroizing::new(key.encrypt_left(*left));
    block.iter_mut().zip(right.iter()).for_each(|(slot, byte)| *slot ^= byte);
    let value = Zeroizing::new(decimalise::<DIGITS>(&key.encrypt(*block)));
    CardValue::from_digits(&*value).ok_or(SecurityError::Malformed("three digits"))
}
