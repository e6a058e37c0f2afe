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

/// How field 22 says how the card was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryForm {
    /// Two digits of a table, and one or two more (1987).
    Digits,
    /// One character for each of twelve questions (1993).
    Positions,
    /// Sixteen bytes of bits, the lowest byte of each four first (as in the CMF).
    Bits,
}

impl EntryForm {
    /// What an edition has where a dialect says nothing else.
    #[must_use]
    pub const fn of(version: Version) -> EntryForm {
        match version {
            Version::V1987 => EntryForm::Digits,
            Version::V1993 | Version::V2003 => EntryForm::Positions,
        }
    }
}

/// How the MTI or a length is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NumeralEncoding {
    /// One ASCII digit a byte.
    Ascii,
    /// One EBCDIC digit a byte, alike in all code pages.
    Ebcdic,
    /// Two digits a byte.
    Bcd,
    /// A number in bytes, big-endian. For lengths only; `l` is one byte, `ll` are two.
    Binary,
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
    /// One length digit in front; of a binary length, one byte.
    L,
    /// Two.
    Ll,
    /// Three.
    Lll,
    /// Four.
    Llll,
    /// Five.
    Lllll,
    /// Six.
    Llllll,
}

impl LengthForm {
    /// Digits of the length in front of the content, bytes if it is binary: 0 to 6.
    #[inline]
    #[must_use]
    pub const fn digits(self) -> usize {
        match self {
            LengthForm::Fixed => 0,
            LengthForm::L => 1,
            LengthForm::Ll => 2,
            LengthForm::Lll => 3,
            LengthForm::Llll => 4,
            LengthForm::Lllll => 5,
            LengthForm::Llllll => 6,
        }
    }
}

/// What a length counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Counts {
    /// Characters, hexadecimal ones too; digits, where two are in a byte; bytes, where the content
    /// is raw.
    #[default]
    Characters,
    /// For packed digits: bytes on the wire. For hexadecimal characters: bytes of the value.
    Bytes,
}

/// How content is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// One ASCII character a byte.
    Ascii,
    /// One character a byte, in EBCDIC code page 037.
    #[serde(rename = "ebcdic-037")]
    Ebcdic037,
    /// One character a byte, in EBCDIC code page 1047.
    #[serde(rename = "ebcdic-1047")]
    Ebcdic1047,
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
    /// What its length counts, and its maximum.
    pub counts: Counts,
    /// Largest length (the length, if fixed), in what a length counts; with the sign of `x+n`.
    pub max: u16,
}

impl FieldSpec {
    /// Bytes of the length in front of the content.
    #[inline]
    #[must_use]
    pub const fn length_bytes(&self) -> usize {
        let digits = self.length.digits();
        match self.length_encoding {
            NumeralEncoding::Ascii | NumeralEncoding::Ebcdic | NumeralEncoding::Binary => digits,
            NumeralEncoding::Bcd => digits.saturating_add(1) >> 1,
        }
    }

    /// Bytes on the wire of a content whose length says `length`.
    #[inline]
    #[must_use]
    pub const fn content_bytes(&self, length: usize) -> usize {
        match (self.encoding, self.counts) {
            (Encoding::Bcd, Counts::Characters) => match self.kind {
                FieldType::SignedAmount => (length >> 1).saturating_add(1),
                _ => length.saturating_add(1) >> 1,
            },
            (Encoding::Hex, Counts::Bytes) => length.saturating_mul(2),
            _ => length,
        }
    }

    /// Characters, digits or raw bytes of a content whose length says `length`.
    #[inline]
    pub(super) fn characters(&self, length: usize, content: &[u8]) -> usize {
        match (self.counts, self.encoding) {
            (Counts::Characters, _) => length,
            (Counts::Bytes, Encoding::Bcd) => self.unpadded(content),
            (Counts::Bytes, _) => length.saturating_mul(2),
        }
    }

    /// Digits of packed bytes whose number nobody has told. Only a nibble that is no digit can be
    /// told from them.
    fn unpadded(&self, content: &[u8]) -> usize {
        let digits = content.len().saturating_mul(2);
        let padding = match self.pad.side {
            Side::Left => content.first().map(|byte| byte >> 4),
            Side::Right => content.last().map(|byte| byte & 0x0F),
        };
        let padded = self.pad.nibble > 9 && padding == Some(self.pad.nibble);
        if padded { digits.saturating_sub(1) } else { digits }
    }

    /// What a length says of so many characters, digits or raw bytes.
    #[inline]
    pub(super) const fn length_of(&self, characters: usize) -> usize {
        match (self.counts, self.encoding) {
            (Counts::Bytes, Encoding::Bcd | Encoding::Hex) => characters.saturating_add(1) >> 1,
            _ => characters,
        }
    }
}
