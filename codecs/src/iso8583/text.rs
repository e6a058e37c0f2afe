//! The characters of one field, alike for every encoding. Must not print itself: to see the
//! characters, ask for them.

use std::fmt;
use std::ops::Deref;

/// Most digits a packed field may have, and so what is unpacked without allocating.
pub(super) const INLINE: usize = 128;

/// A field's characters: borrowed from the message where they are ASCII there, else unpacked in
/// place.
#[derive(Clone)]
pub struct Text<'a>(Inner<'a>);

#[derive(Clone)]
enum Inner<'a> {
    Borrowed(&'a str),
    Unpacked { characters: [u8; INLINE], len: usize },
    Owned(String),
}

impl<'a> Text<'a> {
    pub(super) const fn borrowed(text: &'a str) -> Text<'a> {
        Text(Inner::Borrowed(text))
    }

    /// ASCII characters that were written otherwise; allocates for more than 128 of them.
    pub(super) fn translated(source: impl ExactSizeIterator<Item = u8>) -> Option<Text<'a>> {
        if source.len() <= INLINE {
            return Text::unpacked(source);
        }
        String::from_utf8(source.collect()).ok().map(|text| Text(Inner::Owned(text)))
    }

    /// Takes at most 128 ASCII characters; `None` if there are more.
    pub(super) fn unpacked(source: impl Iterator<Item = u8>) -> Option<Text<'a>> {
        let mut characters = [0; INLINE];
        let mut len = 0usize;
        for character in source {
            *characters.get_mut(len)? = character;
            len = len.saturating_add(1);
        }
        Some(Text(Inner::Unpacked { characters, len }))
    }

    /// The characters, with the padding they came with.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Inner::Borrowed(text) => text,
            Inner::Owned(text) => text,
            // Only ASCII is ever unpacked.
            Inner::Unpacked { characters, len } => {
                characters.get(..*len).and_then(|c| std::str::from_utf8(c).ok()).unwrap_or_default()
            }
        }
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} characters)", self.len())
    }
}
