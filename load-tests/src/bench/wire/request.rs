//! Requests: a whole frame is prepared once, and for each message its digits are written over. Must
//! build every message as a peer would, so that what the bench sends is what a network sends.

use super::LENGTH;

/// The only currency of the bench: euro.
pub(crate) const CURRENCY: &str = "978";
/// Good until December 2049.
pub(crate) const EXPIRY: &str = "4912";
/// The institution that all requests come from (DE32).
pub(crate) const ACQUIRER: &str = "123456";
/// The terminal that all requests come from (DE41).
pub(crate) const TERMINAL: &str = "TERM0001";

/// A card number of sixteen digits. It is written to sockets and never printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TestPan([u8; 16]);

impl TestPan {
    /// Of sixteen digits.
    pub(crate) fn new(text: &str) -> Option<TestPan> {
        let digits: [u8; 16] = text.as_bytes().try_into().ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(TestPan(digits))
    }

    /// The digits.
    pub(crate) const fn digits(&self) -> &[u8; 16] {
        &self.0
    }
}

/// When the messages of a load say that they were made: MMDD and hhmmss.
#[derive(Clone, Debug)]
pub(crate) struct LocalTime {
    pub(crate) date: String,
    pub(crate) time: String,
}

impl LocalTime {
    /// Now, in UTC.
    pub(crate) fn now() -> LocalTime {
        let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
        LocalTime {
            date: now.strftime("%m%d").to_string(),
            time: now.strftime("%H%M%S").to_string(),
        }
    }
}

/// What differs from message to message.
pub(crate) struct Digits<'a> {
    pub(crate) pan: &'a TestPan,
    pub(crate) stan: u32,
    pub(crate) rrn: u64,
    /// DE11 of the message that is reversed; 0 for requests.
    pub(crate) original: u32,
    pub(crate) repeat: bool,
}

/// A prepared frame with the places of its digits.
pub(crate) struct Template {
    frame: Vec<u8>,
    pan: usize,
    stan: usize,
    rrn: usize,
    original: Option<usize>,
}

impl Template {
    /// A purchase of `minor` at a terminal.
    pub(crate) fn purchase(at: &LocalTime, minor: u64) -> Template {
        Template::new("0100", &[], at, minor)
    }

    /// The reversal of such a purchase, which DE90 names.
    pub(crate) fn reversal(at: &LocalTime, minor: u64) -> Template {
        let original = format!("0100000000{}{}{:022}", at.date, at.time, 0);
        Template::new("0400", &[(90, original)], at, minor)
    }

    fn new(mti: &str, more: &[(u8, String)], at: &LocalTime, minor: u64) -> Template {
        let LocalTime { date, time } = at;
        let mut fields: Vec<(u8, String)> = vec![
            (2, format!("16{:016}", 0)),
            (3, "000000".into()),
            (4, format!("{minor:012}")),
            (7, format!("{date}{time}")),
            (11, "000000".into()),
            (12, time.clone()),
            (13, date.clone()),
            (14, EXPIRY.into()),
            (18, "5411".into()),
            (22, "051".into()),
            (25, "00".into()),
            (32, format!("{:02}{ACQUIRER}", ACQUIRER.len())),
            (37, format!("{:012}", 0)),
            (41, TERMINAL.into()),
            (42, "MERCHANT0000001".into()),
            (49, CURRENCY.into()),
        ];
        fields.extend_from_slice(more);
        let mut template =
            Template { frame: vec![0; LENGTH], pan: 0, stan: 0, rrn: 0, original: None };
        template.frame.extend_from_slice(mti.as_bytes());
        template.frame.extend_from_slice(bitmap(&fields).as_bytes());
        for (field, value) in &fields {
            let start = template.frame.len();
            match field {
                2 => template.pan = start + 2,
                11 => template.stan = start,
                37 => template.rrn = start,
                90 => template.original = Some(start + 4),
                _ => {}
            }
            template.frame.extend_from_slice(value.as_bytes());
        }
        let size = u16::try_from(template.frame.len() - LENGTH).unwrap_or(u16::MAX);
        template.frame[..LENGTH].copy_from_slice(&size.to_be_bytes());
        template
    }

    /// Appends one frame.
    pub(crate) fn append(&self, digits: &Digits<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.frame);
        let frame = &mut out[start..];
        if digits.repeat {
            // 0101, 0401: the fourth digit says that it was sent before.
            frame[LENGTH + 3] = b'1';
        }
        frame[self.pan..self.pan + 16].copy_from_slice(digits.pan.digits());
        put(&mut frame[self.stan..self.stan + 6], u64::from(digits.stan));
        put(&mut frame[self.rrn..self.rrn + 12], digits.rrn);
        if let Some(original) = self.original {
            put(&mut frame[original..original + 6], u64::from(digits.original));
        }
    }
}

/// The bitmaps of these fields in hexadecimal, the second where one is over 64.
pub(super) fn bitmap(fields: &[(u8, String)]) -> String {
    let bits = fields.iter().fold(0u128, |bits, (field, _)| bits | 1 << (128 - u32::from(*field)));
    let second = u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default();
    let first = u64::try_from(bits >> 64).unwrap_or_default();
    if second == 0 {
        format!("{first:016X}")
    } else {
        format!("{:016X}{second:016X}", first | 1 << 63)
    }
}

/// Writes a number in as many digits as there is room for.
fn put(place: &mut [u8], mut value: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(value % 10).unwrap_or_default();
        value /= 10;
    }
}

#[cfg(test)]
mod tests {
    use codecs::iso8583::{Dialect, Fields};

    use super::*;
    use crate::bench::wire::first_frame;

    fn at() -> LocalTime {
        LocalTime { date: "1123".into(), time: "091500".into() }
    }

    fn pan() -> TestPan {
        TestPan::new("9999991212345674").unwrap()
    }

    /// The value of a field as the codecs read it.
    fn read(frame: &[u8], wanted: &[(u8, &str)]) -> (String, bool) {
        let dialect = Dialect::shipped("iso87-ascii").unwrap();
        let (body, size) = first_frame(frame).expect("a whole frame");
        assert_eq!(size, frame.len());
        let mut fields = Fields::new();
        dialect.decode(body, &mut fields).expect("a message of the dialect");
        let message = dialect.view(body, &fields);
        for (field, value) in wanted {
            let content = message.content(*field).map(String::from_utf8_lossy);
            assert_eq!(content.as_deref(), Some(*value), "field {field}");
        }
        let mti = message.mti().unwrap();
        (mti.without_repeat().digits().map(|digit| digit.to_string()).concat(), mti.is_repeat())
    }

    #[test]
    fn the_codecs_read_a_purchase_as_it_is_meant() {
        let template = Template::purchase(&at(), 1250);
        let mut out = Vec::new();
        let pan = pan();
        let digits = Digits { pan: &pan, stan: 42, rrn: 987_654_321, original: 0, repeat: false };
        template.append(&digits, &mut out);
        let wanted = [
            (2, "9999991212345674"),
            (4, "000000001250"),
            (7, "1123091500"),
            (11, "000042"),
            (12, "091500"),
            (13, "1123"),
            (14, "4912"),
            (32, "123456"),
            (37, "000987654321"),
            (41, "TERM0001"),
            (49, "978"),
        ];
        assert_eq!(read(&out, &wanted), ("0100".to_owned(), false));
        out.clear();
        template.append(&Digits { repeat: true, ..digits }, &mut out);
        assert_eq!(read(&out, &wanted), ("0100".to_owned(), true));
    }

    #[test]
    fn the_codecs_read_a_reversal_that_names_its_original() {
        let template = Template::reversal(&at(), 1250);
        let mut out = Vec::new();
        let pan = pan();
        let digits = Digits { pan: &pan, stan: 43, rrn: 9, original: 42, repeat: false };
        template.append(&digits, &mut out);
        let wanted = [
            (2, "9999991212345674"),
            (11, "000043"),
            (37, "000000000009"),
            (90, "010000004211230915000000000000000000000000"),
        ];
        assert_eq!(read(&out, &wanted), ("0400".to_owned(), false));
    }
}
