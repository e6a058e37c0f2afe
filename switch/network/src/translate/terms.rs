//! On which terms a terminal asks: whether it can go on with a part of the amount, where the
//! dialect says how it tells, and the fee of its acquirer (28 of 1987, 46 of the later editions).
//! It owns the reading of a fee; what a fee does to money is the engine's affair.

use codecs::iso8583::{FeeForm, Message, ValueError, Version};
use switch_domain::{Currency, MinorUnits};
use switch_shard::Terms;

use super::FieldFault;
use super::digits::value;

/// Digits of a fee's amount, behind its sign.
const DIGITS: usize = 8;
const FEES: u8 = 46;

/// Reads them. A fee that cannot be read is a format error: somebody would pay another one.
pub(super) fn terms(message: &Message<'_>, currency: Currency) -> Result<Terms, FieldFault> {
    let takes_part = message.takes_part();
    let Some(form) = message.dialect().fee_form() else {
        return Ok(Terms { takes_part, ..Terms::default() });
    };
    let fee = fee(message, form, currency)?;
    Ok(Terms { takes_part, fee, fee_within: form.within })
}

fn fee(message: &Message<'_>, form: FeeForm, currency: Currency) -> Result<MinorUnits, FieldFault> {
    let wanted = "C or D and an amount in the currency of the transaction";
    let wrong = FieldFault::Invalid { field: form.field, wanted };
    match message.text(form.field) {
        Ok(text) if form.field == FEES => {
            let version = message.dialect().version();
            of_sets(text.as_bytes(), version, form.kind, currency).ok_or(wrong)
        }
        Ok(text) => signed(text.as_bytes()).ok_or(wrong),
        Err(ValueError::Absent(_)) => Ok(MinorUnits::ZERO),
        Err(_) => Err(wrong),
    }
}

/// `D00000150`: a debit is from the cardholder, a credit is to the cardholder.
fn signed(text: &[u8]) -> Option<MinorUnits> {
    let (sign, digits) = text.split_first()?;
    let minor = i64::try_from(value(digits)?).ok()?;
    match sign {
        b'D' => Some(MinorUnits(minor)),
        b'C' => Some(MinorUnits(minor.checked_neg()?)),
        _ => None,
    }
}

/// The sum of the fees of one type; fees of others are between institutions. One in another
/// currency is refused: what it is in this one nobody has said.
fn of_sets(text: &[u8], version: Version, kind: [u8; 2], currency: Currency) -> Option<MinorUnits> {
    let exponents = usize::from(version == Version::V2003);
    if !text.len().is_multiple_of(version.fee_set()) {
        return None;
    }
    let mut sum = MinorUnits::ZERO;
    for set in text.chunks_exact(version.fee_set()) {
        let (of_kind, rest) = set.split_at_checked(kind.len())?;
        let (code, rest) = rest.split_at_checked(3)?;
        let (exponent, rest) = rest.split_at_checked(exponents)?;
        let amount = signed(rest.get(..=DIGITS)?)?;
        if of_kind != kind {
            continue;
        }
        let scaled = exponents == 0 || value(exponent)? == u64::from(currency.exponent());
        if value(code)? != u64::from(currency.numeric()) || !scaled {
            return None;
        }
        sum = sum.checked_add(amount)?;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debit_is_charged_and_a_credit_is_given() {
        let rows = [
            ("D00000150", Some(150)),
            ("C00000150", Some(-150)),
            ("D00000000", Some(0)),
            ("D99999999", Some(99_999_999)),
            ("X00000150", None),
            ("D0000015X", None),
            ("D", None),
            ("", None),
        ];
        for (text, expected) in rows {
            assert_eq!(signed(text.as_bytes()).map(|fee| fee.0), expected, "{text}");
        }
    }

    #[test]
    fn fees_of_the_transaction_are_added_up() {
        let euro = Currency::from_numeric(978).expect("euro");
        let set = |kind: &str, currency: &str, amount: &str| {
            format!("{kind}{currency}{amount}00000000D00000000978")
        };
        let with_exponents = |kind: &str, currency: &str, amount: &str| {
            format!("{kind}{currency}{amount}000000009782D00000000")
        };
        let rows = [
            (Version::V1993, set("00", "978", "D00000150"), Some(150)),
            (Version::V1993, set("00", "978", "C00000150"), Some(-150)),
            (Version::V1993, set("01", "978", "D00000150"), Some(0)),
            (
                Version::V1993,
                set("00", "978", "D00000150") + &set("00", "978", "D00000030"),
                Some(180),
            ),
            (
                Version::V1993,
                set("01", "840", "D00000150") + &set("00", "978", "D00000030"),
                Some(30),
            ),
            (Version::V1993, set("00", "840", "D00000150"), None),
            (Version::V1993, set("00", "978", "00000150D"), None),
            (Version::V1993, set("00", "978", "D00000150").split_off(1), None),
            (Version::V1993, String::new(), Some(0)),
            (Version::V2003, with_exponents("00", "9782", "D00000150"), Some(150)),
            (Version::V2003, with_exponents("00", "9783", "D00000150"), None),
            (Version::V2003, with_exponents("00", "8402", "D00000150"), None),
            (Version::V2003, with_exponents("07", "8402", "D00000150"), Some(0)),
        ];
        for (version, text, expected) in rows {
            let read = of_sets(text.as_bytes(), version, *b"00", euro).map(|fee| fee.0);
            assert_eq!(read, expected, "{version:?} {text}");
        }
    }
}
