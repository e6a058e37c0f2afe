//! Which byte may stand in which type of field, and which is the first that may not. For whole
//! fields it asks `words`, and must say the same.

use super::ebcdic;
use super::spec::FieldType;
use super::words::{
    no_digits, no_hex, no_letters, no_letters_or_digits, no_track, none_in, unprintable,
};

/// What the characters of a field must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Charset {
    Digits,
    Letters,
    LettersAndDigits,
    Printable,
    Track,
    Hex,
}

impl Charset {
    /// All of them.
    pub(super) const ALL: [Charset; 6] = [
        Charset::Digits,
        Charset::Letters,
        Charset::LettersAndDigits,
        Charset::Printable,
        Charset::Track,
        Charset::Hex,
    ];

    /// A bit of its own, for tables of what a byte may be.
    pub(super) const fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The characters of a field's type; a sign in front of `x+n` is looked at apart.
    pub(super) const fn of(kind: FieldType) -> Charset {
        match kind {
            FieldType::Numeric | FieldType::SignedAmount => Charset::Digits,
            FieldType::Alpha => Charset::Letters,
            FieldType::Alphanumeric => Charset::LettersAndDigits,
            FieldType::Text => Charset::Printable,
            FieldType::Track => Charset::Track,
            FieldType::Binary => Charset::Hex,
        }
    }

    /// In words, plural, for error texts.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Charset::Digits => "digits",
            Charset::Letters => "letters or spaces",
            Charset::LettersAndDigits => "letters, digits or spaces",
            Charset::Printable => "printable ASCII characters",
            Charset::Track => "digits or a separator (= or D)",
            Charset::Hex => "hexadecimal characters",
        }
    }

    /// True when the byte may stand in the field.
    #[inline]
    pub(super) const fn admits(self, byte: u8) -> bool {
        let digit = byte.wrapping_sub(b'0') <= 9;
        let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        match self {
            Charset::Digits => digit,
            Charset::Letters => letter | (byte == b' '),
            Charset::LettersAndDigits => digit | letter | (byte == b' '),
            Charset::Printable => byte.wrapping_sub(b' ') <= 0x5E,
            Charset::Track => digit | (byte == b'=') | (byte | 0x20 == b'd'),
            Charset::Hex => digit | ((byte | 0x20).wrapping_sub(b'a') < 6),
        }
    }

    /// Index of the first byte that may not stand here.
    #[inline]
    pub(super) fn first_stranger(self, bytes: &[u8]) -> Option<usize> {
        let count = bytes.len();
        let all_admitted = match self {
            Charset::Digits => none_in(bytes, count, |word| no_digits(word, b'0')),
            Charset::Letters => none_in(bytes, count, no_letters),
            Charset::LettersAndDigits => none_in(bytes, count, no_letters_or_digits),
            Charset::Printable => none_in(bytes, count, unprintable),
            Charset::Track => none_in(bytes, count, no_track),
            Charset::Hex => none_in(bytes, count, no_hex),
        };
        if all_admitted { None } else { bytes.iter().position(|byte| !self.admits(*byte)) }
    }
}

impl Charset {
    /// The same of content that is written in EBCDIC.
    pub(super) fn first_stranger_in(self, table: &[u8; 256], bytes: &[u8]) -> Option<usize> {
        bytes.iter().position(|byte| !self.admits(ebcdic::in_ascii(table, *byte)))
    }
}

/// The nibble of a BCD digit or separator as a character: 0 to 9, or `=` for 0xD in track data.
#[inline]
pub(super) const fn nibble_character(nibble: u8, kind: FieldType) -> Option<u8> {
    match (nibble, kind) {
        (0..=9, _) => Some(nibble | b'0'),
        (0xD, FieldType::Track) => Some(b'='),
        _ => None,
    }
}

/// The nibble that stands for a character: its digit, or 0xD for a track separator.
#[inline]
pub(super) const fn character_nibble(character: u8) -> u8 {
    match character {
        b'=' | b'D' | b'd' => 0xD,
        digit => digit & 0x0F,
    }
}

/// The value of a hexadecimal character of either case.
#[inline]
pub(super) const fn hex_value(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character.wrapping_sub(b'0')),
        b'A'..=b'F' => Some(character.wrapping_sub(b'A').wrapping_add(10)),
        b'a'..=b'f' => Some(character.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    }
}

/// The upper-case hexadecimal character of the low nibble.
#[inline]
pub(super) const fn hex_character(nibble: u8) -> u8 {
    match nibble & 0x0F {
        digit @ 0..=9 => digit | b'0',
        letter => letter.wrapping_sub(10).wrapping_add(b'A'),
    }
}
