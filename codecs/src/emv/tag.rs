//! A BER-TLV tag of one to four bytes. Must be comparable by its bytes alone.

use std::fmt;

/// A tag, e.g. `Tag::new(0x9F02)`: its bytes read as one big-endian number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(u32);

impl Tag {
    /// Most bytes a tag may have.
    pub const MAX_LEN: usize = 4;

    /// From its bytes read as one number, if they make one tag: the first byte is not zero, and
    /// exactly the bytes that say so are followed by another.
    #[must_use]
    pub const fn new(bytes: u32) -> Option<Tag> {
        let tag = Tag(bytes);
        let [b0, b1, b2, b3] = bytes.to_be_bytes();
        let whole = match tag.byte_len() {
            0 => false,
            1 => b3 & 0x1F != 0x1F,
            2 => b2 & 0x1F == 0x1F && b3 & 0x80 == 0,
            3 => b1 & 0x1F == 0x1F && b2 & 0x80 != 0 && b3 & 0x80 == 0,
            _ => b0 & 0x1F == 0x1F && b1 & 0x80 != 0 && b2 & 0x80 != 0 && b3 & 0x80 == 0,
        };
        if whole { Some(tag) } else { None }
    }

    /// How many bytes it has, 1 to 4.
    #[must_use]
    pub const fn byte_len(self) -> usize {
        match self.0 {
            0 => 0,
            1..=0xFF => 1,
            0x100..=0xFFFF => 2,
            0x1_0000..=0xFF_FFFF => 3,
            _ => 4,
        }
    }

    /// Its bytes read as one big-endian number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// True when its value is again a list of objects (bit 6 of the first byte).
    #[must_use]
    pub const fn is_constructed(self) -> bool {
        let [b0, b1, b2, b3] = self.0.to_be_bytes();
        let first = match self.byte_len() {
            1 => b3,
            2 => b2,
            3 => b1,
            _ => b0,
        };
        first & 0x20 != 0
    }

    /// Its bytes at the end of the four.
    pub(super) const fn padded_bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tag(number) = self;
        match self.byte_len() {
            1 => write!(f, "{number:02X}"),
            2 => write!(f, "{number:04X}"),
            3 => write!(f, "{number:06X}"),
            _ => write!(f, "{number:08X}"),
        }
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({self})")
    }
}
