//! Buffers that messages lie in, and leave nothing in. A message has tracks, PIN blocks and card
//! numbers in it: its bytes are wiped when it was taken, and none stay behind when a buffer grows.

use bytes::BytesMut;
use zeroize::Zeroize;

use super::codec::Frame;
use super::header::Header;

/// A frame that was cut from a buffer, in the place where it lies there; wiped when dropped.
///
/// ```compile_fail
/// fn shown(frame: &codecs::framing::WipedFrame) -> String { format!("{frame:?}") }
/// ```
pub struct WipedFrame {
    pub(super) header: Option<Header>,
    pub(super) body: BytesMut,
}

impl WipedFrame {
    /// The header in front of the message.
    #[must_use]
    pub const fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// The message.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The frame to keep: who does so sees to its end himself.
    pub(super) fn keep(mut self) -> Frame {
        Frame { header: self.header, body: self.body.split().freeze() }
    }
}

impl Drop for WipedFrame {
    fn drop(&mut self) {
        self.body.as_mut().zeroize();
    }
}

/// Makes room for so many bytes more, as `reserve` does, but wipes the place that is left.
pub fn grow(buffer: &mut BytesMut, more: usize) {
    if buffer.capacity().saturating_sub(buffer.len()) >= more {
        return;
    }
    if buffer.is_empty() {
        // Nothing is copied; what lay there was wiped as it was taken.
        buffer.reserve(more);
        return;
    }
    let wanted = buffer.len().saturating_add(more).max(buffer.capacity().saturating_mul(2));
    let mut larger = BytesMut::with_capacity(wanted);
    larger.extend_from_slice(buffer);
    buffer.as_mut().zeroize();
    *buffer = larger;
}

/// Empties a buffer that is used again and again, and wipes all of it.
pub fn wipe(buffer: &mut BytesMut) {
    buffer.clear();
    buffer.resize(buffer.capacity(), 0);
    buffer.as_mut().zeroize();
    buffer.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_grows_and_keeps_what_is_in_it() {
        let mut buffer = BytesMut::with_capacity(8);
        buffer.extend_from_slice(b"12345678");
        grow(&mut buffer, 100);
        assert_eq!(&buffer[..], b"12345678");
        assert!(buffer.capacity() >= 108);
        wipe(&mut buffer);
        assert!(buffer.is_empty() && buffer.capacity() >= 108);
        buffer.resize(108, 1);
        assert_eq!(buffer[107], 1);
    }
}
