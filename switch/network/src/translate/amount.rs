//! The amount that is asked for: DE4 in minor units of DE49. It owns their reading; whether an
//! amount may be spent, zero included, is the engine's affair.

use codecs::iso8583::Message;
use switch_domain::{Amount, Currency, MinorUnits};

use super::FieldFault;
use super::fault::number;

const AMOUNT: u8 = 4;
const CURRENCY: u8 = 49;

/// Reads amount and currency; both must be there.
pub(super) fn amount(message: &Message<'_>) -> Result<Amount, FieldFault> {
    let wanted = "an amount of up to 12 digits";
    let minor = number(message, AMOUNT, wanted)?;
    let minor = i64::try_from(minor);
    let minor = minor.map_err(|_| FieldFault::Invalid { field: AMOUNT, wanted })?;

    let wanted = "a numeric currency code of ISO 4217";
    let code = number(message, CURRENCY, wanted)?;
    let currency = u16::try_from(code).ok().and_then(|code| Currency::from_numeric(code).ok());
    let currency = currency.ok_or(FieldFault::Invalid { field: CURRENCY, wanted })?;
    Ok(Amount { minor: MinorUnits(minor), currency })
}
