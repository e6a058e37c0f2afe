//! Reading bounded pieces off received bytes, and nibbles out of them.
//! Must never look past the end, whatever a length on the wire says.

use super::spec::{Pad, Side};

/// The bytes of a message with a position; positions only grow and never pass the end.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0 }
    }

    /// Offset of the next byte.
    #[inline]
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// Bytes not read yet.
    #[inline]
    pub(super) const fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// The next `count` bytes, or `None` (and no movement) when there are fewer.
    #[inline]
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let piece = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(piece)
    }
}

/// The nibbles of packed bytes, high one first.
#[inline]
pub(super) fn nibbles(bytes: &[u8]) -> impl DoubleEndedIterator<Item = u8> + '_ {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0F])
}

/// The digits of `count` packed nibbles without the nibble that fills them up.
#[inline]
pub(super) fn digit_nibbles(bytes: &[u8], count: usize, pad: Pad) -> impl Iterator<Item = u8> + '_ {
    nibbles(bytes).skip(pad_in_front(count, pad)).take(count)
}

/// How many nibbles (0 or 1) stand in front of `count` packed digits.
#[inline]
pub(super) const fn pad_in_front(count: usize, pad: Pad) -> usize {
    match pad.side {
        Side::Left => count & 1,
        Side::Right => 0,
    }
}
