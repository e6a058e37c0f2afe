//! The bureau's report: which cards exist. It owns how one is read, which comes from outside and is
//! taken for hostile: a line that is none is counted and left out, and a report whose end or count
//! is wrong is no report.

use switch_domain::{Pan, Timestamp};
use uuid::Uuid;

/// The first line.
const HEADER: &str = "cardNumber,reference,trackingNumber,created";
/// What the last one begins with; the number of lines between follows.
const END: &str = "END,";
/// Of a tracking number.
const TRACKING_MOST: usize = 40;

/// A card that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MadeLine {
    /// The order.
    pub(super) reference: Uuid,
    /// The end of its number.
    pub(super) last_four: String,
    /// Of the parcel or letter.
    pub(super) tracking_number: String,
    /// When it was made, by the bureau's clock.
    pub(super) created: Timestamp,
}

/// A report: its lines in their order, `None` in the place of what is none.
pub(super) type Report = Vec<Option<MadeLine>>;

/// Why there is no report in a file. It repeats nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ReportFault {
    /// It is not done being written, or was cut off.
    #[error("it has no end")]
    NoEnd,
    /// Another beginning, or not text.
    #[error("it does not begin as one")]
    NotOne,
    /// It has another number of lines than its end says.
    #[error("it has another number of lines than its end says")]
    Count,
    /// More bytes than are taken.
    #[error("it is longer than any that is taken")]
    TooLong,
}

/// Reads a report.
pub(super) fn read(bytes: &[u8]) -> Result<Report, ReportFault> {
    let text = std::str::from_utf8(bytes).map_err(|_| ReportFault::NotOne)?;
    let mut lines = text.lines();
    let first = lines.next().ok_or(ReportFault::NoEnd)?;
    if first != HEADER {
        let begun = HEADER.starts_with(first) && !text.contains('\n');
        return Err(if begun { ReportFault::NoEnd } else { ReportFault::NotOne });
    }
    let whole = text.ends_with('\n');
    let last = lines.next_back().filter(|last| whole && last.starts_with(END));
    let count = last.and_then(|last| last.strip_prefix(END)).ok_or(ReportFault::NoEnd)?;
    let report: Report = lines.map(line).collect();
    let is_count = count.parse::<usize>().is_ok_and(|count| count == report.len());
    if is_count { Ok(report) } else { Err(ReportFault::Count) }
}

fn line(line: &str) -> Option<MadeLine> {
    let mut parts = line.split(',');
    let mut part = || parts.next();
    let (number, reference, tracking, created) = (part()?, part()?, part()?, part()?);
    if part().is_some() {
        return None;
    }
    let reference = Uuid::try_parse(reference).ok()?;
    let printable = tracking.bytes().all(|byte| byte.is_ascii_graphic());
    if !printable || !(1..=TRACKING_MOST).contains(&tracking.len()) {
        return None;
    }
    let created: jiff::Timestamp = created.parse().ok()?;
    Some(MadeLine {
        reference,
        last_four: last_four(number)?,
        tracking_number: tracking.to_owned(),
        created: Timestamp(created.as_microsecond()),
    })
}

/// The end of a masked number; `None` where it is none. A number that is not masked is none: it
/// must not be here.
fn last_four(masked: &str) -> Option<String> {
    let lengths = Pan::MIN_DIGITS..=Pan::MAX_DIGITS;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let hidden = masked.bytes().filter(|byte| *byte == b'*').count();
    let (first, last) = (masked.split('*').next()?, masked.rsplit('*').next()?);
    let shown = first.len().checked_add(last.len())?.checked_add(hidden)?;
    let good = lengths.contains(&masked.len()) && shown == masked.len() && hidden >= 4;
    let good = good && digits(first) && digits(last) && first.len() <= 8 && last.len() == 4;
    good.then(|| last.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    const GOOD: &str =
        "999999******0010,6f2c2b5e-8a4f-4a52-9f5e-3d1a2b3c4d5e,PL1,2026-11-28T01:02:03Z";

    fn of(lines: &[&str], count: &str) -> String {
        let mut text = format!("{HEADER}\n");
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        text + END + count + "\n"
    }

    #[test]
    fn a_line_is_taken_or_left_out_by_itself() {
        let unmasked = GOOD.replace("999999******0010", "9999991200000010");
        let bad = [
            "",
            "a,b,c,d",
            &GOOD.replace("6f2c", "zzzz"),
            &GOOD.replace("PL1", ""),
            &GOOD.replace("PL1", "P L"),
            &GOOD.replace("2026-11", "2026-13"),
            &format!("{GOOD},more"),
            &GOOD.replace("******", "***"),
            &unmasked,
            &GOOD.replace("999999", "9999999999"),
        ];
        for bad in bad {
            let report = read(of(&[GOOD, bad, GOOD], "3").as_bytes()).expect("a report");
            let found: Vec<_> = report.iter().map(Option::is_some).collect();
            assert_eq!(found, [true, false, true], "{bad}");
        }
        let line = line(GOOD).expect("a line");
        assert_eq!((line.last_four.as_str(), line.tracking_number.as_str()), ("0010", "PL1"));
        assert_eq!(read(of(&[], "0").as_bytes()), Ok(Vec::new()));
        assert!(read(of(&[GOOD], "1").replace('\n', "\r\n").as_bytes()).is_ok());
    }

    #[test]
    fn what_was_cut_off_or_miscounted_is_no_report() {
        let whole = of(&[GOOD, GOOD], "2");
        for cut in 0..whole.len() {
            let fault = read(&whole.as_bytes()[..cut]).expect_err("cut off");
            assert_eq!(fault, ReportFault::NoEnd, "{cut}");
        }
        for count in ["", "1", "3", "-2", "two", "2,2"] {
            assert_eq!(read(of(&[GOOD, GOOD], count).as_bytes()), Err(ReportFault::Count));
        }
        for other in [&b"\xFF\xFE"[..], b"cardnumber\n", b"END,0\n"] {
            assert_eq!(read(other), Err(ReportFault::NotOne));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_card_by_chance(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
            let framed = [HEADER.as_bytes(), b"\n", &bytes, b"\nEND,1\n"].concat();
            for bytes in [&bytes, &framed] {
                let lines = read(bytes).unwrap_or_default();
                prop_assert!(lines.iter().all(Option::is_none));
            }
        }
    }
}
