//! What a reversal says of its original: DE90 of 1987, DE56 of the later editions, or where else
//! the dialect has it (ISO 8583:1987 clause 4.4); and whether only a part is reversed: DE95, or the
//! function code. It owns what they mean; finding the original is the engine's affair.

use codecs::iso8583::{Message, Mti, OriginalForm, ValueError, Version};

use super::FieldFault;
use super::digits::value;
use super::function_code::{Reversed, function_code, reversed};

const REPLACEMENT: u8 = 95;

/// Digits of the longest original.
const LONGEST: usize = 64;

/// The original as it is named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Original {
    /// DE11 of the original; `None` where nothing says it.
    pub(super) stan: Option<u64>,
    /// DE7 of the original as MMDDhhmmss, 0 where nothing says it.
    pub(super) transmitted: u64,
}

/// Reads it. Absent or all zeros, it says nothing.
pub(super) fn original(message: &Message<'_>) -> Result<Original, FieldFault> {
    let form = message.dialect().original_form();
    let wanted = "an authorization's message type, trace number and time";
    let wrong = FieldFault::Invalid { field: form.field, wanted };
    let mut room = [0; LONGEST];
    match message.digits(form.field, &mut room) {
        Ok(digits) => parse(form, digits).ok_or(wrong),
        Err(ValueError::Absent(_)) => Ok(Original::default()),
        Err(_) => Err(wrong),
    }
}

fn parse(form: OriginalForm, digits: &[u8]) -> Option<Original> {
    let (mti, rest) = digits.split_at_checked(4)?;
    let mti = std::str::from_utf8(mti).ok().and_then(Mti::parse)?;
    let (stan, rest) = rest.split_at_checked(form.trace_digits.into())?;
    let stan = value(stan)?;
    let transmitted = match form.transmitted_digits {
        0 => 0,
        digits => value(rest.get(..usize::from(digits))?)?,
    };
    // Zeros for the type mean "not said". Any other class was never approved here, and must not
    // find an authorization that happens to have the same trace number.
    if !matches!(mti.digits(), [0, 0, 0, 0]) && mti.class() != 1 {
        return None;
    }
    Some(Original { stan: Some(stan).filter(|stan| *stan != 0), transmitted })
}

/// What is reversed: in 1987 a part where a replacement amount above zero is left standing.
pub(super) fn extent(message: &Message<'_>) -> Result<Reversed, FieldFault> {
    if message.dialect().version() != Version::V1987 {
        return Ok(reversed(function_code(message)?));
    }
    let wrong = FieldFault::Invalid { field: REPLACEMENT, wanted: "replacement amounts" };
    match message.text(REPLACEMENT) {
        // The first 12 are the amount, transaction.
        Ok(text) => match text.as_bytes().get(..12).and_then(value).ok_or(wrong)? {
            0 => Ok(Reversed::Whole),
            _ => Ok(Reversed::Part),
        },
        Err(ValueError::Absent(_)) => Ok(Reversed::Whole),
        Err(_) => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM_1987: OriginalForm = OriginalForm::of(Version::V1987);
    const FORM_1993: OriginalForm = OriginalForm::of(Version::V1993);
    const FORM_2003: OriginalForm = OriginalForm::of(Version::V2003);

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
            let read = parse(FORM_1987, text.as_bytes()).map(|read| (read.stan, read.transmitted));
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn later_editions_name_the_local_time_and_longer_numbers() {
        let rows = [
            (FORM_1993, "1100000042261123091500", Some(Some(42))),
            (FORM_1993, "110000004226112309150006123456", Some(Some(42))),
            (FORM_1993, "1100000000000000000000", Some(None)),
            (FORM_1993, "1200000042261123091500", None),
            (FORM_1993, "110000004", None),
            (FORM_2003, "210012345678901220261123091500", Some(Some(123_456_789_012))),
            (FORM_2003, "2420123456789012", None),
        ];
        for (form, text, expected) in rows {
            let read = parse(form, text.as_bytes());
            assert_eq!(read.map(|read| read.stan), expected, "{text}");
            assert!(read.is_none_or(|read| read.transmitted == 0));
        }
    }
}
