//! A dialect: one peer's form of ISO 8583 as a flat table. Must hold data only; nothing in it
//! depends on which dialect it is.

use std::sync::Arc;

use super::card_security::CardSecurityForms;
use super::carriage::Carriage;
use super::dialect_error::DialectError;
use super::dialect_file;
use super::elements::Elements;
use super::field_set::{FieldSet, MAX_FIELD};
use super::fields::FIELDS;
use super::fields::Fields;
use super::message::Message;
use super::mti::Mti;
use super::network_trace::NetworkTraceForm;
use super::plan::Step;
use super::presence::Presence;
use super::spec::{BitmapEncoding, Encoding, EntryForm, FieldSpec, NumeralEncoding, Version};

const SHIPPED: [(&str, &str); 10] = [
    ("iso87-ascii", include_str!("../../../config/dialects/iso87-ascii.toml")),
    ("iso87-bcd", include_str!("../../../config/dialects/iso87-bcd.toml")),
    ("iso87-ebcdic-037", include_str!("../../../config/dialects/iso87-ebcdic-037.toml")),
    ("iso87-ebcdic-1047", include_str!("../../../config/dialects/iso87-ebcdic-1047.toml")),
    ("iso93-ascii", include_str!("../../../config/dialects/iso93-ascii.toml")),
    ("iso93-binary", include_str!("../../../config/dialects/iso93-binary.toml")),
    ("iso2003-binary", include_str!("../../../config/dialects/iso2003-binary.toml")),
    ("base1-like", include_str!("../../../config/dialects/base1-like.toml")),
    ("mip-like", include_str!("../../../config/dialects/mip-like.toml")),
    ("cmf-like", include_str!("../../../config/dialects/cmf-like.toml")),
];

/// Fields whose content no error text shows, whatever a dialect file says: PAN (2, 34), expiry
/// (14), tracks (35, 36, 45), private data that may carry a CVV2 (48), PIN block (52), security
/// control (53), chip data (55), authentication codes (64, 96, 128), account numbers (102, 103).
const ALWAYS_SENSITIVE: [u8; 15] = [2, 14, 34, 35, 36, 45, 48, 52, 53, 55, 64, 96, 102, 103, 128];

/// How many bitmaps of 64 bits a message has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bitmaps {
    /// At most: 1, 2 or 3.
    pub most: u8,
    /// True when they are all there always; else the first bit of each says whether another
    /// follows.
    pub fixed: bool,
}

/// One form of ISO 8583, checked and compiled.
#[derive(Clone, Debug)]
pub struct Dialect {
    pub(super) name: String,
    pub(super) version: Version,
    pub(super) mti: NumeralEncoding,
    pub(super) bitmap: BitmapEncoding,
    pub(super) bitmaps: Bitmaps,
    pub(super) specs: Box<[Option<FieldSpec>; FIELDS]>,
    /// The same for the decoder's eyes.
    pub(super) plan: Box<[Step; FIELDS]>,
    pub(super) names: Vec<Arc<str>>,
    pub(super) undefined_name: Arc<str>,
    pub(super) sensitive: FieldSet,
    pub(super) elements: Vec<(u8, Elements)>,
    pub(super) answers: Vec<(Mti, FieldSet)>,
    pub(super) presence: Vec<Presence>,
    pub(super) mac_fields: FieldSet,
    pub(super) format_error_text: Option<u8>,
    pub(super) format_error_set: Option<u8>,
    pub(super) entry_form: EntryForm,
    pub(super) carriage: Carriage,
    pub(super) network_trace: Option<NetworkTraceForm>,
    pub(super) card_security: CardSecurityForms,
}

impl Dialect {
    /// Reads, checks and compiles a dialect file.
    ///
    /// # Errors
    /// The first thing wrong with it, with its line and field.
    pub fn from_toml(text: &str) -> Result<Dialect, DialectError> {
        dialect_file::compile(text)
    }

    /// The dialect shipped under this name, or `None`.
    #[must_use]
    pub fn shipped(name: &str) -> Option<Dialect> {
        // The files are part of the build, and a test compiles each of them.
        Dialect::from_toml(Dialect::shipped_toml(name)?).ok()
    }

    /// The file of the dialect shipped under this name: a base to write another from.
    #[must_use]
    pub fn shipped_toml(name: &str) -> Option<&'static str> {
        SHIPPED.iter().find(|(shipped, _)| *shipped == name).map(|(_, text)| *text)
    }

    /// Names of the dialects shipped.
    pub fn shipped_names() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(name, _)| *name)
    }

    /// The name the file gives itself.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Edition of the standard.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// How the message type is written.
    #[must_use]
    pub const fn mti_encoding(&self) -> NumeralEncoding {
        self.mti
    }

    /// Bytes of the message type.
    #[must_use]
    pub const fn mti_bytes(&self) -> usize {
        match self.mti {
            NumeralEncoding::Ascii | NumeralEncoding::Ebcdic => 4,
            NumeralEncoding::Bcd | NumeralEncoding::Binary => 2,
        }
    }

    /// How the bitmap is written.
    #[must_use]
    pub const fn bitmap_encoding(&self) -> BitmapEncoding {
        self.bitmap
    }

    /// How many bitmaps there are.
    #[must_use]
    pub const fn bitmaps(&self) -> Bitmaps {
        self.bitmaps
    }

    /// Whether a message is printable characters only: no byte of it can be an end mark (ETX).
    #[must_use]
    pub fn is_text(&self) -> bool {
        let text = |spec: &FieldSpec| {
            spec.encoding != Encoding::Raw
                && spec.encoding != Encoding::Bcd
                && matches!(spec.length_encoding, NumeralEncoding::Ascii | NumeralEncoding::Ebcdic)
        };
        self.bitmap == BitmapEncoding::Hex
            && self.mti != NumeralEncoding::Bcd
            && self.specs.iter().flatten().all(text)
    }

    /// The rules of a field, or `None` when the dialect does not define it.
    #[inline]
    #[must_use]
    pub fn spec(&self, field: u8) -> Option<&FieldSpec> {
        self.specs.get(usize::from(field))?.as_ref()
    }

    /// The fields the dialect defines.
    #[must_use]
    pub fn defined(&self) -> FieldSet {
        (2..=MAX_FIELD).filter(|field| self.spec(*field).is_some()).collect()
    }

    /// A field's name; 0 is the message type and 1 the bitmap.
    #[must_use]
    pub fn field_name(&self, field: u8) -> &str {
        self.names.get(usize::from(field)).unwrap_or(&self.undefined_name)
    }

    pub(super) fn elements(&self, field: u8) -> Option<&Elements> {
        self.elements.iter().find(|(number, _)| *number == field).map(|(_, elements)| elements)
    }

    pub(super) fn shared_name(&self, field: u8) -> Arc<str> {
        Arc::clone(self.names.get(usize::from(field)).unwrap_or(&self.undefined_name))
    }

    /// True when no text may show a field's content.
    #[inline]
    #[must_use]
    pub const fn is_sensitive(&self, field: u8) -> bool {
        self.sensitive.contains(field)
    }

    /// Fields a response of this type takes over from its request, as they came; `None` when the
    /// dialect does not say how to answer with this type.
    #[must_use]
    pub fn answer_fields(&self, response: Mti) -> Option<FieldSet> {
        self.answers.iter().find(|(mti, _)| *mti == response).map(|(_, fields)| *fields)
    }

    /// The field that carries [`super::DecodeError::answer_text`] in an answer to a message that
    /// could not be read, if the dialect wants one.
    #[must_use]
    pub const fn format_error_text_field(&self) -> Option<u8> {
        self.format_error_text
    }

    /// The field that carries [`super::DecodeError::error_set`] in such an answer, if the dialect
    /// wants one: the message error indicator of 2003.
    #[must_use]
    pub const fn format_error_set_field(&self) -> Option<u8> {
        self.format_error_set
    }

    /// How field 22 says how the card was read.
    #[must_use]
    pub const fn entry_form(&self) -> EntryForm {
        self.entry_form
    }

    /// Looks at a decoded message. `bytes` must be those decoded into `fields`: others give wrong
    /// values or none, but never a panic.
    #[must_use]
    pub const fn view<'a>(&'a self, bytes: &'a [u8], fields: &'a Fields) -> Message<'a> {
        Message::new(self, bytes, fields)
    }

    pub(super) fn always_sensitive() -> FieldSet {
        ALWAYS_SENSITIVE.into_iter().collect()
    }
}
