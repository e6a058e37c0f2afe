//! Track 2 (ISO/IEC 7813): card number, separator, expiry, service code, discretionary data. It
//! owns that form; the discretionary data, which hold the card's verification value, are not kept.

use switch_domain::{Expiry, Pan};

/// What translation takes from a track.
pub(super) struct Track2 {
    pub(super) pan: Pan,
    /// `None` where a separator stands in its place.
    pub(super) expiry: Option<Expiry>,
}

/// Reads a track whose separators are written `=`. `None` when it is not one.
pub(super) fn parse(track: &[u8]) -> Option<Track2> {
    let separator = track.iter().position(|character| *character == b'=')?;
    let (pan, rest) = track.split_at_checked(separator)?;
    let pan = Pan::from_digits(pan).ok()?;
    let (expiry, rest) = match rest.get(1..)? {
        [b'=', rest @ ..] => (None, rest),
        [a, b, c, d, rest @ ..] => (Some(expiry([*a, *b, *c, *d])?), rest),
        _ => return None,
    };
    let discretionary = match rest {
        [b'=', rest @ ..] => rest,
        [_, _, _, ..] => rest,
        _ => return None,
    };
    discretionary.iter().all(u8::is_ascii_digit).then_some(Track2 { pan, expiry })
}

fn expiry(digits: [u8; 4]) -> Option<Expiry> {
    let yymm = digits.iter().try_fold(0u16, |sum, digit| {
        let value = u16::from(digit.checked_sub(b'0').filter(|value| *value <= 9)?);
        sum.checked_mul(10)?.checked_add(value)
    })?;
    Expiry::from_yymm(yymm).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracks_are_read_and_what_is_none_is_refused() {
        let rows: [(&str, Option<Option<u16>>); 13] = [
            ("9999991200000018=29122011234567890", Some(Some(2912))),
            ("9999991200000018=2912201", Some(Some(2912))),
            ("9999991200000018==2011234", Some(None)),
            ("9999991200000018===1234", Some(None)),
            ("9999991200000018=2912=1234", Some(Some(2912))),
            ("9999991200000018", None),
            ("9999991200000018=", None),
            ("9999991200000018=291", None),
            ("9999991200000018=2912", None),
            ("9999991200000018=2913201", None),
            ("9999991200000018=2912201=1", None),
            ("99999912=2912201", None),
            ("=2912201", None),
        ];
        for (track, expected) in rows {
            let read = parse(track.as_bytes()).map(|track| track.expiry.map(Expiry::yymm));
            assert_eq!(read, expected, "{track}");
        }
    }
}
