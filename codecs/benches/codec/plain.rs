//! The yardstick: a table of lengths, a loop over the bitmap, digits checked, nothing kept but
//! offsets; and the same with every field copied through. What a codec does besides is its price.

/// Digits of the length in front (0: fixed), the longest or the length, and whether only digits may
/// stand in it.
#[derive(Clone, Copy, Default)]
struct Row {
    length_digits: usize,
    length: usize,
    digits: bool,
}

/// The fields of the message that is measured.
pub(crate) struct Plain([Row; 65]);

impl Plain {
    pub(crate) fn new() -> Plain {
        let mut rows = [Row::default(); 65];
        let fixed = [
            (3, 6),
            (4, 12),
            (7, 10),
            (11, 6),
            (12, 6),
            (13, 4),
            (14, 4),
            (18, 4),
            (22, 3),
            (25, 2),
            (49, 3),
        ];
        for (field, length) in fixed {
            rows[field] = Row { length_digits: 0, length, digits: true };
        }
        for (field, length) in [(37, 12), (41, 8), (42, 15), (43, 40), (52, 8)] {
            rows[field] = Row { length_digits: 0, length, digits: false };
        }
        rows[2] = Row { length_digits: 2, length: 19, digits: true };
        rows[32] = Row { length_digits: 2, length: 11, digits: true };
        rows[35] = Row { length_digits: 2, length: 37, digits: false };
        rows[55] = Row { length_digits: 3, length: 255, digits: false };
        Plain(rows)
    }

    /// Offsets of the fields; `None` where the message is not what the table says.
    pub(crate) fn decode(&self, bytes: &[u8], spans: &mut [(u16, u16); 65]) -> Option<u64> {
        if !bytes.get(..4)?.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let bitmap = u64::from_be_bytes(*bytes.get(4..)?.first_chunk()?);
        let mut left = bitmap;
        let mut at = 12;
        while left != 0 {
            let zeros = left.leading_zeros() as usize;
            left &= !(1 << 63 >> zeros);
            let row = self.0[zeros + 1];
            let mut length = row.length;
            if row.length_digits > 0 {
                length = 0;
                for byte in bytes.get(at..at + row.length_digits)? {
                    let digit = byte.wrapping_sub(b'0');
                    if digit > 9 {
                        return None;
                    }
                    length = length * 10 + usize::from(digit);
                }
                at += row.length_digits;
                if length > row.length {
                    return None;
                }
            }
            let content = bytes.get(at..at + length)?;
            let good = |good, byte: &u8| good & (byte.wrapping_sub(b'0') <= 9);
            if row.digits && !content.iter().fold(true, good) {
                return None;
            }
            spans[zeros + 1] = (at as u16, (at + length) as u16);
            at += length;
        }
        (at == bytes.len()).then_some(bitmap)
    }

    /// Decodes, and writes every field again.
    pub(crate) fn copy_through(
        &self,
        bytes: &[u8],
        spans: &mut [(u16, u16); 65],
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let bitmap = self.decode(bytes, spans)?;
        out.clear();
        out.extend_from_slice(bytes.get(..12)?);
        let mut left = bitmap;
        while left != 0 {
            let zeros = left.leading_zeros() as usize;
            left &= !(1 << 63 >> zeros);
            let (from, to) = spans[zeros + 1];
            let length = usize::from(to - from);
            let mut rest = length;
            let mut digits = [b'0'; 3];
            let count = self.0[zeros + 1].length_digits;
            for digit in digits[..count].iter_mut().rev() {
                *digit = b'0' | (rest % 10) as u8;
                rest /= 10;
            }
            out.extend_from_slice(&digits[..count]);
            out.extend_from_slice(bytes.get(usize::from(from)..usize::from(to))?);
        }
        Some(())
    }
}
