//! Where a host command and its answer begin and end: two bytes of length, a header that comes back
//! unchanged, two letters, data. It owns the bounds; it knows no command.

use zeroize::{Zeroize, Zeroizing};

use crate::secret::Secret;

/// Bytes of the length in front.
pub(crate) const LENGTH: usize = 2;
/// Bytes of a command's letters, and of an answer's.
pub(crate) const CODE: usize = 2;
/// Bytes of an answer's error code.
const ERROR_CODE: usize = 2;
/// The shortest and longest header that can be set.
pub const HEADER_LENGTHS: std::ops::RangeInclusive<usize> = 4..=16;

/// A header of our own, by which its answer is known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Header {
    bytes: [u8; 16],
    length: u8,
}

impl Header {
    /// Of these bytes; `None` where they are too many.
    pub(crate) fn of(from: &[u8]) -> Option<Self> {
        let mut bytes = [0; 16];
        bytes.get_mut(..from.len())?.copy_from_slice(from);
        Some(Self { bytes, length: u8::try_from(from.len()).ok()? })
    }

    /// By chance, of letters and digits. Not by counting: a header with one wrong character must
    /// not be that of another call.
    pub(crate) fn draw(length: usize) -> Self {
        const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
        let drawn: [u8; 16] = rand::random();
        let mut bytes = [0; 16];
        for (slot, chance) in bytes.iter_mut().zip(drawn).take(length) {
            *slot = LETTERS.get(usize::from(chance & 31)).copied().unwrap_or(b'A');
        }
        Self { bytes, length: u8::try_from(length.min(16)).unwrap_or(16) }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

/// Why what came is no answer of a unit. Nobody knows where the next one would begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    /// Shorter than header, letters and error code.
    #[error("an answer of {0} bytes cannot hold header, letters and error code")]
    TooShort(usize),
    /// Longer than what is set.
    #[error("an answer of {0} bytes is longer than the limit")]
    TooLong(usize),
}

/// The answer in one frame.
pub(crate) struct AnswerFrame {
    body: Secret,
    header_length: usize,
}

impl AnswerFrame {
    pub(crate) fn header(&self) -> Option<Header> {
        Header::of(self.body.as_slice().get(..self.header_length)?)
    }

    /// The two letters.
    pub(crate) fn code(&self) -> [u8; CODE] {
        let code = self.body.as_slice().get(self.header_length..).and_then(<[u8]>::first_chunk);
        code.copied().unwrap_or_default()
    }

    /// Error code and data.
    pub(crate) fn rest(&self) -> &[u8] {
        let from = self.header_length.saturating_add(CODE);
        self.body.as_slice().get(from..).unwrap_or_default()
    }
}

/// Bytes as they come, and the frames among them. Of a fixed size: a hostile length costs nothing.
pub(crate) struct Input {
    bytes: Zeroizing<Vec<u8>>,
    filled: usize,
    header_length: usize,
}

impl Input {
    /// For answers of at most so many bytes behind the length.
    pub(crate) fn new(header_length: usize, most: usize) -> Self {
        let bytes = Zeroizing::new(vec![0; most.saturating_add(LENGTH)]);
        Self { bytes, filled: 0, header_length }
    }

    /// Where the next bytes go. Never empty while every frame that is whole was taken.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.filled..).unwrap_or_default()
    }

    /// So many bytes of the room were filled.
    pub(crate) fn fill(&mut self, bytes: usize) {
        self.filled = self.filled.saturating_add(bytes).min(self.bytes.len());
    }

    /// The next whole frame, if there is one.
    pub(crate) fn take(&mut self) -> Result<Option<AnswerFrame>, FrameError> {
        let Some(length) = self.bytes.get(..self.filled).and_then(<[u8]>::first_chunk) else {
            return Ok(None);
        };
        let length = usize::from(u16::from_be_bytes(*length));
        let least = self.header_length.saturating_add(CODE).saturating_add(ERROR_CODE);
        if length < least {
            return Err(FrameError::TooShort(length));
        }
        let end = length.saturating_add(LENGTH);
        if end > self.bytes.len() {
            return Err(FrameError::TooLong(length));
        }
        let Some(body) = self.bytes.get(LENGTH..end).filter(|_| end <= self.filled) else {
            return Ok(None);
        };
        let body = Secret::of(body);
        self.bytes.copy_within(end..self.filled, 0);
        let left = self.filled.saturating_sub(end);
        self.bytes.get_mut(left..self.filled).unwrap_or_default().zeroize();
        self.filled = left;
        Ok(Some(AnswerFrame { body, header_length: self.header_length }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    fn frame(header: &[u8], rest: &[u8]) -> Vec<u8> {
        let body = [header, rest].concat();
        let mut bytes = u16::try_from(body.len()).unwrap().to_be_bytes().to_vec();
        bytes.extend(body);
        bytes
    }

    fn feed(input: &mut Input, bytes: &[u8]) {
        input.room()[..bytes.len()].copy_from_slice(bytes);
        input.fill(bytes.len());
    }

    #[test]
    fn frames_come_in_any_pieces() {
        let all = [frame(b"AAAA", b"CZ00"), frame(b"BBBB", b"CX00123")].concat();
        for piece in 1..=all.len() {
            let mut input = Input::new(4, 64);
            let mut seen = Vec::new();
            for bytes in all.chunks(piece) {
                feed(&mut input, bytes);
                while let Some(frame) = input.take().unwrap() {
                    let header = frame.header().unwrap();
                    seen.push((header.as_bytes().to_vec(), frame.code(), frame.rest().to_vec()));
                }
            }
            let first = (b"AAAA".to_vec(), *b"CZ", b"00".to_vec());
            assert_eq!(seen, [first, (b"BBBB".to_vec(), *b"CX", b"00123".to_vec())], "{piece}");
            assert!(input.bytes.iter().all(|byte| *byte == 0), "what was taken is wiped");
        }
    }

    #[test]
    fn a_hostile_length_is_refused_before_its_bytes_come() {
        let mut short = Input::new(4, 64);
        feed(&mut short, &[0, 7]);
        assert_eq!(short.take().err(), Some(FrameError::TooShort(7)));
        let mut long = Input::new(4, 64);
        feed(&mut long, &[0xFF, 0xFF]);
        assert_eq!(long.take().err(), Some(FrameError::TooLong(65535)));
        let mut full = Input::new(4, 64);
        feed(&mut full, &frame(b"AAAA", &[b'0'; 60]));
        assert!(full.take().unwrap().is_some());
        assert_eq!(full.room().len(), 66);
    }

    #[test]
    fn headers_are_drawn_of_their_length_and_not_in_order() {
        let drawn: std::collections::HashSet<_> = (0..1000).map(|_| Header::draw(8)).collect();
        assert_eq!(drawn.len(), 1000);
        let plain = |header: &Header| header.as_bytes().iter().all(u8::is_ascii_alphanumeric);
        assert!(drawn.iter().all(|header| header.as_bytes().len() == 8 && plain(header)));
        assert!(Header::of(&[b'A'; 17]).is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fall(bytes: Vec<u8>, header in 4usize..=16) {
            let mut input = Input::new(header, 128);
            for piece in bytes.chunks(50) {
                let piece = &piece[..piece.len().min(input.room().len())];
                feed(&mut input, piece);
                while let Ok(Some(frame)) = input.take() {
                    let _ = (frame.header(), frame.code(), frame.rest().len());
                }
            }
            let _ = any::<u8>();
            prop_assert!(input.filled <= input.bytes.len());
        }
    }
}
