//! Where one message ends and the next begins on a TCP connection: a length in front, on some links
//! a header behind it, on some an end byte. Must refuse a length before it reserves a byte for it,
//! and never look inside messages.

mod codec;
mod error;
mod header;
mod length;
mod station;
mod tpdu;
mod wiped;

pub use codec::{Frame, FrameCodec};
pub use error::{FrameError, LengthHint};
pub use header::{Header, HeaderForm};
pub use length::{LengthHeader, UnknownLength};
pub use tpdu::Tpdu;
pub use wiped::{WipedFrame, grow, wipe};

use serde::{Deserialize, Serialize};

use crate::iso8583::MAX_MESSAGE;

/// The byte that ends a frame where there is a trailer: ETX.
pub(crate) const ETX: u8 = 0x03;

/// How messages are framed on a link, as a configuration file says it.
///
/// ```toml
/// length = "binary2"   # or binary3, binary4, binary2-zero2, zero2-binary2, ascii2 to ascii6,
///                      # hex4, bcd2, none
/// inclusive = false    # true: the length counts its own bytes too
/// trailer = "none"     # or "etx": a byte 03 behind every message, which the length counts
/// header = "none"      # or "tpdu", "station", { echo = 12 }: in front of the message, counted
/// max_frame = 4096     # longest frame accepted: bytes of header and message
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Framing {
    /// The length in front of every message.
    pub length: LengthHeader,
    /// True when the length counts its own bytes too.
    #[serde(default)]
    pub inclusive: bool,
    /// What stands behind every message.
    #[serde(default)]
    pub trailer: Trailer,
    /// What stands between length and message.
    #[serde(default)]
    pub header: HeaderForm,
    /// Longest frame accepted: bytes of header and message, without length and trailer. Keep it
    /// below 12,336 (two ASCII digits read as binary), and a peer with the wrong framing is told
    /// from a long message.
    #[serde(default = "default_max_frame")]
    pub max_frame: usize,
}

/// What stands behind every message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Trailer {
    /// Nothing.
    #[default]
    None,
    /// The byte 03.
    Etx,
}

impl Trailer {
    /// Bytes that it takes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Trailer::None => 0,
            Trailer::Etx => 1,
        }
    }
}

const fn default_max_frame() -> usize {
    4096
}

/// A framing that cannot work.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FramingError {
    /// The limit is none.
    #[error("max_frame is {given}, but with this length and header it must be from {min} to {max}")]
    MaxFrame {
        /// What was given.
        given: usize,
        /// Least that makes sense.
        min: usize,
        /// Most the length can say.
        max: usize,
    },
    /// Nothing says where a frame ends.
    #[error("length = \"none\" needs trailer = \"etx\": nothing else says where a frame ends")]
    NoEnd,
    /// What we write into the header could end the frame.
    #[error(
        "header = \"station\" needs a length: the total in it may hold the byte that ends a frame"
    )]
    StationWithoutLength,
    /// Nothing that could count itself.
    #[error("inclusive = true needs a length")]
    NothingInclusive,
    /// A header that does not fit.
    #[error("header = {{ echo = {given} }} must be from 1 to {max} bytes")]
    Echo {
        /// What was given.
        given: u8,
        /// Most that is kept.
        max: usize,
    },
    /// No such length.
    #[error("ascii lengths have 2 to 6 digits, not {0}")]
    Digits(u8),
}

impl Framing {
    /// Without header and trailer, with at most 4,096 bytes a frame.
    #[must_use]
    pub const fn new(length: LengthHeader) -> Framing {
        Framing {
            length,
            inclusive: false,
            trailer: Trailer::None,
            header: HeaderForm::None,
            max_frame: default_max_frame(),
        }
    }

    /// What the number on the wire counts besides header and message.
    const fn counted_besides(&self) -> usize {
        let own = if self.inclusive { self.length.bytes() } else { 0 };
        own.saturating_add(self.trailer.bytes())
    }

    /// Checks that it can work, and that its limit is one that the length can express.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> Result<(), FramingError> {
        match self.length {
            LengthHeader::None if self.inclusive => return Err(FramingError::NothingInclusive),
            LengthHeader::None if self.trailer == Trailer::None => return Err(FramingError::NoEnd),
            LengthHeader::None if self.header == HeaderForm::Station => {
                return Err(FramingError::StationWithoutLength);
            }
            LengthHeader::Ascii(digits) if !(2..=6).contains(&digits) => {
                return Err(FramingError::Digits(digits));
            }
            _ => {}
        }
        if let HeaderForm::Echo(given) = self.header
            && !(1..=Header::MAX).contains(&usize::from(given))
        {
            return Err(FramingError::Echo { given, max: Header::MAX });
        }
        let min = self.header.len().saturating_add(1);
        let capacity = self.length.capacity().saturating_sub(self.counted_besides());
        let max = capacity.min(MAX_MESSAGE);
        if !(min..=max).contains(&self.max_frame) {
            return Err(FramingError::MaxFrame { given: self.max_frame, min, max });
        }
        Ok(())
    }

    /// The codec for one connection.
    ///
    /// # Errors
    /// As [`Framing::check`].
    pub fn codec(&self) -> Result<FrameCodec, FramingError> {
        self.check()?;
        Ok(FrameCodec::new(*self))
    }
}
