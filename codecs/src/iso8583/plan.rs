//! The rules of the fields once more, as the decoder walks them: eight bytes each, and one way
//! through for what is as it should be. Must take nothing that the rules refuse, and may leave them
//! anything: a fault of any kind, and the forms that are rare.

use super::charset::Charset;
use super::ebcdic;
use super::fields::{FIELDS, Span};
use super::spec::{Counts, Encoding, FieldSpec, FieldType, NumeralEncoding, Side};
use super::words::{
    no_digits, no_hex, no_letters, no_letters_or_digits, no_packed_digits, no_packed_track,
    no_track, none_in, unprintable,
};

/// How a length is read.
#[derive(Clone, Copy, Debug)]
enum Length {
    /// Left to the rules: the field is undefined, or its form is rare.
    ByRules,
    Fixed,
    /// Two digits of a byte each.
    Digits2,
    /// Three of them.
    Digits3,
    /// Two digits in one byte.
    Packed1,
    /// Three or four in two bytes.
    Packed2,
    /// A byte.
    Binary1,
}

/// What is asked of the content.
#[derive(Clone, Copy, Debug)]
enum Content {
    Any,
    Digits,
    Letters,
    LettersAndDigits,
    Printable,
    Track,
    Hex,
    /// Digits that stand behind what fills them up to whole bytes.
    PackedLeft,
    /// Digits in front of it.
    PackedRight,
    PackedTrackLeft,
    PackedTrackRight,
    Ebcdic037,
    Ebcdic1047,
}

/// One field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    length: Length,
    content: Content,
    /// Zero of the code in which the length is written; of one byte a digit.
    length_zero: u8,
    /// 1 where two digits are in a byte, else 0.
    packed: u8,
    /// Padding of an odd digit; of EBCDIC, the bit of the field's characters in `ebcdic`'s table.
    extra: u8,
    max: u16,
}

impl Step {
    const BY_RULES: Step = Step {
        length: Length::ByRules,
        content: Content::Any,
        length_zero: 0,
        packed: 0,
        extra: 0,
        max: 0,
    };

    fn of(spec: &FieldSpec) -> Step {
        let length = match (spec.length.digits(), spec.length_encoding) {
            (0, _) => Length::Fixed,
            (2, NumeralEncoding::Ascii | NumeralEncoding::Ebcdic) => Length::Digits2,
            (3, NumeralEncoding::Ascii | NumeralEncoding::Ebcdic) => Length::Digits3,
            (1 | 2, NumeralEncoding::Bcd) => Length::Packed1,
            (3 | 4, NumeralEncoding::Bcd) => Length::Packed2,
            (1, NumeralEncoding::Binary) => Length::Binary1,
            _ => return Step::BY_RULES,
        };
        let left = spec.pad.side == Side::Left;
        let content = match (spec.kind, spec.encoding) {
            (FieldType::SignedAmount, _) => return Step::BY_RULES,
            (_, Encoding::Bcd | Encoding::Hex) if spec.counts == Counts::Bytes => {
                return Step::BY_RULES;
            }
            // Padding in front is read with the digits: it must be one.
            (_, Encoding::Bcd) if left && spec.pad.nibble > 9 => return Step::BY_RULES,
            (_, Encoding::Raw) => Content::Any,
            (FieldType::Track, Encoding::Bcd) if left => Content::PackedTrackLeft,
            (FieldType::Track, Encoding::Bcd) => Content::PackedTrackRight,
            (_, Encoding::Bcd) if left => Content::PackedLeft,
            (_, Encoding::Bcd) => Content::PackedRight,
            (_, Encoding::Ebcdic037) => Content::Ebcdic037,
            (_, Encoding::Ebcdic1047) => Content::Ebcdic1047,
            (FieldType::Numeric, _) => Content::Digits,
            (FieldType::Alpha, _) => Content::Letters,
            (FieldType::Alphanumeric, _) => Content::LettersAndDigits,
            (FieldType::Text, _) => Content::Printable,
            (FieldType::Track, _) => Content::Track,
            (FieldType::Binary, _) => Content::Hex,
        };
        let ebcdic = spec.length_encoding == NumeralEncoding::Ebcdic;
        Step {
            length,
            content,
            length_zero: if ebcdic { ebcdic::ZERO } else { b'0' },
            packed: u8::from(spec.encoding == Encoding::Bcd),
            extra: match spec.encoding {
                Encoding::Ebcdic037 | Encoding::Ebcdic1047 => Charset::of(spec.kind).bit(),
                _ => spec.pad.nibble,
            },
            max: spec.max,
        }
    }

    /// Reads the field at `start` into `span`, if there is nothing to say against it.
    /// Gives its end.
    #[inline(always)]
    pub(super) fn read(self, message: &[u8], start: usize, span: &mut Span) -> Option<usize> {
        let rest = message.get(start..)?;
        let (length, in_front) = match self.length {
            Length::ByRules => return None,
            Length::Fixed => (self.max, 0),
            Length::Digits2 => {
                let [tens, ones] = rest.first_chunk()?.map(|byte| byte ^ self.length_zero);
                if tens > 9 || ones > 9 {
                    return None;
                }
                (u16::from(tens).wrapping_mul(10).wrapping_add(ones.into()), 2)
            }
            Length::Digits3 => {
                let [hundreds, tens, ones] =
                    rest.first_chunk()?.map(|byte| byte ^ self.length_zero);
                if hundreds > 9 || tens > 9 || ones > 9 {
                    return None;
                }
                let tens = u16::from(hundreds).wrapping_mul(10).wrapping_add(tens.into());
                (tens.wrapping_mul(10).wrapping_add(ones.into()), 3)
            }
            Length::Packed1 => (two_digits(*rest.first()?)?.into(), 1),
            Length::Packed2 => {
                let [high, low] = *rest.first_chunk()?;
                let hundreds = u16::from(two_digits(high)?).wrapping_mul(100);
                (hundreds.wrapping_add(two_digits(low)?.into()), 2)
            }
            Length::Binary1 => (u16::from(*rest.first()?), 1),
        };
        if length > self.max {
            return None;
        }
        let content = start.saturating_add(in_front);
        let bytes = usize::from(length.saturating_add(self.packed.into()) >> (self.packed & 1));
        let end = content.saturating_add(bytes);
        if !self.admits(message.get(..end)?, bytes, length & 1 == 1) {
            return None;
        }
        // The message is at most MAX_MESSAGE bytes long, so its offsets fit.
        span.start = start as u16;
        span.content = content as u16;
        span.end = end as u16;
        span.length = length;
        Some(end)
    }

    /// Whether the last `count` bytes may be what is in the field; `odd` is said of its length.
    #[inline(always)]
    fn admits(self, message: &[u8], count: usize, odd: bool) -> bool {
        match self.content {
            Content::Any => true,
            Content::Digits => none_in(message, count, |word| no_digits(word, b'0')),
            Content::Letters => none_in(message, count, no_letters),
            Content::LettersAndDigits => none_in(message, count, no_letters_or_digits),
            Content::Printable => none_in(message, count, unprintable),
            Content::Track => none_in(message, count, no_track),
            Content::Hex => !odd && none_in(message, count, no_hex),
            Content::PackedLeft => self.left(message, count, odd, no_packed_digits),
            Content::PackedRight => self.right(message, count, odd, no_packed_digits),
            Content::PackedTrackLeft => self.left(message, count, odd, no_packed_track),
            Content::PackedTrackRight => self.right(message, count, odd, no_packed_track),
            Content::Ebcdic037 => self.ebcdic(&ebcdic::CLASSES_037, message, count),
            Content::Ebcdic1047 => self.ebcdic(&ebcdic::CLASSES_1047, message, count),
        }
    }

    /// Packed digits; in front of an odd number of them stands a digit that is none of them.
    #[inline(always)]
    fn left(self, message: &[u8], count: usize, odd: bool, strangers: impl Fn(u64) -> u64) -> bool {
        let padding = || message.get(message.len().saturating_sub(count)).map(|byte| byte >> 4);
        (!odd || padding() == Some(self.extra)) && none_in(message, count, strangers)
    }

    /// Packed digits; an odd number of them has its padding behind.
    #[inline(always)]
    fn right(
        self,
        message: &[u8],
        count: usize,
        odd: bool,
        strangers: impl Fn(u64) -> u64,
    ) -> bool {
        if !odd {
            return none_in(message, count, strangers);
        }
        let Some((last, front)) = message.split_last() else { return false };
        last & 0x0F == self.extra
            && strangers((last & 0xF0).into()) == 0
            && none_in(front, count.saturating_sub(1), strangers)
    }

    #[inline(always)]
    fn ebcdic(self, classes: &[u8; 256], message: &[u8], count: usize) -> bool {
        let content = message.get(message.len().saturating_sub(count)..);
        ebcdic::all_of(classes, self.extra, content.unwrap_or_default())
    }
}

/// The number in a byte of two packed digits.
#[inline(always)]
fn two_digits(byte: u8) -> Option<u8> {
    let (tens, ones) = (byte >> 4, byte & 0x0F);
    if tens > 9 || ones > 9 {
        return None;
    }
    Some(tens.wrapping_mul(10).wrapping_add(ones))
}

/// The steps of all fields, by number.
pub(super) fn compile(specs: &[Option<FieldSpec>; FIELDS]) -> Box<[Step; FIELDS]> {
    let mut steps = Box::new([Step::BY_RULES; FIELDS]);
    for (step, spec) in steps.iter_mut().zip(specs) {
        *step = spec.as_ref().map_or(Step::BY_RULES, Step::of);
    }
    steps
}
