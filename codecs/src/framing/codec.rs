//! Frames cut from and put into a byte stream, as a `tokio_util` codec. Must never reserve what the
//! limit does not allow, nor hold more than one incomplete frame.

use bytes::{Buf, Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::error::FrameError;
use super::header::{Header, HeaderForm};
use super::wiped::{WipedFrame, grow};
use super::{ETX, Framing, LengthHeader, Trailer};

/// One message with the header in front of it, if the link has them.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// The header. `None` on links without, and on a frame too short to hold one.
    pub header: Option<Header>,
    /// The message.
    pub body: Bytes,
}

impl Frame {
    /// Without header.
    #[must_use]
    pub const fn new(body: Bytes) -> Frame {
        Frame { header: None, body }
    }

    /// The frame that answers this one: addresses exchanged.
    #[must_use]
    pub fn reply(&self, body: Bytes) -> Frame {
        Frame { header: self.header.map(Header::reply), body }
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
/// answered (two ends that answer each other's keep-alives do so for ever). A frame that is too
/// short for the header of its link comes out as a message without one: its end is known, so the
/// connection stays good. After any error the stream has no known next frame and the connection
/// must be closed.
#[derive(Clone, Debug)]
pub struct FrameCodec {
    framing: Framing,
    keep_alives: u64,
    /// Bytes at the front of an incomplete frame in which there is no trailer: not looked at again.
    searched: usize,
}

impl FrameCodec {
    pub(super) const fn new(framing: Framing) -> FrameCodec {
        FrameCodec { framing, keep_alives: 0, searched: 0 }
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
    /// [`FrameError::TooLong`], [`FrameError::Empty`], [`FrameError::HeaderMissing`] or
    /// [`FrameError::TrailerWithin`]; `out` is then unchanged, and the connection may go on.
    pub fn append(
        &self,
        header: Option<Header>,
        body: &[u8],
        out: &mut BytesMut,
    ) -> Result<(), FrameError> {
        let Framing { length: form, trailer, max_frame, .. } = self.framing;
        if body.is_empty() {
            return Err(FrameError::Empty);
        }
        let header = match (self.framing.header, header) {
            (HeaderForm::None, _) => None,
            (_, None) => return Err(FrameError::HeaderMissing),
            (_, Some(header)) => Some(header.in_front_of(body.len())),
        };
        let header = header.as_ref().map_or(&[][..], Header::as_bytes);
        let length = header.len().saturating_add(body.len());
        if length > max_frame {
            return Err(FrameError::TooLong { length, max: max_frame, hint: None });
        }
        if form == LengthHeader::None
            && let Some(index) = body.iter().chain(header).position(|byte| *byte == ETX)
        {
            return Err(FrameError::TrailerWithin { index });
        }
        let besides = self.framing.counted_besides();
        grow(out, length.saturating_add(form.bytes()).saturating_add(trailer.bytes()));
        put_length(form, length.saturating_add(besides), out);
        out.extend_from_slice(header);
        out.extend_from_slice(body);
        if trailer == Trailer::Etx {
            out.extend_from_slice(&[ETX]);
        }
        Ok(())
    }

    /// Appends a keep-alive: a frame of length zero, or one that is its trailer alone.
    pub fn append_keep_alive(&self, out: &mut BytesMut) {
        let Framing { length: form, inclusive, .. } = self.framing;
        match form {
            LengthHeader::None => out.extend_from_slice(&[ETX]),
            _ if inclusive => put_length(form, form.bytes(), out),
            _ => put_length(form, 0, out),
        }
    }

    /// The next frame of a stream, as [`Decoder::decode`] gives it, but left where it lies and
    /// wiped when it was taken.
    ///
    /// # Errors
    /// As [`Decoder::decode`]; the stream cannot be read on then.
    pub fn next_frame(&mut self, src: &mut BytesMut) -> Result<Option<WipedFrame>, FrameError> {
        loop {
            let next = match self.framing.length {
                LengthHeader::None => self.next_by_trailer(src)?,
                _ => self.next_by_length(src)?,
            };
            let Some(content) = next else { return Ok(None) };
            if content.is_empty() {
                self.keep_alives = self.keep_alives.saturating_add(1);
                continue;
            }
            return Ok(Some(self.cut(content)));
        }
    }

    /// The number in front of a frame to what follows it: header, message and trailer.
    fn following(&self, number: usize) -> Result<usize, FrameError> {
        let own = self.framing.length.bytes();
        match number {
            // Also where the length counts itself: some peers write all zeros.
            0 => Ok(0),
            _ if !self.framing.inclusive => Ok(number),
            _ => number.checked_sub(own).ok_or(FrameError::BelowItself { length: number, own }),
        }
    }

    /// The next frame of a stream in which a length says where it ends, its trailer still on it;
    /// empty for a keep-alive.
    fn next_by_length(&mut self, src: &mut BytesMut) -> Result<Option<BytesMut>, FrameError> {
        let Framing { length: form, max_frame, .. } = self.framing;
        let most = max_frame.saturating_add(self.framing.counted_besides());
        let Some(number) = form.read(src, most)? else { return Ok(None) };
        let following = self.following(number)?;
        let whole = form.bytes().saturating_add(following);
        if src.len() < whole {
            grow(src, whole.saturating_sub(src.len()));
            return Ok(None);
        }
        src.advance(form.bytes());
        let mut content = src.split_to(following);
        if self.framing.trailer == Trailer::Etx
            && let Some(last) = content.len().checked_sub(1)
        {
            let byte = content.get(last).copied().unwrap_or(ETX);
            if byte != ETX {
                return Err(FrameError::TrailerMissing { byte });
            }
            content.truncate(last);
        }
        Ok(Some(content))
    }

    /// The same of a stream in which only a trailer does.
    fn next_by_trailer(&mut self, src: &mut BytesMut) -> Result<Option<BytesMut>, FrameError> {
        let Framing { max_frame, .. } = self.framing;
        let unsearched = src.get(self.searched..).unwrap_or_default();
        let end = unsearched.iter().position(|byte| *byte == ETX);
        let end = end.map(|index| self.searched.saturating_add(index));
        let length = end.unwrap_or(src.len());
        if length > max_frame {
            return Err(FrameError::TooLong { length, max: max_frame, hint: None });
        }
        self.searched = 0;
        if end.is_none() {
            self.searched = src.len();
            return Ok(None);
        }
        let content = src.split_to(length);
        src.advance(1);
        Ok(Some(content))
    }

    fn cut(&self, mut content: BytesMut) -> WipedFrame {
        let form = self.framing.header;
        let header = match form {
            HeaderForm::None => None,
            _ => Header::take(form, &content),
        };
        if let Some(header) = &header {
            content.advance(header.as_bytes().len());
            // A message that is sent back has the header that it was sent with.
            if header.reject_code().is_some()
                && let Some(own) = Header::take(form, &content)
            {
                content.advance(own.as_bytes().len());
            }
        }
        WipedFrame { header, body: content }
    }
}

fn put_length(form: LengthHeader, number: usize, out: &mut BytesMut) {
    let bytes = form.write(number);
    out.extend_from_slice(bytes.get(..form.bytes()).unwrap_or_default());
}

impl Decoder for FrameCodec {
    type Item = Frame;
    type Error = FrameError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        Ok(self.next_frame(src)?.map(WipedFrame::keep))
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
