//! What is within a field: sub-elements by place, by tag, by a bitmap of their own, or BER-TLV.
//! They are read over the field's bytes and only when asked for; a dialect that describes them has
//! them checked with the message. Must never look past the field.

use std::sync::Arc;

use crate::emv::{self, TlvList};

use super::charset::{Charset, hex_value};
use super::decode::{Flaw, read_field};
use super::decode_error::{ByteKind, DecodeFault, Found};
use super::dialect::Dialect;
use super::ebcdic;
use super::field_set::FieldSet;
use super::message::Message;
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
    bytes: &'a [u8],
    encoding: Encoding,
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
        let plain: Vec<u8> = match (self.encoding, ebcdic::to_ascii(self.encoding)) {
            (Encoding::Raw, _) => return None,
            (Encoding::Bcd, _) => nibbles(self.bytes).map(digit).collect(),
            (_, Some(table)) => {
                self.bytes.iter().map(|byte| ebcdic::in_ascii(table, *byte)).collect()
            }
            _ => self.bytes.to_vec(),
        };
        String::from_utf8(plain).ok()
    }
}

const fn digit(nibble: u8) -> u8 {
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

/// A fault within a field: which sub-element, and what is wrong with it.
pub(super) struct ElementFlaw {
    pub(super) key: Arc<str>,
    pub(super) flaw: Flaw,
}

impl Elements {
    /// Reads all of them. What was read before a fault is in `found`.
    pub(super) fn read<'a>(
        &self,
        content: &'a [u8],
        found: &mut Vec<Element<'a>>,
    ) -> Result<(), ElementFlaw> {
        let mut reader = Reader::new(content);
        if reader.take(self.prefix).is_none() {
            return Err(self.fault("", 0, truncated(self.prefix, content.len())));
        }
        match &self.form {
            Form::Positional => self.by_place(content, &mut reader, found),
            Form::Tagged { tag, tag_length, value } => {
                self.by_tag((*tag, *tag_length), value, content, &mut reader, found)
            }
            Form::Bitmapped { encoding, bytes } => {
                self.by_bit(*encoding, *bytes, content, &mut reader, found)
            }
            Form::BerTlv => self.by_ber(content.get(self.prefix..).unwrap_or_default(), found),
        }
    }

    fn by_place<'a>(
        &self,
        content: &'a [u8],
        reader: &mut Reader<'a>,
        found: &mut Vec<Element<'a>>,
    ) -> Result<(), ElementFlaw> {
        for part in &self.parts {
            if reader.left() == 0 {
                return Ok(());
            }
            found.push(self.take(part, reader.at(), content, reader)?);
        }
        match (reader.left(), self.unknown) {
            (0, _) | (_, Unknown::Keep) => Ok(()),
            (count, Unknown::Reject) => {
                Err(self.fault("", reader.at(), DecodeFault::TrailingBytes { count }))
            }
        }
    }

    fn by_tag<'a>(
        &self,
        (encoding, length): (NumeralEncoding, usize),
        unknown: &FieldSpec,
        content: &'a [u8],
        reader: &mut Reader<'a>,
        found: &mut Vec<Element<'a>>,
    ) -> Result<(), ElementFlaw> {
        let bytes = match encoding {
            NumeralEncoding::Bcd => length.div_ceil(2),
            _ => length,
        };
        while reader.left() > 0 {
            let start = reader.at();
            let Some(tag) = reader.take(bytes) else {
                return Err(self.fault("", start, truncated(bytes, reader.left())));
            };
            let key = tag_text(encoding, tag);
            match self.parts.iter().find(|part| *part.key == *key) {
                Some(part) => found.push(self.take(part, start, content, reader)?),
                None if self.unknown == Unknown::Reject => {
                    return Err(self.fault(&key, start, DecodeFault::UnknownElement));
                }
                None => {
                    let key: Arc<str> = Arc::from(key);
                    let name = Arc::from("");
                    let part = Part { key, name, spec: *unknown, sensitive: true };
                    let mut element = self.take(&part, start, content, reader)?;
                    element.name = None;
                    found.push(element);
                }
            }
        }
        Ok(())
    }

    fn by_bit<'a>(
        &self,
        encoding: BitmapEncoding,
        bytes: usize,
        content: &'a [u8],
        reader: &mut Reader<'a>,
        found: &mut Vec<Element<'a>>,
    ) -> Result<(), ElementFlaw> {
        let start = reader.at();
        let on_wire = match encoding {
            BitmapEncoding::Binary => bytes,
            BitmapEncoding::Hex => bytes.saturating_mul(2),
        };
        let Some(bitmap) = reader.take(on_wire) else {
            return Err(self.fault("bitmap", start, truncated(on_wire, reader.left())));
        };
        let bits = bitmap_bits(encoding, bitmap).map_err(|index| {
            let byte = bitmap.get(index).copied().unwrap_or_default();
            let (expected, found) = (Charset::Hex.words(), Found::Kind(ByteKind::of(byte)));
            let fault = DecodeFault::Character { count: on_wire, expected, found };
            self.fault("bitmap", start.saturating_add(index), fault)
        })?;
        for bit in bits {
            let key = bit.to_string();
            let Some(part) = self.parts.iter().find(|part| *part.key == *key) else {
                // Nobody knows where the next one begins.
                return Err(self.fault(&key, start, DecodeFault::UnknownElement));
            };
            found.push(self.take(part, reader.at(), content, reader)?);
        }
        match reader.left() {
            0 => Ok(()),
            count => Err(self.fault("", reader.at(), DecodeFault::TrailingBytes { count })),
        }
    }

    fn by_ber<'a>(
        &self,
        content: &'a [u8],
        found: &mut Vec<Element<'a>>,
    ) -> Result<(), ElementFlaw> {
        let list = TlvList::parse(content).map_err(|error| {
            self.fault("", error.offset, DecodeFault::NotTlv { fault: error.fault })
        })?;
        for tlv in list.iter() {
            let key: Arc<str> = Arc::from(tlv.tag.to_string());
            let part = self.parts.iter().find(|part| part.key == key);
            if part.is_none() && self.unknown == Unknown::Reject {
                return Err(self.fault(&key, tlv.offset, DecodeFault::UnknownElement));
            }
            let name = part.map(|part| Arc::clone(&part.name));
            found.push(Element {
                name: name.or_else(|| emv::name(tlv.tag).map(Arc::from)),
                key,
                offset: self.prefix.saturating_add(tlv.offset),
                raw: tlv.raw,
                content: Content { bytes: tlv.value, encoding: Encoding::Raw },
                sensitive: emv::is_sensitive(tlv.tag) || part.is_some_and(|part| part.sensitive),
            });
        }
        Ok(())
    }

    /// Reads the content of one, whose tag begins at `start`.
    fn take<'a>(
        &self,
        part: &Part,
        start: usize,
        content: &'a [u8],
        reader: &mut Reader<'a>,
    ) -> Result<Element<'a>, ElementFlaw> {
        let named = |flaw| ElementFlaw { key: Arc::clone(&part.key), flaw };
        let read = read_field(&part.spec, self.guarded || part.sensitive, reader).map_err(named)?;
        if let Some(flaw) = read.content_flaw {
            return Err(named(flaw));
        }
        let (from, to) = (usize::from(read.span.content), usize::from(read.span.end));
        Ok(Element {
            key: Arc::clone(&part.key),
            name: Some(Arc::clone(&part.name)),
            offset: start,
            raw: content.get(start..to).unwrap_or_default(),
            content: Content {
                bytes: content.get(from..to).unwrap_or_default(),
                encoding: part.spec.encoding,
            },
            sensitive: part.sensitive,
        })
    }

    #[cold]
    fn fault(&self, key: &str, at: usize, fault: DecodeFault) -> ElementFlaw {
        ElementFlaw { key: Arc::from(key), flaw: Flaw { at, fault } }
    }
}

const fn truncated(needed: usize, left: usize) -> DecodeFault {
    DecodeFault::Truncated { needed, left }
}

/// A tag as a dialect file writes it: its characters or digits; binary ones in hexadecimal.
fn tag_text(encoding: NumeralEncoding, tag: &[u8]) -> String {
    match encoding {
        NumeralEncoding::Ascii => tag.iter().map(|byte| char::from(*byte)).collect(),
        NumeralEncoding::Ebcdic => {
            let table = ebcdic::to_ascii(Encoding::Ebcdic037);
            let plain = |byte: &u8| table.map_or(*byte, |table| ebcdic::in_ascii(table, *byte));
            tag.iter().map(plain).map(char::from).collect()
        }
        NumeralEncoding::Bcd | NumeralEncoding::Binary => {
            nibbles(tag).map(|nibble| char::from(digit(nibble))).collect()
        }
    }
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

impl Dialect {
    /// Whether a field has sub-elements by this dialect.
    #[must_use]
    pub fn has_elements(&self, field: u8) -> bool {
        self.elements(field).is_some()
    }
}
