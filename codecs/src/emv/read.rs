//! Reading BER-TLV over borrowed bytes. Must refuse every length that runs past its list, and
//! follow constructed objects no deeper than allowed.

use std::fmt;

use super::MAX_DEPTH;
use super::tag::Tag;

/// Why bytes are not BER-TLV.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TlvFault {
    /// The bytes end within a tag.
    #[error("the tag is cut short")]
    TagCutShort,
    /// The tag has more than four bytes, or a form no tag has.
    #[error("the tag is longer than 4 bytes or malformed")]
    TagMalformed,
    /// The bytes end within a length.
    #[error("the length is cut short")]
    LengthCutShort,
    /// A length of indefinite form (80), or of more than three bytes.
    #[error("first length byte 0x{0:02X}: only 1 to 3 bytes of definite length are allowed")]
    LengthForm(u8),
    /// The value would run past the end.
    #[error("the value has {length} bytes by its length, {left} are left")]
    ValueCutShort {
        /// Bytes by its length.
        length: usize,
        /// Bytes left.
        left: usize,
    },
    /// The value is too long to be written.
    #[error("a value of {0} bytes is too long")]
    ValueTooLong(usize),
    /// Constructed objects nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// The object is not a constructed one.
    #[error("the object is not constructed")]
    NotConstructed,
}

/// Where bytes are not BER-TLV, and why. Shows no values.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("TLV object at byte {offset}: {fault}")]
pub struct TlvError {
    /// Byte offset of the object in the outermost bytes.
    pub offset: usize,
    /// Why.
    pub fault: TlvFault,
}

/// A list of TLV objects whose lengths have been checked. It keeps the original bytes.
#[derive(Clone, Copy)]
pub struct TlvList<'a> {
    bytes: &'a [u8],
    /// Offset of `bytes` within the outermost list.
    base: usize,
    depth: u8,
}

impl<'a> TlvList<'a> {
    /// Checks the objects of one level, the outermost. What constructed objects hold is read when
    /// asked for with [`Tlv::children`]: vendors put other things there too.
    ///
    /// # Errors
    /// The first object that is not well formed.
    pub fn parse(bytes: &'a [u8]) -> Result<TlvList<'a>, TlvError> {
        TlvList { bytes, base: 0, depth: 1 }.checked()
    }

    fn checked(self) -> Result<TlvList<'a>, TlvError> {
        let mut rest = TlvIter(self);
        while rest.step()?.is_some() {}
        Ok(self)
    }

    /// The bytes it was read from.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The objects in their order, repeated and unknown tags included.
    #[must_use]
    pub const fn iter(&self) -> TlvIter<'a> {
        TlvIter(*self)
    }

    /// The value of the first object with this tag on this level.
    #[must_use]
    pub fn find(&self, tag: Tag) -> Option<&'a [u8]> {
        self.iter().find(|tlv| tlv.tag == tag).map(|tlv| tlv.value)
    }
}

impl<'a> IntoIterator for TlvList<'a> {
    type Item = Tlv<'a>;
    type IntoIter = TlvIter<'a>;

    fn into_iter(self) -> TlvIter<'a> {
        self.iter()
    }
}

/// One object.
#[derive(Clone, Copy)]
pub struct Tlv<'a> {
    /// Its tag.
    pub tag: Tag,
    /// Its value.
    pub value: &'a [u8],
    /// Tag, length and value as they were read.
    pub raw: &'a [u8],
    /// Byte offset of the tag in the outermost list.
    pub offset: usize,
    depth: u8,
}

impl<'a> Tlv<'a> {
    /// The objects within a constructed one.
    ///
    /// # Errors
    /// [`TlvFault::NotConstructed`], [`TlvFault::TooDeep`], or the first object within that is not
    /// well formed.
    pub fn children(&self) -> Result<TlvList<'a>, TlvError> {
        let fail = |fault| Err(TlvError { offset: self.offset, fault });
        if !self.tag.is_constructed() {
            return fail(TlvFault::NotConstructed);
        }
        if self.depth >= MAX_DEPTH {
            return fail(TlvFault::TooDeep);
        }
        let head = self.raw.len().saturating_sub(self.value.len());
        let base = self.offset.saturating_add(head);
        TlvList { bytes: self.value, base, depth: self.depth.saturating_add(1) }.checked()
    }
}

/// Values may be card data: tags and lengths only.
impl fmt::Debug for Tlv<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tlv({}, {} bytes)", self.tag, self.value.len())
    }
}

impl fmt::Debug for TlvList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The objects of a list in their order.
#[derive(Clone, Debug)]
pub struct TlvIter<'a>(TlvList<'a>);

impl<'a> TlvIter<'a> {
    /// The next object. Zero bytes between objects are padding and skipped (EMV Book 3 annex B1).
    fn step(&mut self) -> Result<Option<Tlv<'a>>, TlvError> {
        let list = &mut self.0;
        let padding = list.bytes.iter().take_while(|byte| **byte == 0).count();
        list.bytes = list.bytes.get(padding..).unwrap_or_default();
        list.base = list.base.saturating_add(padding);
        if list.bytes.is_empty() {
            return Ok(None);
        }
        let offset = list.base;
        let fail = |fault| TlvError { offset, fault };
        let (tag, after_tag) = split_tag(list.bytes).map_err(fail)?;
        let (length, after_length) = split_length(after_tag).map_err(fail)?;
        let Some((value, rest)) = after_length.split_at_checked(length) else {
            return Err(fail(TlvFault::ValueCutShort { length, left: after_length.len() }));
        };
        let size = list.bytes.len().saturating_sub(rest.len());
        let raw = list.bytes.get(..size).unwrap_or_default();
        list.bytes = rest;
        list.base = offset.saturating_add(size);
        Ok(Some(Tlv { tag, value, raw, offset, depth: list.depth }))
    }
}

impl<'a> Iterator for TlvIter<'a> {
    type Item = Tlv<'a>;

    fn next(&mut self) -> Option<Tlv<'a>> {
        // The list was checked when it was made, so no error is lost here.
        self.step().ok().flatten()
    }
}

fn split_tag(bytes: &[u8]) -> Result<(Tag, &[u8]), TlvFault> {
    let mut number = 0u32;
    for (index, byte) in bytes.iter().enumerate().take(Tag::MAX_LEN) {
        number = number << 8 | u32::from(*byte);
        let more = if index == 0 { byte & 0x1F == 0x1F } else { byte & 0x80 != 0 };
        if !more {
            let tag = Tag::new(number).ok_or(TlvFault::TagMalformed)?;
            let rest = bytes.get(index.saturating_add(1)..).unwrap_or_default();
            return Ok((tag, rest));
        }
    }
    if bytes.len() < Tag::MAX_LEN {
        Err(TlvFault::TagCutShort)
    } else {
        Err(TlvFault::TagMalformed)
    }
}

fn split_length(bytes: &[u8]) -> Result<(usize, &[u8]), TlvFault> {
    let (first, rest) = bytes.split_first().ok_or(TlvFault::LengthCutShort)?;
    let count = match *first {
        short @ 0..=0x7F => return Ok((usize::from(short), rest)),
        0x81..=0x83 => usize::from(first & 0x0F),
        other => return Err(TlvFault::LengthForm(other)),
    };
    let (digits, rest) = rest.split_at_checked(count).ok_or(TlvFault::LengthCutShort)?;
    let length = digits.iter().fold(0usize, |length, byte| length << 8 | usize::from(*byte));
    Ok((length, rest))
}
