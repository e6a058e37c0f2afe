//! As much of an answer as tells whether it is the right one: its type, DE11, DE37, DE38 and DE39.
//! Must read nothing else, for it is on the path of every message that is measured.

/// The answer, as far as the bench reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) mti: [u8; 4],
    pub(crate) stan: u32,
    pub(crate) rrn: u64,
    pub(crate) code: [u8; 2],
    /// DE38; zero bytes where there is none.
    pub(crate) approval: [u8; 6],
}

/// DE39 of what was granted.
pub(crate) const APPROVED: [u8; 2] = *b"00";

/// How long a field is.
#[derive(Clone, Copy)]
enum Size {
    Fixed(usize),
    /// So many digits of length in front.
    Counted(usize),
}

/// Fields 2 to 39 of ISO 8583:1987.
const SIZES: [Size; 38] = {
    use Size::{Counted, Fixed};
    [
        Counted(2),
        Fixed(6),
        Fixed(12),
        Fixed(12),
        Fixed(12),
        Fixed(10),
        Fixed(8),
        Fixed(8),
        Fixed(8),
        Fixed(6),
        Fixed(6),
        Fixed(4),
        Fixed(4),
        Fixed(4),
        Fixed(4),
        Fixed(4),
        Fixed(4),
        Fixed(3),
        Fixed(3),
        Fixed(3),
        Fixed(3),
        Fixed(3),
        Fixed(3),
        Fixed(2),
        Fixed(2),
        Fixed(1),
        Fixed(9),
        Fixed(9),
        Fixed(9),
        Fixed(9),
        Counted(2),
        Counted(2),
        Counted(2),
        Counted(2),
        Counted(3),
        Fixed(12),
        Fixed(6),
        Fixed(2),
    ]
};

/// Reads a message without its frame; `None` where it is no answer that one could match.
pub(crate) fn read(message: &[u8]) -> Option<Answer> {
    let (mti, rest) = message.split_first_chunk::<4>()?;
    let (bitmap, mut rest) = rest.split_first_chunk::<16>()?;
    let bits = u64::from_str_radix(std::str::from_utf8(bitmap).ok()?, 16).ok()?;
    if bits >> 63 == 1 {
        rest = rest.get(16..)?;
    }
    let mut answer = Answer { mti: *mti, stan: 0, rrn: 0, code: [0; 2], approval: [0; 6] };
    let mut seen = 0;
    for (field, size) in (2u32..).zip(SIZES) {
        if bits >> (64 - field) & 1 == 0 {
            continue;
        }
        let size = match size {
            Size::Fixed(size) => size,
            Size::Counted(digits) => {
                let (count, after) = rest.split_at_checked(digits)?;
                rest = after;
                usize::try_from(number(count)?).ok()?
            }
        };
        let (value, after) = rest.split_at_checked(size)?;
        rest = after;
        match field {
            11 => answer.stan = u32::try_from(number(value)?).ok()?,
            37 => answer.rrn = number(value)?,
            38 => answer.approval = value.try_into().ok()?,
            39 => answer.code = value.try_into().ok()?,
            _ => continue,
        }
        seen |= 1u64 << field;
    }
    let needed = 1 << 11 | 1 << 37 | 1 << 39;
    (seen & needed == needed).then_some(answer)
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |sum, digit| {
        let digit = digit.checked_sub(b'0').filter(|value| *value <= 9)?;
        sum.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use codecs::iso8583::{Dialect, Encoder, Mti};

    use super::*;

    /// An answer as the codecs write it.
    fn written(mti: Mti, fields: &[(u8, &str)]) -> BytesMut {
        let dialect = Dialect::shipped("iso87-ascii").unwrap();
        let mut encoder = Encoder::new();
        let mut writer = encoder.start(&dialect, mti);
        for (field, value) in fields {
            writer.text(*field, value).unwrap();
        }
        let mut out = BytesMut::new();
        writer.finish(&mut out).unwrap();
        out
    }

    #[test]
    fn what_the_codecs_write_is_read() {
        let approved = written(
            Mti::AUTHORIZATION_RESPONSE,
            &[
                (2, "9999991212345674"),
                (3, "000000"),
                (4, "000000001250"),
                (7, "1123091500"),
                (11, "000042"),
                (18, "5411"),
                (22, "051"),
                (25, "00"),
                (32, "123456"),
                (37, "000987654321"),
                (38, "ABC123"),
                (39, "00"),
                (41, "TERM0001"),
                (49, "978"),
            ],
        );
        let wanted = Answer {
            mti: *b"0110",
            stan: 42,
            rrn: 987_654_321,
            code: APPROVED,
            approval: *b"ABC123",
        };
        assert_eq!(read(&approved), Some(wanted));
        let original = "010000004211230915000000000000000000000000";
        let fields = [(11, "000043"), (37, "000000000009"), (39, "51"), (90, original)];
        let declined = written(Mti::REVERSAL_RESPONSE, &fields);
        let wanted = Answer { mti: *b"0410", stan: 43, rrn: 9, code: *b"51", approval: [0; 6] };
        assert_eq!(read(&declined), Some(wanted));
    }

    #[test]
    fn what_cannot_be_matched_is_no_answer() {
        let whole = written(Mti::AUTHORIZATION_RESPONSE, &[(11, "000042"), (37, "1"), (39, "00")]);
        assert!(read(&whole).is_none(), "an RRN with blanks in it is not ours");
        let whole = written(
            Mti::AUTHORIZATION_RESPONSE,
            &[(11, "000042"), (37, "000000000001"), (39, "00")],
        );
        assert!(read(&whole).is_some());
        for cut in 0..whole.len() {
            assert!(read(&whole[..cut]).is_none(), "{cut} bytes");
        }
        let without = written(Mti::AUTHORIZATION_RESPONSE, &[(11, "000042"), (39, "00")]);
        assert!(read(&without).is_none());
    }
}
