//! The compiled form of one field's rules, and the vocabulary dialect files use for it.
//! Must stay small and `Copy`: the decoder walks a flat table of these.

use serde::Deserialize;

/// Edition of the standard, which the first digit of the MTI carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub enum Version {
    /// ISO 8583:1987, MTI 0xxx.
    #[serde(rename = "1987")]
    V1987,
    /// ISO 8583:1993, MTI 1xxx.
    #[serde(rename = "1993")]
    V1993,
    /// ISO 8583:2003, MTI 2xxx.
    #[serde(rename = "2003")]
    V2003,
}

impl Version {
    /// `"1987"`, `"1993"` or `"2003"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Version::V1987 => "1987",
            Version::V1993 => "1993",
            Version::V2003 => "2003",
        }
    }

    /// First digit of the MTI in this edition.
    #[must_use]
    pub const fn mti_digit(self) -> u8 {
        match self {
            Version::V1987 => 0,
            Version::V1993 => 1,
            Version::V2003 => 2,
        }
    }
}

/// How the MTI or a length is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NumeralEncoding {
    /// One ASCII digit a byte.
    Ascii,
    /// Two digits a byte.
    Bcd,
}

/// How a bitmap is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BitmapEncoding {
    /// 16 hexadecimal characters for 64 bits.
    Hex,
    /// 8 bytes for 64 bits.
    Binary,
}

/// What a field may contain (ISO 8583:1987 clause 4.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub enum FieldType {
    /// Digits.
    #[serde(rename = "n")]
    Numeric,
    /// Letters, and the space that pads them.
    #[serde(rename = "a")]
    Alpha,
    /// Letters and digits, and the space that pads them.
    #[serde(rename = "an")]
    Alphanumeric,
    /// Printable ASCII characters.
    #[serde(rename = "ans")]
    Text,
    /// Binary.
    #[serde(rename = "b")]
    Binary,
    /// Track data: digits and a separator, `=` or `D`.
    #[serde(rename = "z")]
    Track,
    /// A sign, `C` (credit) or `D` (debit), and digits.
    #[serde(rename = "x+n")]
    SignedAmount,
}

/// How long a field is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LengthForm {
    /// Always the maximum.
    Fixed,
    /// Two length digits in front.
    Ll,
    /// Three length digits in front.
    Lll,
}

/// How content is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// One ASCII character a byte.
    Ascii,
    /// Two digits a byte; the sign of `x+n` stays one ASCII character.
    Bcd,
    /// Bytes as they are.
    Raw,
    /// Two hexadecimal characters for each byte of the value.
    Hex,
}

/// A side of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// In front of the digits.
    Left,
    /// Behind the digits.
    Right,
}

/// The nibble that fills an odd number of BCD digits up to whole bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pad {
    /// Where it stands.
    pub side: Side,
    /// Its value, 0 to 15.
    pub nibble: u8,
}

/// The rules of one field, as compiled from a dialect file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FieldSpec {
    /// What it may contain.
    pub kind: FieldType,
    /// Fixed or variable.
    pub length: LengthForm,
    /// How its length is written, if variable.
    pub length_encoding: NumeralEncoding,
    /// How its content is written.
    pub encoding: Encoding,
    /// Padding of odd BCD digits.
    pub pad: Pad,
    /// Largest length (the length, if fixed), in what a length counts: characters for ASCII and
    /// hex, digits for BCD (with the sign of `x+n`), bytes for raw.
    pub max: u16,
}

impl FieldSpec {
    /// Digits of the length in front of the content: 0, 2 or 3.
    #[must_use]
    pub const fn length_digits(&self) -> usize {
        match self.length {
            LengthForm::Fixed => 0,
            LengthForm::Ll => 2,
            LengthForm::Lll => 3,
        }
    }

    /// Bytes of the length in front of the content.
    #[must_use]
    pub const fn length_bytes(&self) -> usize {
        match self.length_encoding {
            NumeralEncoding::Ascii => self.length_digits(),
            NumeralEncoding::Bcd => self.length_digits().saturating_add(1) >> 1,
        }
    }

    /// Bytes on the wire that a content of `length` (characters, digits or bytes, see `max`) takes.
    #[inline]
    #[must_use]
    pub const fn content_bytes(&self, length: usize) -> usize {
        match (self.encoding, self.kind) {
            (Encoding::Bcd, FieldType::SignedAmount) => (length >> 1).saturating_add(1),
            (Encoding::Bcd, _) => length.saturating_add(1) >> 1,
            _ => length,
        }
    }
}
