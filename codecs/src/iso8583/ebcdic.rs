//! The two EBCDIC code pages that card networks use, for the characters that ASCII can print. Must
//! hold tables only; what may stand in a field is the affair of its type.

use super::charset::Charset;
use super::spec::Encoding;

/// What stands for a byte that is no printable character of ASCII: no type of field admits it.
const UNPRINTABLE: u8 = 0;

/// Of 0 in both pages; the other digits follow.
pub(super) const ZERO: u8 = 0xF0;

const FIRST: u8 = b' ';
const PRINTABLE: usize = 95;

/// Code page 037, from the space on.
#[rustfmt::skip]
const PAGE_037: [u8; PRINTABLE] = [
    0x40, 0x5A, 0x7F, 0x7B, 0x5B, 0x6C, 0x50, 0x7D, 0x4D, 0x5D, 0x5C, 0x4E, 0x6B, 0x60, 0x4B, 0x61,
    0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0x7A, 0x5E, 0x4C, 0x7E, 0x6E, 0x6F,
    0x7C, 0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6,
    0xD7, 0xD8, 0xD9, 0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xBA, 0xE0, 0xBB, 0xB0, 0x6D,
    0x79, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96,
    0x97, 0x98, 0x99, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xC0, 0x4F, 0xD0, 0xA1,
];

/// Code page 1047: three characters stand elsewhere.
#[rustfmt::skip]
const PAGE_1047: [u8; PRINTABLE] = [
    0x40, 0x5A, 0x7F, 0x7B, 0x5B, 0x6C, 0x50, 0x7D, 0x4D, 0x5D, 0x5C, 0x4E, 0x6B, 0x60, 0x4B, 0x61,
    0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0x7A, 0x5E, 0x4C, 0x7E, 0x6E, 0x6F,
    0x7C, 0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6,
    0xD7, 0xD8, 0xD9, 0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xAD, 0xE0, 0xBD, 0x5F, 0x6D,
    0x79, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96,
    0x97, 0x98, 0x99, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xC0, 0x4F, 0xD0, 0xA1,
];

static TO_ASCII_037: [u8; 256] = reversed(&PAGE_037);
static TO_ASCII_1047: [u8; 256] = reversed(&PAGE_1047);

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // at compile time
const fn reversed(page: &[u8; PRINTABLE]) -> [u8; 256] {
    let mut table = [UNPRINTABLE; 256];
    let mut index = 0;
    while index < PRINTABLE {
        table[page[index] as usize] = FIRST + index as u8;
        index += 1;
    }
    table
}

/// Which types of field admit a byte, one bit each ([`Charset::bit`]).
pub(super) static CLASSES_037: [u8; 256] = classes(&TO_ASCII_037);
pub(super) static CLASSES_1047: [u8; 256] = classes(&TO_ASCII_1047);

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // at compile time
const fn classes(to_ascii: &[u8; 256]) -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        let mut index = 0;
        while index < Charset::ALL.len() {
            let charset = Charset::ALL[index];
            if charset.admits(to_ascii[byte]) {
                table[byte] |= charset.bit();
            }
            index += 1;
        }
        byte += 1;
    }
    table
}

/// True when the table has the bit for every byte.
#[inline]
pub(super) fn all_of(classes: &[u8; 256], bit: u8, bytes: &[u8]) -> bool {
    let class = |byte: &u8| classes.get(usize::from(*byte)).copied().unwrap_or_default();
    bytes.iter().fold(bit, |all, byte| all & class(byte)) != 0
}

/// The way from EBCDIC to ASCII of an encoding; `None` where that is not EBCDIC.
#[inline]
pub(super) const fn to_ascii(encoding: Encoding) -> Option<&'static [u8; 256]> {
    match encoding {
        Encoding::Ebcdic037 => Some(&TO_ASCII_037),
        Encoding::Ebcdic1047 => Some(&TO_ASCII_1047),
        Encoding::Ascii | Encoding::Bcd | Encoding::Raw | Encoding::Hex => None,
    }
}

/// A byte in ASCII.
#[inline]
pub(super) fn in_ascii(table: &[u8; 256], byte: u8) -> u8 {
    table.get(usize::from(byte)).copied().unwrap_or(UNPRINTABLE)
}

/// Writes printable ASCII in EBCDIC, in place; other encodings stay as they are.
pub(super) fn from_ascii(encoding: Encoding, text: &mut [u8]) {
    let page = match encoding {
        Encoding::Ebcdic037 => &PAGE_037,
        Encoding::Ebcdic1047 => &PAGE_1047,
        Encoding::Ascii | Encoding::Bcd | Encoding::Raw | Encoding::Hex => return,
    };
    for byte in text {
        let index = usize::from(byte.wrapping_sub(FIRST));
        *byte = page.get(index).copied().unwrap_or(*byte);
    }
}
