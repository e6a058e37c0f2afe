//! Which byte may stand in which type of field. Must answer for whole fields at once, without
//! branching on each byte: this is the inner loop of the decoder.

use super::spec::FieldType;

const DIGIT: u8 = 1;
const LETTER: u8 = 2;
const SPACE: u8 = 4;
const SEPARATOR: u8 = 8;
const PRINTABLE: u8 = 16;
const HEX: u8 = 32;

/// The classes each byte belongs to.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0u8; 256];
    let mut rest: &mut [u8] = &mut table;
    let mut byte = 0u8;
    while let Some((class, tail)) = rest.split_first_mut() {
        *class = class_of(byte);
        rest = tail;
        byte = byte.wrapping_add(1);
    }
    table
}

const fn class_of(byte: u8) -> u8 {
    let mut class = 0;
    if byte.is_ascii_digit() {
        class |= DIGIT;
    }
    if byte.is_ascii_alphabetic() {
        class |= LETTER;
    }
    if byte == b' ' {
        class |= SPACE;
    }
    if matches!(byte, b'=' | b'D' | b'd') {
        class |= SEPARATOR;
    }
    if byte.is_ascii_graphic() || byte == b' ' {
        class |= PRINTABLE;
    }
    if byte.is_ascii_hexdigit() {
        class |= HEX;
    }
    class
}

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

    const fn mask(self) -> u8 {
        match self {
            Charset::Digits => DIGIT,
            Charset::Letters => LETTER | SPACE,
            Charset::LettersAndDigits => LETTER | DIGIT | SPACE,
            Charset::Printable => PRINTABLE,
            Charset::Track => DIGIT | SEPARATOR,
            Charset::Hex => HEX,
        }
    }

    #[inline]
    fn admits(self, byte: u8) -> bool {
        CLASSES.get(usize::from(byte)).is_some_and(|class| class & self.mask() != 0)
    }

    /// Index of the first byte that may not stand here.
    #[inline]
    pub(super) fn first_stranger(self, bytes: &[u8]) -> Option<usize> {
        let all_admitted = match self {
            // Folds without an early exit, which the compiler turns into vector code.
            Charset::Digits => {
                bytes.iter().fold(true, |good, byte| good & (byte.wrapping_sub(b'0') <= 9))
            }
            Charset::Printable => {
                bytes.iter().fold(true, |good, byte| good & (byte.wrapping_sub(b' ') <= 0x5e))
            }
            _ => bytes.iter().fold(true, |good, byte| good & self.admits(*byte)),
        };
        if all_admitted { None } else { bytes.iter().position(|byte| !self.admits(*byte)) }
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
