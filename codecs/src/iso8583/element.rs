//! A sub-element that was read, and how one asks for those of a field. Must not print its content.

use std::sync::Arc;

use super::dialect::Dialect;
use super::ebcdic;
use super::message::Message;
use super::spec::Encoding;
use super::wire::nibbles;

/// A sub-element that was read.
#[derive(Clone, Debug)]
pub struct Element<'a> {
    /// Its number, tag or bit, as the dialect writes it.
    pub key: Arc<str>,
    /// Its name, if the dialect or EMV has one.
    pub name: Option<Arc<str>>,
    /// Offset in the field's content.
    pub offset: usize,
    /// Tag, length and content.
    pub raw: &'a [u8],
    /// Content.
    pub content: Content<'a>,
    /// No text may show its content.
    pub sensitive: bool,
}

/// The content of a sub-element: what it says is asked of it. Must not print itself.
#[derive(Clone, Copy)]
pub struct Content<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) encoding: Encoding,
}

impl<'a> Content<'a> {
    /// The bytes as they came.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The characters, where they are such.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        if self.encoding == Encoding::Raw {
            return None;
        }
        String::from_utf8(self.characters().collect()).ok()
    }

    /// Whether these are the characters. Nothing is allocated.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.encoding != Encoding::Raw && self.characters().eq(text.bytes())
    }

    /// The characters one by one; of raw bytes, those themselves.
    pub(super) fn characters(self) -> impl Iterator<Item = u8> + 'a {
        let (plain, packed): (&[u8], &[u8]) = match self.encoding {
            Encoding::Bcd => (&[], self.bytes),
            _ => (self.bytes, &[]),
        };
        let table = ebcdic::to_ascii(self.encoding);
        let plain = plain
            .iter()
            .map(move |byte| table.map_or(*byte, |table| ebcdic::in_ascii(table, *byte)));
        plain.chain(nibbles(packed).map(digit))
    }
}

pub(super) const fn digit(nibble: u8) -> u8 {
    match nibble {
        0..=9 => nibble | b'0',
        other => other.wrapping_sub(10).wrapping_add(b'A'),
    }
}

impl std::fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content({} bytes)", self.bytes.len())
    }
}

impl<'a> Message<'a> {
    /// The sub-elements of a field, in their order; `None` where the field is not there, or the
    /// dialect says nothing of what is in it. Of a field that decoding refused,
    /// those before the fault.
    #[must_use]
    pub fn elements(&self, field: u8) -> Option<Vec<Element<'a>>> {
        let elements = self.dialect().elements(field)?;
        let mut found = Vec::new();
        let _ = elements.read(self.content(field)?, &mut found);
        Some(found)
    }
}

impl<'a> Message<'a> {
    /// The content of one sub-element that the dialect describes, by its key; `None` where the
    /// field or the sub-element is not there. Nothing is allocated.
    #[must_use]
    pub fn element(&self, field: u8, key: &str) -> Option<Content<'a>> {
        self.dialect().elements(field)?.find(self.content(field)?, key)
    }
}

impl Dialect {
    /// Whether a field has sub-elements by this dialect.
    #[must_use]
    pub fn has_elements(&self, field: u8) -> bool {
        self.elements(field).is_some()
    }
}
