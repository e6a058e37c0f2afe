//! What is within a field: sub-elements by place, by tag, by a bitmap of their own, or BER-TLV.
//! They are read over the field's bytes and only when asked for; a dialect that describes them has
//! them checked with the message. Must never look past the field.

use std::sync::Arc;

use crate::emv::{self, Tag, TlvList};

use super::charset::{Charset, hex_value};
use super::decode_error::{ByteKind, DecodeFault, Found};
use super::ebcdic;
use super::element::{Content, Element, digit};
use super::field_set::FieldSet;
use super::rules::{Flaw, read_field};
use super::spec::{BitmapEncoding, Encoding, FieldSpec, NumeralEncoding};
use super::wire::{Reader, nibbles};

/// What is done with a tag or a bit that a dialect does not describe.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unknown {
    /// Nothing: it stays where it is, and is given out as it came.
    #[default]
    Keep,
    /// The message is answered with a format error that names it.
    Reject,
}

/// How sub-elements stand in a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// One after the other; the last ones may be absent.
    Positional,
    /// Each behind its tag and length.
    Tagged {
        tag: NumeralEncoding,
        /// Characters or digits of a tag; bytes, if it is binary.
        tag_length: usize,
        /// Type, length form and maximum of a value whose tag is not described.
        value: FieldSpec,
    },
    /// Behind a bitmap of so many bytes, whose first bit is number 1.
    Bitmapped { encoding: BitmapEncoding, bytes: usize },
    /// As in field 55.
    BerTlv,
}

/// One sub-element that a dialect describes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Part {
    pub(super) key: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) spec: FieldSpec,
    pub(super) sensitive: bool,
}

/// The sub-elements of a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Elements {
    pub(super) form: Form,
    pub(super) unknown: Unknown,
    /// Bytes in front of the first, which belong to none.
    pub(super) prefix: usize,
    /// The field is one whose content no error shows: read one place off, a harmless part may hold
    /// a byte of another.
    pub(super) guarded: bool,
    pub(super) parts: Vec<Part>,
}

/// A fault within a field: which sub-element, and what is wrong with it.
pub(super) struct ElementFlaw {
    pub(super) key: Arc<str>,
    pub(super) flaw: Flaw,
}

/// What stands on the wire for the name of a sub-element.
#[derive(Clone, Copy)]
enum Key<'a> {
    Described(&'a Arc<str>),
    Tag(NumeralEncoding, &'a [u8]),
    Ber(Tag),
}

impl Key<'_> {
    /// As a dialect file writes it.
    fn text(self) -> Arc<str> {
        match self {
            Key::Described(key) => Arc::clone(key),
            Key::Tag(encoding, tag) => tag_characters(encoding, tag).collect::<String>().into(),
            Key::Ber(tag) => Arc::from(tag.to_string()),
        }
    }
}

/// A sub-element as it is come by: nothing is allocated for those that nobody asks for.
struct Piece<'a> {
    key: Key<'a>,
    part: Option<&'a Part>,
    offset: usize,
    raw: &'a [u8],
    content: Content<'a>,
}

impl<'a> Piece<'a> {
    fn element(self) -> Element<'a> {
        let name = self.part.map(|part| Arc::clone(&part.name));
        let sensitive = self.part.is_some_and(|part| part.sensitive);
        let (name, sensitive) = match self.key {
            Key::Described(_) => (name, sensitive),
            Key::Tag(..) => (None, true),
            Key::Ber(tag) => (
                name.or_else(|| emv::name(tag).map(Arc::from)),
                sensitive || emv::is_sensitive(tag),
            ),
        };
        let Piece { key, offset, raw, content, .. } = self;
        Element { key: key.text(), name, offset, raw, content, sensitive }
    }
}

/// Where the pieces go.
type Sink<'s, 'a> = &'s mut dyn FnMut(Piece<'a>);

impl Elements {
    /// The one that is described by this key.
    pub(super) fn part(&self, key: &str) -> Option<&Part> {
        self.parts.iter().find(|part| *part.key == *key)
    }

    /// The content of the first with this key, which is described; before a fault, if there is one.
    /// Nothing is allocated.
    pub(super) fn find<'a>(&'a self, content: &'a [u8], key: &str) -> Option<Content<'a>> {
        let mut found = None;
        let _ = self.walk(content, &mut |piece| {
            if found.is_none() && piece.part.is_some_and(|part| *part.key == *key) {
                found = Some(piece.content);
            }
        });
        found
    }

    /// Looks whether all of them can be read.
    pub(super) fn check(&self, content: &[u8]) -> Result<(), ElementFlaw> {
        self.walk(content, &mut |_| {})
    }

    /// Reads all of them. What was read before a fault is in `found`.
    pub(super) fn read<'a>(
        &'a self,
        content: &'a [u8],
        found: &mut Vec<Element<'a>>,
    ) -> Result<(), ElementFlaw> {
        self.walk(content, &mut |piece| found.push(piece.element()))
    }

    fn walk<'a>(&'a self, content: &'a [u8], sink: Sink<'_, 'a>) -> Result<(), ElementFlaw> {
        let mut reader = Reader::new(content);
        if reader.take(self.prefix).is_none() {
            return Err(fault("", 0, truncated(self.prefix, content.len())));
        }
        match &self.form {
            Form::Positional => self.by_place(content, &mut reader, sink),
            Form::Tagged { tag, tag_length, value } => {
                self.by_tag((*tag, *tag_length), value, content, &mut reader, sink)
            }
            Form::Bitmapped { encoding, bytes } => {
                self.by_bit(*encoding, *bytes, content, &mut reader, sink)
            }
            Form::BerTlv => self.by_ber(content.get(self.prefix..).unwrap_or_default(), sink),
        }
    }

    fn by_place<'a>(
        &'a self,
        content: &'a [u8],
        reader: &mut Reader<'a>,
        sink: Sink<'_, 'a>,
    ) -> Result<(), ElementFlaw> {
        for part in &self.parts {
            if reader.left() == 0 {
                return Ok(());
            }
            sink(self.take(part, reader.at(), content, reader)?);
        }
        match (reader.left(), self.unknown) {
            (0, _) | (_, Unknown::Keep) => Ok(()),
            (count, Unknown::Reject) => {
                Err(fault("", reader.at(), DecodeFault::TrailingBytes { count }))
            }
        }
    }

    fn by_tag<'a>(
        &'a self,
        (encoding, length): (NumeralEncoding, usize),
        unknown: &FieldSpec,
        content: &'a [u8],
        reader: &mut Reader<'a>,
        sink: Sink<'_, 'a>,
    ) -> Result<(), ElementFlaw> {
        let bytes = match encoding {
            NumeralEncoding::Bcd => length.div_ceil(2),
            _ => length,
        };
        while reader.left() > 0 {
            let start = reader.at();
            let Some(tag) = reader.take(bytes) else {
                return Err(fault("", start, truncated(bytes, reader.left())));
            };
            let mut parts = self.parts.iter();
            let described = parts.find(|part| tag_characters(encoding, tag).eq(part.key.chars()));
            let key = Key::Tag(encoding, tag);
            match described {
                Some(part) => sink(self.take(part, start, content, reader)?),
                None if self.unknown == Unknown::Reject => {
                    return Err(fault(&key.text(), start, DecodeFault::UnknownElement));
                }
                None => sink(take(key, unknown, true, start, content, reader)?),
            }
        }
        Ok(())
    }

    fn by_bit<'a>(
        &'a self,
        encoding: BitmapEncoding,
        bytes: usize,
        content: &'a [u8],
        reader: &mut Reader<'a>,
        sink: Sink<'_, 'a>,
    ) -> Result<(), ElementFlaw> {
        let start = reader.at();
        let on_wire = match encoding {
            BitmapEncoding::Binary => bytes,
            BitmapEncoding::Hex => bytes.saturating_mul(2),
        };
        let Some(bitmap) = reader.take(on_wire) else {
            return Err(fault("bitmap", start, truncated(on_wire, reader.left())));
        };
        let bits = bitmap_bits(encoding, bitmap).map_err(|index| {
            let byte = bitmap.get(index).copied().unwrap_or_default();
            let (expected, found) = (Charset::Hex.words(), Found::Kind(ByteKind::of(byte)));
            let wrong = DecodeFault::Character { count: on_wire, expected, found };
            fault("bitmap", start.saturating_add(index), wrong)
        })?;
        for bit in bits {
            let Some(part) = self.parts.iter().find(|part| part.key.parse() == Ok(bit)) else {
                // Nobody knows where the next one begins.
                return Err(fault(&bit.to_string(), start, DecodeFault::UnknownElement));
            };
            sink(self.take(part, reader.at(), content, reader)?);
        }
        match reader.left() {
            0 => Ok(()),
            count => Err(fault("", reader.at(), DecodeFault::TrailingBytes { count })),
        }
    }

    fn by_ber<'a>(&'a self, content: &'a [u8], sink: Sink<'_, 'a>) -> Result<(), ElementFlaw> {
        let list = TlvList::parse(content)
            .map_err(|error| fault("", error.offset, DecodeFault::NotTlv { fault: error.fault }))?;
        for tlv in list.iter() {
            let part = self.parts.iter().find(|part| ber_characters(tlv.tag).eq(part.key.chars()));
            if part.is_none() && self.unknown == Unknown::Reject {
                let key = Key::Ber(tlv.tag).text();
                return Err(fault(&key, tlv.offset, DecodeFault::UnknownElement));
            }
            sink(Piece {
                key: Key::Ber(tlv.tag),
                part,
                offset: self.prefix.saturating_add(tlv.offset),
                raw: tlv.raw,
                content: Content { bytes: tlv.value, encoding: Encoding::Raw },
            });
        }
        Ok(())
    }

    /// Reads the content of one that is described, whose tag begins at `start`.
    fn take<'a>(
        &self,
        part: &'a Part,
        start: usize,
        content: &'a [u8],
        reader: &mut Reader<'a>,
    ) -> Result<Piece<'a>, ElementFlaw> {
        let sensitive = self.guarded || part.sensitive;
        let piece = take(Key::Described(&part.key), &part.spec, sensitive, start, content, reader)?;
        Ok(Piece { part: Some(part), ..piece })
    }
}

/// Reads the content of a sub-element, whose tag begins at `start`.
fn take<'a>(
    key: Key<'a>,
    spec: &FieldSpec,
    sensitive: bool,
    start: usize,
    content: &'a [u8],
    reader: &mut Reader<'a>,
) -> Result<Piece<'a>, ElementFlaw> {
    let named = |flaw| ElementFlaw { key: key.text(), flaw };
    let read = read_field(spec, sensitive, reader).map_err(named)?;
    if let Some(flaw) = read.content_flaw {
        return Err(named(flaw));
    }
    let (from, to) = (usize::from(read.span.content), usize::from(read.span.end));
    Ok(Piece {
        key,
        part: None,
        offset: start,
        raw: content.get(start..to).unwrap_or_default(),
        content: Content {
            bytes: content.get(from..to).unwrap_or_default(),
            encoding: spec.encoding,
        },
    })
}

#[cold]
fn fault(key: &str, at: usize, fault: DecodeFault) -> ElementFlaw {
    ElementFlaw { key: Arc::from(key), flaw: Flaw { at, fault } }
}

const fn truncated(needed: usize, left: usize) -> DecodeFault {
    DecodeFault::Truncated { needed, left }
}

/// A tag as a dialect file writes it: its characters or digits; binary ones in hexadecimal.
fn tag_characters(encoding: NumeralEncoding, tag: &[u8]) -> impl Iterator<Item = char> {
    let (plain, packed): (&[u8], &[u8]) = match encoding {
        NumeralEncoding::Ascii | NumeralEncoding::Ebcdic => (tag, &[]),
        NumeralEncoding::Bcd | NumeralEncoding::Binary => (&[], tag),
    };
    let table = match encoding {
        NumeralEncoding::Ebcdic => ebcdic::to_ascii(Encoding::Ebcdic037),
        _ => None,
    };
    let plain =
        plain.iter().map(move |byte| table.map_or(*byte, |table| ebcdic::in_ascii(table, *byte)));
    plain.chain(nibbles(packed).map(digit)).map(char::from)
}

/// The same of a tag of BER-TLV.
fn ber_characters(tag: Tag) -> impl Iterator<Item = char> {
    let digits = tag.byte_len().saturating_mul(2);
    let nibble = move |place: usize| (tag.number() >> (place << 2)) as u8 & 0x0F;
    (0..digits).rev().map(nibble).map(digit).map(char::from)
}

/// The numbers of the bits that are set, at most 128 of them; or the place of a byte that is no
/// hexadecimal character.
fn bitmap_bits(encoding: BitmapEncoding, bitmap: &[u8]) -> Result<FieldSet, usize> {
    let mut set = FieldSet::EMPTY;
    let mut number = 0u8;
    let mut take = |value: u8, bits: u8| {
        for bit in (0..bits).rev() {
            number = number.saturating_add(1);
            if value >> bit & 1 == 1 {
                set.insert(number);
            }
        }
    };
    for (index, byte) in bitmap.iter().enumerate() {
        match encoding {
            BitmapEncoding::Binary => take(*byte, 8),
            BitmapEncoding::Hex => take(hex_value(*byte).ok_or(index)?, 4),
        }
    }
    Ok(set)
}
