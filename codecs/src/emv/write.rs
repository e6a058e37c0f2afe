//! Writing BER-TLV. Must use the shortest form of every length, as cards and terminals do.

use bytes::BytesMut;

use super::read::{Tlv, TlvError, TlvFault};
use super::tag::Tag;

/// Appends objects to a buffer.
pub struct TlvWriter<'b> {
    out: &'b mut BytesMut,
}

impl<'b> TlvWriter<'b> {
    /// Appends to what is in the buffer already.
    pub const fn new(out: &'b mut BytesMut) -> TlvWriter<'b> {
        TlvWriter { out }
    }

    /// Appends one object.
    ///
    /// # Errors
    /// [`TlvFault::ValueTooLong`] past three bytes of length; the offset is the buffer's length.
    pub fn push(&mut self, tag: Tag, value: &[u8]) -> Result<(), TlvError> {
        let fault = TlvFault::ValueTooLong(value.len());
        let error = TlvError { offset: self.out.len(), fault };
        let length = u32::try_from(value.len()).ok().filter(|length| *length <= 0xFF_FFFF);
        let [_, high, middle, low] = length.ok_or(error)?.to_be_bytes();
        let tag_start = Tag::MAX_LEN.saturating_sub(tag.byte_len());
        self.out.extend_from_slice(tag.padded_bytes().get(tag_start..).unwrap_or_default());
        match value.len() {
            0..=0x7F => self.out.extend_from_slice(&[low]),
            0x80..=0xFF => self.out.extend_from_slice(&[0x81, low]),
            0x100..=0xFFFF => self.out.extend_from_slice(&[0x82, middle, low]),
            _ => self.out.extend_from_slice(&[0x83, high, middle, low]),
        }
        self.out.extend_from_slice(value);
        Ok(())
    }

    /// Appends an object as it was read, whatever form its length had.
    pub fn copy(&mut self, tlv: &Tlv<'_>) {
        self.out.extend_from_slice(tlv.raw);
    }
}
