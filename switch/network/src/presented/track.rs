//! Tracks 1 and 2 (ISO/IEC 7813), and track 2 as a chip has it (tag 57): card number, expiry,
//! service code, discretionary data. It owns those forms; what it read is wiped when dropped and
//! cannot be printed.

use switch_domain::{Expiry, Pan, ServiceCode};
use switch_security::CardValue;
use zeroize::Zeroizing;

/// Characters of discretionary data at most: those of the longest track 1.
const MOST_DISCRETIONARY: usize = 48;
/// Characters of track 2 at most; a chip's may have one more that fills it up.
const MOST_TRACK2: usize = 38;
/// Digits of the value of a stripe, or of the one that a chip has in its place.
const VALUE: usize = 3;

/// A track that was read whole.
pub(crate) struct Track {
    /// The card's number.
    pub(crate) pan: Pan,
    /// `None` where a separator stands in its place.
    pub(crate) expiry: Option<Expiry>,
    /// Likewise.
    pub(crate) service_code: Option<ServiceCode>,
    discretionary: Zeroizing<[u8; MOST_DISCRETIONARY]>,
    length: usize,
}

impl Track {
    /// Track 2, whose separators are written `=`. `None` when it is not one.
    pub(crate) fn from_track2(track: &[u8]) -> Option<Self> {
        let separator = track.iter().position(|character| *character == b'=')?;
        let (pan, rest) = track.split_at_checked(separator)?;
        let read = Self::behind(pan, rest.get(1..)?, b'=')?;
        read.discretionary().iter().all(u8::is_ascii_digit).then_some(read)
    }

    /// Track 1 of format B: number, name, the rest, with `^` between; marks at both ends may stand
    /// there. `None` when it is not one.
    pub(crate) fn from_track1(track: &[u8]) -> Option<Self> {
        let track = track.trim_ascii_end();
        let track = track.strip_prefix(b"%").unwrap_or(track);
        let track = track.strip_suffix(b"?").unwrap_or(track);
        let mut parts = track.strip_prefix(b"B")?.splitn(3, |character| *character == b'^');
        let (pan, _name, rest) = (parts.next()?, parts.next()?, parts.next()?);
        Self::behind(pan, rest, b'^')
    }

    /// Track 2 as a chip has it: packed, `D` for the separator, `F` filling up the last byte.
    pub(crate) fn from_chip(packed: &[u8]) -> Option<Self> {
        let mut characters = Zeroizing::new([0; MOST_TRACK2]);
        let nibbles = packed.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
        let mut length = 0_usize;
        for (slot, nibble) in characters.iter_mut().zip(nibbles) {
            *slot = match nibble {
                0..=9 => nibble | b'0',
                0x0D => b'=',
                _ => b'F',
            };
            length = length.saturating_add(1);
        }
        if packed.len() > MOST_TRACK2 >> 1 {
            return None;
        }
        let track = characters.get(..length)?;
        Self::from_track2(track.strip_suffix(b"F").unwrap_or(track))
    }

    /// The digits that verify the card, where the issuer has put them: from this place on among the
    /// discretionary data, the first of which is 1.
    pub(crate) fn value(&self, first: usize) -> Option<CardValue> {
        let from = first.checked_sub(1)?;
        let digits = self.discretionary().get(from..from.checked_add(VALUE)?)?;
        CardValue::from_digits(digits)
    }

    fn discretionary(&self) -> &[u8] {
        self.discretionary.get(..self.length).unwrap_or_default()
    }

    /// Expiry and service code, each of which a separator may stand for, and what is behind them.
    fn behind(pan: &[u8], rest: &[u8], separator: u8) -> Option<Self> {
        let pan = Pan::from_digits(pan).ok()?;
        let (expiry, rest) = match rest {
            [first, rest @ ..] if *first == separator => (None, rest),
            [a, b, c, d, rest @ ..] => (Some(expiry([*a, *b, *c, *d])?), rest),
            _ => return None,
        };
        let (service_code, rest) = match rest {
            [first, rest @ ..] if *first == separator => (None, rest),
            [a, b, c, rest @ ..] => (Some(ServiceCode::new(number(&[*a, *b, *c])?).ok()?), rest),
            _ => return None,
        };
        let mut discretionary = Zeroizing::new([0; MOST_DISCRETIONARY]);
        discretionary.get_mut(..rest.len())?.copy_from_slice(rest);
        Some(Self { pan, expiry, service_code, discretionary, length: rest.len() })
    }
}

fn expiry(digits: [u8; 4]) -> Option<Expiry> {
    Expiry::from_yymm(number(&digits)?).ok()
}

fn number(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0u16, |sum, digit| {
        let value = u16::from(digit.checked_sub(b'0').filter(|value| *value <= 9)?);
        sum.checked_mul(10)?.checked_add(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expiry, service code, and the value at the usual place.
    type Read = (Option<u16>, Option<u16>, Option<Vec<u8>>);

    fn read(track: Option<Track>) -> Option<Read> {
        let track = track?;
        assert_eq!(track.pan.length(), 16);
        let value = track.value(6).map(|value| value.digits_for_card().to_vec());
        let code = track.service_code.map(ServiceCode::number);
        Some((track.expiry.map(Expiry::yymm), code, value))
    }

    #[test]
    fn tracks_are_read_and_what_is_none_is_refused() {
        let of = |digits: &[u8]| Some(digits.to_vec());
        let rows: [(&str, Option<Read>); 15] = [
            ("9999991200000018=29122011234567890", Some((Some(2912), Some(201), of(b"678")))),
            ("9999991200000018=2912201", Some((Some(2912), Some(201), None))),
            ("9999991200000018=29122011234567", Some((Some(2912), Some(201), None))),
            ("9999991200000018==2011234", Some((None, Some(201), None))),
            ("9999991200000018===12345678", Some((None, None, of(b"678")))),
            ("9999991200000018=2912=1234", Some((Some(2912), None, None))),
            ("9999991200000018", None),
            ("9999991200000018=", None),
            ("9999991200000018=291", None),
            ("9999991200000018=2912", None),
            ("9999991200000018=29122", None),
            ("9999991200000018=2913201", None),
            ("9999991200000018=2912201=1", None),
            ("99999912=2912201", None),
            ("=2912201", None),
        ];
        for (track, expected) in rows {
            assert_eq!(read(Track::from_track2(track.as_bytes())), expected, "{track}");
        }
    }

    #[test]
    fn track_1_says_the_same() {
        let whole = Some((Some(2912), Some(201), Some(b"737".to_vec())));
        let rows = [
            ("B9999991200000018^DOE/JANE^29122010000073700", whole.clone()),
            ("%B9999991200000018^DOE/JANE^29122010000073700?", whole),
            ("B9999991200000018^DOE/JANE^^^0000073700", Some((None, None, Some(b"737".to_vec())))),
            ("B9999991200000018^DOE/JANE^2912201", Some((Some(2912), Some(201), None))),
            // Discretionary data may be letters, and then there is no value among them.
            ("B9999991200000018^DOE/JANE^291220100000AB", Some((Some(2912), Some(201), None))),
            ("B9999991200000018^DOE/JANE", None),
            ("9999991200000018^DOE/JANE^2912201", None),
            ("A9999991200000018^DOE/JANE^2912201", None),
            ("B99999912000000X8^DOE/JANE^2912201", None),
            ("", None),
        ];
        for (track, expected) in rows {
            assert_eq!(read(Track::from_track1(track.as_bytes())), expected, "{track}");
        }
        let longest = format!("B9999991200000018^^2912201{}", "0".repeat(60));
        assert!(Track::from_track1(longest.as_bytes()).is_none());
    }

    #[test]
    fn a_chip_has_track_2_packed() {
        let chip = |digits: &str| Track::from_chip(&hex::decode(digits).expect("digits"));
        let whole = Some((Some(2912), Some(201), Some(b"737".to_vec())));
        assert_eq!(read(chip("9999991200000018D291220100000737")), whole);
        assert_eq!(read(chip("9999991200000018D29122010000073700")), whole);
        assert_eq!(read(chip("9999991200000018D2912201000007370F")), whole);
        assert!(chip("9999991200000018A2912201").is_none());
        assert!(chip("9999991200000018D29122010000073700FF").is_none());
        assert!(Track::from_chip(&[0x99; 30]).is_none());
        assert!(Track::from_chip(&[]).is_none());
    }
}
