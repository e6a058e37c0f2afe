//! What a reversal or a completion says of its original: DE90 of 1987, DE56 of the later editions,
//! or where else the dialect has it (ISO 8583:1987 clause 4.4); and what a reversal leaves of it.
//! It owns what the fields mean; finding the original is the engine's affair.

use codecs::iso8583::{Message, Mti, OriginalForm, ValueError, Version};
use switch_domain::{Amount, MessageKey, MinorUnits, OriginalClass, OriginalReference};

use super::FieldFault;
use super::amount::{amount, original_amount};
use super::digits::value;
use super::function_code::{Reversed, function_code, reversed};
use super::network_trace;

const REPLACEMENT: u8 = 95;

/// Digits of the longest original.
const LONGEST: usize = 64;

/// The original as it is named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Original {
    /// Of which class it is; `None` where nothing says it.
    class: Option<OriginalClass>,
    /// DE11 of the original; `None` where nothing says it.
    stan: Option<u64>,
    /// DE7 of the original as MMDDhhmmss, 0 where nothing says it.
    transmitted: u64,
}

/// The reference to the original of a message with this key, and whether the message names it:
/// otherwise its own trace number is taken for the original's.
pub(super) fn reference(
    message: &Message<'_>,
    key: &MessageKey,
) -> Result<(OriginalReference, bool), FieldFault> {
    let original = original(message)?;
    let mut reference = OriginalReference {
        key: key.as_original(),
        class: original.class,
        transmitted: original.transmitted,
        rrn: key.rrn,
        network_trace: network_trace::spoken_of(message),
    };
    if let Some(stan) = original.stan {
        reference.key.stan = stan;
    }
    Ok((reference, original.stan.is_some()))
}

/// Reads it. Absent or all zeros, it says nothing.
fn original(message: &Message<'_>) -> Result<Original, FieldFault> {
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
    let class = match (mti.digits(), mti.class()) {
        ([0, 0, 0, 0], _) => None,
        (_, 1) => Some(OriginalClass::Authorization),
        (_, 2) => Some(OriginalClass::Financial),
        _ => return None,
    };
    Some(Original { class, stan: Some(stan).filter(|stan| *stan != 0), transmitted })
}

/// What a reversal leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Nothing.
    Whole,
    /// So much.
    Standing(Amount),
    /// More than there was: it reverses nothing, and is refused.
    TooMuch,
    /// The function code means nothing here.
    Unknown,
}

/// Reads it: in 1987 the replacement amount (DE95), of the amount in DE4; by function code 401 of
/// the later editions, DE4, of the original amount in DE30.
pub(super) fn extent(message: &Message<'_>) -> Result<Extent, FieldFault> {
    let (standing, of) = match message.dialect().version() {
        Version::V1987 => match replacement(message)? {
            0 => return Ok(Extent::Whole),
            minor => {
                let of = amount(message)?;
                (Amount { minor: MinorUnits(minor), ..of }, Some(of.minor))
            }
        },
        Version::V1993 | Version::V2003 => match reversed(function_code(message)?) {
            Reversed::Whole => return Ok(Extent::Whole),
            Reversed::Unknown => return Ok(Extent::Unknown),
            Reversed::Part => (amount(message)?, original_amount(message)?),
        },
    };
    Ok(if of.is_some_and(|of| standing.minor > of) {
        Extent::TooMuch
    } else if standing.minor.is_zero() {
        Extent::Whole
    } else {
        Extent::Standing(standing)
    })
}

/// The first 12 digits of DE95: the amount, transaction; 0 where it is absent.
fn replacement(message: &Message<'_>) -> Result<i64, FieldFault> {
    let wrong = FieldFault::Invalid { field: REPLACEMENT, wanted: "replacement amounts" };
    match message.text(REPLACEMENT) {
        Ok(text) => {
            let minor = text.as_bytes().get(..12).and_then(value).ok_or(wrong)?;
            i64::try_from(minor).map_err(|_| wrong)
        }
        Err(ValueError::Absent(_)) => Ok(0),
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
            ("0200", "000042", "1123091500", Some((Some(42), 1_123_091_500))),
            ("0800", "000042", "1123091500", None),
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
            (FORM_1993, "1200000042261123091500", Some(Some(42))),
            (FORM_1993, "1400000042261123091500", None),
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
