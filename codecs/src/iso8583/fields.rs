//! Where each field of one decoded message lies. Must hold offsets only, never content, so that it
//! can be kept, reused and printed freely.

use super::field_set::{FieldSet, MAX_FIELD};
use super::mti::Mti;

/// Places for the fields, by number.
pub(super) const FIELDS: usize = MAX_FIELD as usize + 1;

/// Byte offsets of one field within its message.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Span {
    /// First byte of the length, or of the content where there is none.
    pub(super) start: u16,
    /// First byte of the content.
    pub(super) content: u16,
    /// One past the last byte of the content.
    pub(super) end: u16,
    /// Characters, digits or raw bytes, whatever the length in front counts.
    pub(super) length: u16,
}

/// The result of decoding one message: which fields were wholly read, and where they are.
///
/// Make it once per connection and decode every message into it; nothing is allocated after that.
/// After an error it holds every field read without fault, so that a format error can be answered.
#[derive(Clone)]
pub struct Fields {
    pub(super) mti: Option<Mti>,
    pub(super) announced: FieldSet,
    pub(super) present: FieldSet,
    pub(super) spans: [Span; FIELDS],
}

impl Fields {
    /// With no field in it.
    #[must_use]
    pub const fn new() -> Fields {
        Fields {
            mti: None,
            announced: FieldSet::EMPTY,
            present: FieldSet::EMPTY,
            spans: [Span { start: 0, content: 0, end: 0, length: 0 }; FIELDS],
        }
    }

    /// The message type, unless it could not be read.
    #[must_use]
    pub const fn mti(&self) -> Option<Mti> {
        self.mti
    }

    /// The fields wholly read.
    #[must_use]
    pub const fn present(&self) -> FieldSet {
        self.present
    }

    /// The fields the bitmap announced, read or not; without the marks of further bitmaps (1, 65).
    #[must_use]
    pub const fn announced(&self) -> FieldSet {
        self.announced
    }

    /// Offset of the first field that was read, its length included.
    pub(super) fn first_offset(&self) -> Option<usize> {
        let first = self.present.iter().next()?;
        self.span(first).map(|span| span.start.into())
    }

    /// Offsets of a field and of its content.
    pub(super) fn place(&self, field: u8) -> Option<(usize, usize)> {
        self.span(field).map(|span| (span.start.into(), span.content.into()))
    }

    pub(super) fn clear(&mut self) {
        // Spans stay as they are: the set says which of them count.
        self.mti = None;
        self.announced = FieldSet::EMPTY;
        self.present = FieldSet::EMPTY;
    }

    #[inline]
    pub(super) fn span(&self, field: u8) -> Option<Span> {
        if !self.present.contains(field) {
            return None;
        }
        self.spans.get(usize::from(field)).copied()
    }
}

impl Default for Fields {
    fn default() -> Fields {
        Fields::new()
    }
}

impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fields")
            .field("mti", &self.mti)
            .field("present", &self.present)
            .finish_non_exhaustive()
    }
}
