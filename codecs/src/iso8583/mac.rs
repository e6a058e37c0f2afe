//! Where a message's authentication code stands, and which bytes it is over: all from the first
//! byte of the message type to the last before the code. It owns the places; what a code is, and
//! whether one is right, is nothing to the codecs.

use std::ops::Range;

use toml::Spanned;

use super::charset::hex_character;
use super::dialect::Dialect;
use super::dialect_error::DialectError;
use super::dialect_file::Source;
use super::encode::MessageWriter;
use super::encode_error::{EncodeError, EncodeFault};
use super::field_set::FieldSet;
use super::message::Message;
use super::mti::Mti;
use super::spec::{Encoding, FieldSpec, FieldType, LengthForm};

/// Bytes of the longest code that a field may hold.
pub const MAX_CODE: usize = 32;

/// A message that ends with a code.
#[derive(Clone, Copy)]
pub struct Authenticated<'a> {
    /// The field of the code.
    pub field: u8,
    /// What the code is over.
    pub covered: &'a [u8],
}

impl Dialect {
    /// The fields that may carry a message's code.
    #[must_use]
    pub const fn mac_fields(&self) -> FieldSet {
        self.mac_fields
    }

    /// The field that carries the code of a message with these other fields: the first of
    /// [`Dialect::mac_fields`] behind them all, so that all of them are covered. Where every bitmap
    /// is always there it is the last.
    #[must_use]
    pub fn mac_field(&self, others: FieldSet) -> Option<u8> {
        let last = others.last().unwrap_or(0);
        let mut behind = self.mac_fields.iter().filter(|field| *field > last);
        if self.bitmaps().fixed { behind.last() } else { behind.next() }
    }

    /// Bytes of a code in this field; `None` where the field carries none.
    #[must_use]
    pub fn mac_room(&self, field: u8) -> Option<usize> {
        let spec = self.spec(field).filter(|_| self.mac_fields.contains(field))?;
        Some(room(spec))
    }

    /// Puts a code into the room that [`MessageWriter::leave_room_for_mac`] left at the end of
    /// `message`, zeros behind it where it is shorter, and gives the bytes that the code must be
    /// over to `code_over`. False, and nothing is written, where there is no such room or the code
    /// is longer.
    pub fn put_mac<E>(
        &self,
        field: u8,
        message: &mut [u8],
        code_over: impl FnOnce(&[u8], &mut [u8; MAX_CODE]) -> Result<usize, E>,
    ) -> Result<bool, E> {
        let Some(spec) = self.spec(field).filter(|_| self.mac_fields.contains(field)) else {
            return Ok(false);
        };
        let wire = spec.content_bytes(usize::from(spec.max));
        let start = message.len().checked_sub(wire);
        let Some((covered, place)) = start.and_then(|at| message.split_at_mut_checked(at)) else {
            return Ok(false);
        };
        let mut code = [0; MAX_CODE];
        let length = code_over(covered, &mut code)?;
        let Some(code) = code.get(..length).filter(|_| length <= room(spec)) else {
            return Ok(false);
        };
        if spec.encoding == Encoding::Hex {
            place.fill(b'0');
            let digits = code.iter().flat_map(|byte| [byte >> 4, byte & 0x0F].map(hex_character));
            place.iter_mut().zip(digits).for_each(|(slot, digit)| *slot = digit);
        } else {
            place.fill(0);
            place.iter_mut().zip(code).for_each(|(slot, byte)| *slot = *byte);
        }
        Ok(true)
    }
}

impl<'a> Message<'a> {
    /// What the message's code is over; `None` where its last field is none that carries a code. A
    /// code with fields behind it is none: they would not be covered.
    #[must_use]
    pub fn authenticated(&self) -> Option<Authenticated<'a>> {
        let field = self.present().last()?;
        let covered = self.before(field).filter(|_| self.dialect().mac_fields.contains(field))?;
        Some(Authenticated { field, covered })
    }
}

impl MessageWriter<'_> {
    /// Sets the field that [`Dialect::mac_field`] names to zeros, as the last of the message; says
    /// which it is.
    ///
    /// # Errors
    /// [`EncodeFault::NoRoomForMac`] where the dialect has none behind the fields that are set.
    pub fn leave_room_for_mac(&mut self) -> Result<u8, EncodeError> {
        let dialect = self.dialect();
        let found = dialect.mac_field(self.present());
        let field = found.ok_or_else(|| self.error(0, EncodeFault::NoRoomForMac))?;
        let bytes = dialect.mac_room(field).unwrap_or_default();
        self.bytes(field, [0; MAX_CODE].get(..bytes).unwrap_or_default())?;
        Ok(field)
    }
}

/// Bytes that the content of a field of fixed length stands for.
const fn room(spec: &FieldSpec) -> usize {
    let max = spec.max as usize;
    match spec.encoding {
        Encoding::Hex => max >> 1,
        _ => max,
    }
}

/// Checks the fields that a dialect file lists.
pub(super) fn compile_mac_fields(
    source: &Source<'_>,
    fields: &[Spanned<u8>],
    spec: &dyn Fn(u8) -> Option<FieldSpec>,
    answers: &[(Mti, FieldSet)],
) -> Result<FieldSet, DialectError> {
    let mut listed = FieldSet::EMPTY;
    for number in fields {
        let (span, field): (Range<usize>, u8) = (number.span(), *number.get_ref());
        let error = |problem: String| Err(source.error(&span, Some(field), problem));
        if listed.contains(field) {
            return error("stands twice in mac_fields".into());
        }
        let Some(spec) = spec(field) else {
            return error("is in mac_fields but not defined in this dialect".into());
        };
        let fixed = spec.kind == FieldType::Binary && spec.length == LengthForm::Fixed;
        if field & 63 != 0 || !fixed || !(4..=MAX_CODE).contains(&room(&spec)) {
            return error(format!(
                "cannot carry an authentication code: it must be the last of a bitmap (64, 128, \
                 192), of type b and of 4 to {MAX_CODE} bytes, fixed"
            ));
        }
        if let Some((mti, _)) = answers.iter().find(|(_, echoed)| echoed.contains(field)) {
            return error(format!("carries the code of each message, and is echoed in {mti}"));
        }
        listed.insert(field);
    }
    Ok(listed)
}
