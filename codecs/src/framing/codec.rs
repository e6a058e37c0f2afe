//! Frames cut from and put into a byte stream, as a `tokio_util` codec. Must never reserve what the
//! limit does not allow, nor hold more than one incomplete frame.

use bytes::{Buf, Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::error::FrameError;
use super::tpdu::Tpdu;
use super::{Framing, LengthHeader};

/// One message with the TPDU in front of it, if the link has them.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// The TPDU. `None` on links without, and on a frame too short to hold one.
    pub header: Option<Tpdu>,
    /// The message.
    pub body: Bytes,
}

impl Frame {
    /// Without TPDU.
    #[must_use]
    pub const fn new(body: Bytes) -> Frame {
        Frame { header: None, body }
    }

    /// The frame that answers this one: TPDU addresses exchanged.
    #[must_use]
    pub fn reply(&self, body: Bytes) -> Frame {
        Frame { header: self.header.map(Tpdu::reply), body }
    }
}

/// The body may hold a card number: its length only.
impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frame")
            .field("header", &self.header)
            .field("body_len", &self.body.len())
            .finish()
    }
}

/// Cuts and builds frames for one connection; made by [`Framing::codec`].
///
/// A frame of length zero is a keep-alive: it is skipped and counted, never given out and never
/// answered (two ends that answer each other's keep-alives do so for ever). A frame on a TPDU link
/// that is too short for a TPDU comes out as a message without one: its end is known, so the
/// connection stays good. After any error the stream has no known next frame and the connection
/// must be closed.
#[derive(Clone, Debug)]
pub struct FrameCodec {
    framing: Framing,
    keep_alives: u64,
}

impl FrameCodec {
    pub(super) const fn new(framing: Framing) -> FrameCodec {
        FrameCodec { framing, keep_alives: 0 }
    }

    /// How many keep-alives (frames of length zero) came in so far.
    #[must_use]
    pub const fn keep_alives(&self) -> u64 {
        self.keep_alives
    }

    /// The framing.
    #[must_use]
    pub const fn framing(&self) -> &Framing {
        &self.framing
    }

    /// Appends one frame to `out` from borrowed parts.
    ///
    /// # Errors
    /// [`FrameError::TooLong`], [`FrameError::Empty`] or [`FrameError::TpduMissing`]; `out` is then
    /// unchanged, and the connection may go on.
    pub fn append(
        &self,
        header: Option<Tpdu>,
        body: &[u8],
        out: &mut BytesMut,
    ) -> Result<(), FrameError> {
        let Framing { length: form, tpdu, max_frame } = self.framing;
        if body.is_empty() {
            return Err(FrameError::Empty);
        }
        let header = match (tpdu, header) {
            (true, None) => return Err(FrameError::TpduMissing),
            (true, Some(header)) => Some(header.to_bytes()),
            (false, _) => None,
        };
        let header = header.as_ref().map_or(&[][..], |bytes| &bytes[..]);
        let length = header.len().saturating_add(body.len());
        if length > max_frame {
            return Err(FrameError::TooLong { length, max: max_frame, hint: None });
        }
        out.reserve(length.saturating_add(form.bytes()));
        put_length(form, length, out);
        out.extend_from_slice(header);
        out.extend_from_slice(body);
        Ok(())
    }

    /// Appends a keep-alive, a frame of length zero.
    pub fn append_keep_alive(&self, out: &mut BytesMut) {
        put_length(self.framing.length, 0, out);
    }

    fn cut(&self, mut content: BytesMut) -> Frame {
        let mut header = None;
        if self.framing.tpdu
            && let Some(bytes) = content.first_chunk::<{ Tpdu::LEN }>()
        {
            header = Some(Tpdu::from_bytes(*bytes));
            content.advance(Tpdu::LEN);
        }
        Frame { header, body: content.freeze() }
    }
}

fn put_length(form: LengthHeader, length: usize, out: &mut BytesMut) {
    let bytes = form.write(length);
    out.extend_from_slice(bytes.get(..form.bytes()).unwrap_or_default());
}

impl Decoder for FrameCodec {
    type Item = Frame;
    type Error = FrameError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        let Framing { length: form, max_frame, .. } = self.framing;
        loop {
            let Some(length) = form.read(src, max_frame)? else { return Ok(None) };
            if length == 0 {
                src.advance(form.bytes());
                self.keep_alives = self.keep_alives.saturating_add(1);
                continue;
            }
            let whole = form.bytes().saturating_add(length);
            if src.len() < whole {
                src.reserve(whole.saturating_sub(src.len()));
                return Ok(None);
            }
            src.advance(form.bytes());
            let content = src.split_to(length);
            return Ok(Some(self.cut(content)));
        }
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        match self.decode(src)? {
            None if !src.is_empty() => Err(FrameError::CutShort { have: src.len() }),
            frame => Ok(frame),
        }
    }
}

impl Encoder<Frame> for FrameCodec {
    type Error = FrameError;

    fn encode(&mut self, frame: Frame, out: &mut BytesMut) -> Result<(), FrameError> {
        self.append(frame.header, &frame.body, out)
    }
}
