//! What a reversal says of its original: DE90, and DE95 for a part of it. It owns their forms
//! (ISO 8583:1987 clause 4.4); finding the original is the engine's affair.

use codecs::iso8583::{Message, Mti, ValueError};

use super::FieldFault;

const ORIGINAL: u8 = 90;
const REPLACEMENT: u8 = 95;

/// DE90: message type 4, trace number 6, transmission time 10, then two institutions of 11.
const ORIGINAL_DIGITS: usize = 42;

/// The original as DE90 names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Original {
    /// DE11 of the original; `None` where DE90 does not say.
    pub(super) stan: Option<u32>,
    /// DE7 of the original as MMDDhhmmss, 0 where DE90 does not say.
    pub(super) transmitted: u64,
}

/// Reads DE90. Absent or all zeros, it says nothing.
pub(super) fn original(message: &Message<'_>) -> Result<Original, FieldFault> {
    let wanted = "an authorization's message type, trace number and time";
    let wrong = FieldFault::Invalid { field: ORIGINAL, wanted };
    let mut room = [0; ORIGINAL_DIGITS];
    match message.digits(ORIGINAL, &mut room) {
        Ok(digits) => parse(digits).ok_or(wrong),
        Err(ValueError::Absent(_)) => Ok(Original::default()),
        Err(_) => Err(wrong),
    }
}

fn parse(digits: &[u8]) -> Option<Original> {
    let mti = std::str::from_utf8(digits.get(..4)?).ok().and_then(Mti::parse)?;
    let stan = value(digits.get(4..10)?)?;
    let transmitted = value(digits.get(10..20)?)?;
    // Zeros for the type mean "not said". Any other class was never approved here, and must not
    // find an authorization that happens to have the same trace number.
    if !matches!(mti.digits(), [0, 0, 0, 0]) && mti.class() != 1 {
        return None;
    }
    let stan = u32::try_from(stan).ok().filter(|stan| *stan != 0);
    Some(Original { stan, transmitted })
}

/// Whether DE95 leaves a part of the original standing: a replacement amount above zero.
pub(super) fn is_partial(message: &Message<'_>) -> Result<bool, FieldFault> {
    let wrong = FieldFault::Invalid { field: REPLACEMENT, wanted: "replacement amounts" };
    match message.text(REPLACEMENT) {
        // The first 12 are the amount, transaction.
        Ok(text) => {
            let amount = text.as_bytes().get(..12).and_then(value).ok_or(wrong)?;
            Ok(amount != 0)
        }
        Err(ValueError::Absent(_)) => Ok(false),
        Err(_) => Err(wrong),
    }
}

fn value(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |sum, digit| {
        let digit = digit.checked_sub(b'0').filter(|value| *value <= 9)?;
        sum.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn original_data_elements_are_read() {
        let institutions = "0000001234500000000000";
        let rows = [
            ("0100", "000042", "1123091500", Some((Some(42), 1_123_091_500))),
            ("0101", "000042", "0000000000", Some((Some(42), 0))),
            ("0000", "000000", "0000000000", Some((None, 0))),
            ("0000", "000042", "1123091500", Some((Some(42), 1_123_091_500))),
            ("0200", "000042", "1123091500", None),
            ("0400", "000042", "1123091500", None),
        ];
        for (mti, stan, time, expected) in rows {
            let text = format!("{mti}{stan}{time}{institutions}");
            let read = parse(text.as_bytes()).map(|read| (read.stan, read.transmitted));
            assert_eq!(read, expected, "{text}");
        }
    }
}
