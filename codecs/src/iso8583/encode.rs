//! Fields to message bytes, into buffers that are used again. Must refuse what does not fit: a
//! value cut or written short makes the peer misread every field after it.

use std::ops::RangeInclusive;

use bytes::BytesMut;
use zeroize::Zeroize;

use super::charset::hex_character;
use super::decode::MAX_MESSAGE;
use super::dialect::{Bitmaps, Dialect};
use super::ebcdic;
use super::encode_error::{EncodeError, EncodeFault};
use super::encoded_fields::EncodedFields;
use super::field_set::FieldSet;
use super::fields::FIELDS;
use super::message::Message;
use super::mti::Mti;
use super::put::{put_bytes, put_text};
use super::spec::{BitmapEncoding, FieldSpec, NumeralEncoding};

/// The first bit of a bitmap that another follows.
const ANOTHER: u64 = 1 << 63;
/// The longest message type and bitmap.
const LONGEST_HEAD: usize = 4 + 48;

/// Room for building messages. Make one per connection and start every message in it: after the
/// first few, nothing is allocated.
#[derive(Default)]
pub struct Encoder {
    staged: Vec<u8>,
    places: Vec<Place>,
}

/// Where a field's bytes are staged.
#[derive(Clone, Copy, Default)]
struct Place {
    start: usize,
    end: usize,
}

/// A message being built: fields are set in any order, and set again to replace them.
pub struct MessageWriter<'e> {
    encoder: &'e mut Encoder,
    dialect: &'e Dialect,
    mti: Mti,
    present: FieldSet,
    /// True while fields came in ascending order, each once: then the staged bytes are the message.
    in_order: bool,
    highest: u8,
}

impl Encoder {
    /// With room for an ordinary message.
    #[must_use]
    pub fn new() -> Encoder {
        Encoder { staged: Vec::with_capacity(1024), places: vec![Place::default(); FIELDS] }
    }

    /// Wipes what the last message left here.
    pub fn wipe(&mut self) {
        // A vector wipes all that it has room for.
        if !self.staged.is_empty() {
            self.staged.zeroize();
        }
    }

    /// Starts a message; one begun before and not finished is gone.
    pub fn start<'e>(&'e mut self, dialect: &'e Dialect, mti: Mti) -> MessageWriter<'e> {
        self.staged.clear();
        self.places.resize(FIELDS, Place::default());
        let present = FieldSet::EMPTY;
        MessageWriter { encoder: self, dialect, mti, present, in_order: true, highest: 1 }
    }
}

impl<'e> MessageWriter<'e> {
    pub(super) const fn dialect(&self) -> &'e Dialect {
        self.dialect
    }

    /// The fields set so far.
    #[must_use]
    pub const fn present(&self) -> FieldSet {
        self.present
    }

    /// Sets a field of text or digits. A short value in a fixed field is padded:
    /// `n` with zeros on the left, text with spaces on the right. `z` and `x+n` are not padded.
    ///
    /// # Errors
    /// [`EncodeError`] when the dialect cannot write this value in this field.
    pub fn text(&mut self, field: u8, value: &str) -> Result<(), EncodeError> {
        self.digits(field, value.as_bytes())
    }

    /// The same for characters held as ASCII bytes.
    ///
    /// # Errors
    /// As [`MessageWriter::text`].
    pub fn digits(&mut self, field: u8, value: &[u8]) -> Result<(), EncodeError> {
        self.set(field, |spec, out| put_text(spec, value, out))
    }

    /// Sets a field to a number, written without leading zeros unless it is fixed.
    ///
    /// # Errors
    /// As [`MessageWriter::text`].
    pub fn number(&mut self, field: u8, value: u64) -> Result<(), EncodeError> {
        let mut buffer = [b'0'; 20];
        let mut rest = value;
        let mut first = buffer.len();
        for slot in buffer.iter_mut().rev() {
            *slot = b'0' | (rest % 10) as u8;
            rest /= 10;
            first = first.saturating_sub(1);
            if rest == 0 {
                break;
            }
        }
        self.digits(field, buffer.get(first..).unwrap_or_default())
    }

    /// Sets a binary field.
    ///
    /// # Errors
    /// [`EncodeError`] when the dialect cannot write this value in this field.
    pub fn bytes(&mut self, field: u8, value: &[u8]) -> Result<(), EncodeError> {
        self.set(field, |spec, out| put_bytes(spec, value, out))
    }

    /// Copies a field from a decoded message byte for byte; false when it is not there.
    ///
    /// # Errors
    /// [`EncodeFault::OtherDialect`] when that message's dialect writes the field in another form.
    pub fn echo(&mut self, field: u8, from: &Message<'_>) -> Result<bool, EncodeError> {
        let Some(raw) = from.raw(field) else { return Ok(false) };
        let same = std::ptr::eq(from.dialect(), self.dialect);
        self.set(field, |spec, out| {
            if !same && from.dialect().spec(field) != Some(spec) {
                return Err(EncodeFault::OtherDialect);
            }
            out.extend_from_slice(raw);
            Ok(())
        })?;
        Ok(true)
    }

    /// Copies every field that the dialect's `[answers]` names for this message type and the
    /// request has.
    ///
    /// # Errors
    /// As [`MessageWriter::echo`].
    pub fn echo_answer_fields(&mut self, request: &Message<'_>) -> Result<(), EncodeError> {
        for field in self.dialect.answer_fields(self.mti).unwrap_or_default() {
            self.echo(field, request)?;
        }
        Ok(())
    }

    /// Appends the whole message to `out`.
    ///
    /// # Errors
    /// [`EncodeFault::MessageTooLong`], and then `out` is as it was.
    pub fn finish(self, out: &mut BytesMut) -> Result<(), EncodeError> {
        let MessageWriter { encoder, dialect, mti, present, .. } = &self;
        let place_of = |field| encoder.places.get(usize::from(field)).copied().unwrap_or_default();
        let fields = if self.in_order {
            encoder.staged.len()
        } else {
            present.iter().map(place_of).fold(0usize, |sum, place| {
                sum.saturating_add(place.end.saturating_sub(place.start))
            })
        };
        if fields.saturating_add(LONGEST_HEAD) > MAX_MESSAGE {
            return Err(self.error(1, EncodeFault::MessageTooLong { max: MAX_MESSAGE }));
        }
        out.reserve(fields.saturating_add(LONGEST_HEAD));
        put_mti(dialect.mti_encoding(), *mti, out);
        put_bitmap(dialect, *present, out);
        if self.in_order {
            out.extend_from_slice(&encoder.staged);
            return Ok(());
        }
        for field in *present {
            let place = place_of(field);
            out.extend_from_slice(encoder.staged.get(place.start..place.end).unwrap_or_default());
        }
        Ok(())
    }

    /// What was set so far, for a message that [`MessageWriter::finish_around`] ends with fields of
    /// the gap, and perhaps with more, `late`, that stand behind it in ascending order.
    ///
    /// # Errors
    /// [`EncodeFault::NotInGap`] when fields came out of order, or one that is yet to come is set.
    pub fn into_fields(
        self,
        gap: RangeInclusive<u8>,
        late: [Option<u8>; EncodedFields::MOST_LATE],
    ) -> Result<EncodedFields, EncodeError> {
        let mut to_come = gap.clone().chain(late.into_iter().flatten());
        if let Some(field) = to_come.find(|field| self.present.contains(*field)) {
            return Err(self.error(field, EncodeFault::NotInGap));
        }
        if !self.in_order {
            return Err(self.error(self.highest, EncodeFault::NotInGap));
        }
        let split = self.end_before(*gap.start());
        let late = late.map(|late| late.map(|field| (field, self.end_before(field))));
        let bytes = self.encoder.staged.as_slice().into();
        Ok(EncodedFields { bytes, split, present: self.present, gap, late })
    }

    /// Where the last field below `bound` ends among the staged bytes.
    fn end_before(&self, bound: u8) -> usize {
        let last = self.present.before(bound).last();
        let place = last.and_then(|field| self.encoder.places.get(usize::from(field)));
        place.map_or(0, |place| place.end)
    }

    /// Appends the whole message to `out`: what was set here goes into the gap of `fields`.
    ///
    /// # Errors
    /// [`EncodeFault::NotInGap`], [`EncodeFault::MessageTooLong`]; then `out` is as it was.
    pub fn finish_around(
        self,
        fields: &EncodedFields,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        if let Some(field) = self.present.iter().find(|field| !fields.may_take(*field)) {
            return Err(self.error(field, EncodeFault::NotInGap));
        }
        if !self.in_order {
            return Err(self.error(self.highest, EncodeFault::NotInGap));
        }
        let size = self.encoder.staged.len().saturating_add(fields.bytes.len());
        let size = size.saturating_add(LONGEST_HEAD);
        if size > MAX_MESSAGE {
            return Err(self.error(1, EncodeFault::MessageTooLong { max: MAX_MESSAGE }));
        }
        let Encoder { staged, places } = &*self.encoder;
        out.reserve(size);
        put_mti(self.dialect.mti_encoding(), self.mti, out);
        put_bitmap(self.dialect, self.present.union(fields.present), out);
        let gap = self.end_before(fields.gap.end().saturating_add(1));
        out.extend_from_slice(fields.bytes.get(..fields.split).unwrap_or_default());
        out.extend_from_slice(staged.get(..gap).unwrap_or_default());
        // Each late field goes behind those that stand between it and what was before.
        let mut at = fields.split;
        for (field, place) in fields.late.into_iter().flatten() {
            let came = places.get(usize::from(field)).filter(|_| self.present.contains(field));
            let Some(Place { start, end }) = came else { continue };
            out.extend_from_slice(fields.bytes.get(at..place).unwrap_or_default());
            out.extend_from_slice(staged.get(*start..*end).unwrap_or_default());
            at = place;
        }
        out.extend_from_slice(fields.bytes.get(at..).unwrap_or_default());
        Ok(())
    }

    /// Stages one field. `put` must check everything before it writes the first byte.
    #[inline]
    fn set(
        &mut self,
        field: u8,
        put: impl FnOnce(&FieldSpec, &mut Vec<u8>) -> Result<(), EncodeFault>,
    ) -> Result<(), EncodeError> {
        let Some(spec) = self.dialect.spec(field) else {
            return Err(self.error(field, EncodeFault::Undefined));
        };
        let start = self.encoder.staged.len();
        if let Err(fault) = put(spec, &mut self.encoder.staged) {
            return Err(self.error(field, fault));
        }
        let end = self.encoder.staged.len();
        if let Some(place) = self.encoder.places.get_mut(usize::from(field)) {
            *place = Place { start, end };
            self.present.insert(field);
        }
        self.in_order &= field > self.highest;
        self.highest = self.highest.max(field);
        Ok(())
    }

    #[cold]
    pub(super) fn error(&self, field: u8, fault: EncodeFault) -> EncodeError {
        EncodeError { field, name: self.dialect.shared_name(field), fault }
    }
}

fn put_mti(encoding: NumeralEncoding, mti: Mti, out: &mut BytesMut) {
    let [a, b, c, d] = mti.digits();
    match encoding {
        NumeralEncoding::Ascii => out.extend_from_slice(&[a, b, c, d].map(|digit| digit | b'0')),
        NumeralEncoding::Ebcdic => {
            out.extend_from_slice(&[a, b, c, d].map(|digit| digit | ebcdic::ZERO));
        }
        NumeralEncoding::Bcd | NumeralEncoding::Binary => {
            out.extend_from_slice(&[a << 4 | b, c << 4 | d]);
        }
    }
}

fn put_bitmap(dialect: &Dialect, present: FieldSet, out: &mut BytesMut) {
    let [mut primary, mut secondary, third] = present.words();
    let Bitmaps { most, fixed } = dialect.bitmaps();
    let count = match (fixed, secondary, third) {
        (true, _, _) => most,
        (_, 0, 0) => 1,
        (_, _, 0) => 2,
        _ => 3,
    };
    if !fixed && count > 1 {
        primary |= ANOTHER;
    }
    if !fixed && count > 2 {
        secondary |= ANOTHER;
    }
    for word in [primary, secondary, third].into_iter().take(usize::from(count)) {
        let bytes = word.to_be_bytes();
        match dialect.bitmap_encoding() {
            BitmapEncoding::Binary => out.extend_from_slice(&bytes),
            BitmapEncoding::Hex => {
                let mut characters = [0; 16];
                for (pair, byte) in characters.chunks_exact_mut(2).zip(bytes) {
                    pair.copy_from_slice(&[hex_character(byte >> 4), hex_character(byte)]);
                }
                out.extend_from_slice(&characters);
            }
        }
    }
}
