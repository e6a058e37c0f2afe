//! The amount that is asked for, and its currency: DE4 in minor units of DE49, or both in DE4 where
//! the edition is that of 2003; and of the later editions DE30, what it was before. It owns their
//! reading; whether an amount may be spent, zero
//! included, is the engine's affair.

use codecs::iso8583::{Message, ValueError, Version};
use switch_domain::{Amount, Currency, MinorUnits};

use super::FieldFault;
use super::digits::value;
use super::fault::number;

const AMOUNT: u8 = 4;
const CURRENCY: u8 = 49;

const ORIGINAL: u8 = 30;

/// DE4 of 2003: currency 3, exponent 1, amount 12. DE30 has two of these, in 1993 two amounts.
const WHOLE: usize = 16;
/// Digits of an amount.
const DIGITS: usize = 12;

/// Reads amount and currency; both must be there.
pub(super) fn amount(message: &Message<'_>) -> Result<Amount, FieldFault> {
    match message.dialect().version() {
        Version::V1987 | Version::V1993 => in_two_fields(message),
        Version::V2003 => whole(message, AMOUNT),
    }
}

/// The first amount of DE30, where the message has it.
pub(super) fn original_amount(message: &Message<'_>) -> Result<Option<MinorUnits>, FieldFault> {
    let wrong = FieldFault::Invalid { field: ORIGINAL, wanted: "original amounts" };
    let mut room = [0; 2 * WHOLE];
    let digits = match message.digits(ORIGINAL, &mut room) {
        Ok(digits) => digits,
        Err(ValueError::Absent(_)) => return Ok(None),
        Err(_) => return Err(wrong),
    };
    let minor = match message.dialect().version() {
        Version::V1987 | Version::V1993 => {
            let minor = digits.get(..DIGITS).and_then(value);
            minor.and_then(|minor| i64::try_from(minor).ok()).map(MinorUnits)
        }
        Version::V2003 => digits.get(..WHOLE).and_then(parse).map(|amount| amount.minor),
    };
    minor.map(Some).ok_or(wrong)
}

fn in_two_fields(message: &Message<'_>) -> Result<Amount, FieldFault> {
    let wanted = "an amount of up to 12 digits";
    let minor = number(message, AMOUNT, wanted)?;
    let minor = i64::try_from(minor);
    let minor = minor.map_err(|_| FieldFault::Invalid { field: AMOUNT, wanted })?;

    let wanted = "a numeric currency code of ISO 4217";
    let code = number(message, CURRENCY, wanted)?;
    let currency = currency(code).ok_or(FieldFault::Invalid { field: CURRENCY, wanted })?;
    Ok(Amount { minor: MinorUnits(minor), currency })
}

/// An amount that has its currency with it.
pub(super) fn whole(message: &Message<'_>, field: u8) -> Result<Amount, FieldFault> {
    let wanted = "a currency of ISO 4217, its exponent and an amount";
    let wrong = FieldFault::Invalid { field, wanted };
    let mut room = [0; WHOLE];
    let digits = match message.digits(field, &mut room) {
        Ok(digits) => digits,
        Err(ValueError::Absent(_)) => return Err(FieldFault::Absent(field)),
        Err(_) => return Err(wrong),
    };
    parse(digits).ok_or(wrong)
}

/// An exponent that is not the currency's own is refused: what is scaled on the way can be scaled
/// twice.
fn parse(digits: &[u8]) -> Option<Amount> {
    let (code, rest) = digits.split_at_checked(3)?;
    let (exponent, minor) = rest.split_at_checked(1)?;
    let currency = currency(value(code)?)?;
    if value(exponent)? != u64::from(currency.exponent()) {
        return None;
    }
    let minor = i64::try_from(value(minor)?).ok()?;
    Some(Amount { minor: MinorUnits(minor), currency })
}

pub(super) fn currency(code: u64) -> Option<Currency> {
    u16::try_from(code).ok().and_then(|code| Currency::from_numeric(code).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_that_has_its_currency_with_it_is_read() {
        let rows = [
            ("978", "2", "000000001250", Some((978, 1250))),
            ("392", "0", "000000001250", Some((392, 1250))),
            ("414", "3", "000000001250", Some((414, 1250))),
            ("392", "2", "000000001250", None), // yen have no minor unit
            ("978", "0", "000000001250", None),
            ("000", "2", "000000001250", None),
            ("978", "2", "00000000125", Some((978, 125))),
            ("978", "2", "", None),
        ];
        for (currency, exponent, minor, expected) in rows {
            let digits = [currency, exponent, minor].concat();
            let read = parse(digits.as_bytes());
            let read = read.map(|amount| (amount.currency.numeric(), amount.minor.0));
            assert_eq!(read, expected, "{digits}");
        }
    }
}
