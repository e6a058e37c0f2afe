//! Which cards the peer of a link may lock, in the configuration. It owns how the keys are written;
//! what they permit is the network's affair.

use switch_domain::{Bin, LockCode, LockCodes};
use switch_network::{BinSpan, LockAuthority};

use super::Link;

/// Digits of a BIN as the switch knows it.
const BIN_DIGITS: usize = 8;

impl Link {
    /// What the peer may do to cards.
    ///
    /// # Errors
    /// The key at fault, and what to write there.
    pub(crate) fn lock_authority(&self) -> Result<LockAuthority, (&'static str, String)> {
        let bins = self.lock_bins.iter().map(|written| {
            span(written).ok_or_else(|| {
                let wanted = "write six to eight digits, or two of eight with a hyphen between: \
                              \"999999\", \"99999910-99999919\"";
                ("lock_bins", format!("{written:?} is no BIN: {wanted}"))
            })
        });
        let codes = self.lock_codes.iter().map(|number| {
            LockCode::from_number(*number).ok_or_else(|| {
                ("lock_codes", format!("{number} is no lock code: they are 1 to 8 and 11"))
            })
        });
        Ok(LockAuthority {
            bins: bins.collect::<Result<_, _>>()?,
            codes: codes.collect::<Result<LockCodes, _>>()?,
            refusals_per_minute: self.lock_refusals_per_minute,
        })
    }
}

/// `999999` is 99999900 to 99999999.
fn span(written: &str) -> Option<BinSpan> {
    let (low, high) = match written.split_once('-') {
        Some((low, high)) if low.len() == BIN_DIGITS && high.len() == BIN_DIGITS => (low, high),
        None if (6..=BIN_DIGITS).contains(&written.len()) => (written, written),
        _ => return None,
    };
    let (low, high) = (filled(low, '0')?, filled(high, '9')?);
    (low <= high).then_some(BinSpan { low, high })
}

/// The first or last BIN that begins so.
fn filled(digits: &str, fill: char) -> Option<Bin> {
    let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
    let mut whole = digits.to_owned();
    whole.extend(std::iter::repeat_n(fill, BIN_DIGITS.saturating_sub(digits.len())));
    whole.parse().ok().filter(|_| plain).map(Bin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_whole_or_begun_or_from_one_to_another() {
        let rows = [
            ("99999912", Some((99_999_912, 99_999_912))),
            ("9999991", Some((99_999_910, 99_999_919))),
            ("999999", Some((99_999_900, 99_999_999))),
            ("99999910-99999919", Some((99_999_910, 99_999_919))),
            ("99999919-99999910", None),
            ("99999", None),
            ("999999123", None),
            ("999999-999999", None),
            ("+9999991", None),
            ("99999912-", None),
            ("", None),
        ];
        for (written, expected) in rows {
            let read = span(written).map(|span| (span.low.0, span.high.0));
            assert_eq!(read, expected, "{written:?}");
        }
    }
}
