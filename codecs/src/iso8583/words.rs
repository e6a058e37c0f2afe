//! Which byte may stand in which type of field, asked of eight bytes at a time. Must say no more
//! than that there is a stranger: which one it is, `charset` knows.
//!
//! Every test gives a word with a bit set in each byte that is a stranger. A stranger may also mark
//! the bytes of higher value next to it, never those of lower value.

const EACH: u64 = 0x0101_0101_0101_0101;
const TOP: u64 = 0x80 * EACH;

/// A byte in each of the eight places.
const fn eight(byte: u8) -> u64 {
    (byte as u64).wrapping_mul(EACH)
}

/// Top bits of the bytes from `low` to `high`; both below 0x80, and so is every byte of `word`.
#[inline(always)]
const fn within(word: u64, low: u8, high: u8) -> u64 {
    word.wrapping_add(eight(0x80u8.wrapping_sub(low)))
        & !word.wrapping_add(eight(0x7Fu8.wrapping_sub(high)))
        & TOP
}

/// All but `0` to `9`, where `zero` has the zero of the code in each byte.
#[inline(always)]
pub(super) const fn no_digits(word: u64, zero: u8) -> u64 {
    let value = word ^ eight(zero);
    (value | value.wrapping_add(eight(0x76))) & TOP
}

/// All but the printable characters of ASCII.
#[inline(always)]
pub(super) const fn unprintable(word: u64) -> u64 {
    (word | word.wrapping_sub(eight(b' ')) | word.wrapping_add(EACH)) & TOP
}

/// All but letters and the space.
#[inline(always)]
pub(super) const fn no_letters(word: u64) -> u64 {
    let low = word & !TOP;
    let admitted = within(low | eight(0x20), b'a', b'z') | within(low, b' ', b' ');
    (word | !admitted) & TOP
}

/// All but letters, digits and the space.
#[inline(always)]
pub(super) const fn no_letters_or_digits(word: u64) -> u64 {
    no_letters(word) & !within(word & !TOP, b'0', b'9') | word & TOP
}

/// All but digits and the separator of track data.
#[inline(always)]
pub(super) const fn no_track(word: u64) -> u64 {
    let low = word & !TOP;
    let separator = within(low, b'=', b'=') | within(low | eight(0x20), b'd', b'd');
    (word | !(separator | within(low, b'0', b'9'))) & TOP
}

/// All but hexadecimal characters.
#[inline(always)]
pub(super) const fn no_hex(word: u64) -> u64 {
    let low = word & !TOP;
    let admitted = within(low | eight(0x20), b'a', b'f') | within(low, b'0', b'9');
    (word | !admitted) & TOP
}

/// Half bytes above 9.
#[inline(always)]
pub(super) const fn no_packed_digits(word: u64) -> u64 {
    word & (word << 1 | word << 2) & eight(0x88)
}

/// Half bytes above 9 that are no separator of track data (0xD).
#[inline(always)]
pub(super) const fn no_packed_track(word: u64) -> u64 {
    let separator = word & word << 1 & !(word << 2) & word << 3;
    no_packed_digits(word) & !separator
}

/// True when none of the last `count` bytes of `message` is a stranger. Quickest where bytes stand
/// in front of them: then there is a whole word to read, however few they are.
#[inline(always)]
pub(super) fn none_in(message: &[u8], count: usize, strangers: impl Fn(u64) -> u64) -> bool {
    // Big-endian: a stranger marks what is in front of it, and what is in front of the content is
    // pushed out.
    let last = match message.last_chunk::<8>() {
        Some(last) => u64::from_be_bytes(*last),
        None => message.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    let marks = strangers(last);
    if count <= 8 {
        let others = 64u32.wrapping_sub((count as u32) << 3);
        return count == 0 || marks.wrapping_shl(others) == 0;
    }
    // The word that the last one laps over is the last of these.
    let end = message.len().saturating_sub(1);
    let front = message.get(message.len().saturating_sub(count)..end).unwrap_or_default();
    marks == 0
        && front.as_chunks::<8>().0.iter().all(|word| strangers(u64::from_be_bytes(*word)) == 0)
}
