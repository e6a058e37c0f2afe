//! Where one message ends and the next begins on a TCP connection: a length in front, and on some
//! links a TPDU. Must refuse a length before it reserves a byte for it, and never look inside
//! messages.

mod codec;
mod error;
mod length;
mod tpdu;

pub use codec::{Frame, FrameCodec};
pub use error::{FrameError, LengthHint};
pub use length::LengthHeader;
pub use tpdu::Tpdu;

use serde::{Deserialize, Serialize};

/// How messages are framed on a link, as a configuration file says it.
///
/// ```toml
/// length = "binary2"   # or "ascii4", "bcd2"
/// tpdu = false         # true: 5 bytes in front of every message, which the length counts
/// max_frame = 4096     # longest length accepted, in bytes
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Framing {
    /// The length in front of every message.
    pub length: LengthHeader,
    /// True when a TPDU stands between length and message.
    #[serde(default)]
    pub tpdu: bool,
    /// Longest length accepted, in bytes, the TPDU included and the length itself not. Keep it
    /// below 12,336 (two ASCII digits read as binary), and a peer with the wrong framing is told
    /// from a long message.
    #[serde(default = "default_max_frame")]
    pub max_frame: usize,
}

const fn default_max_frame() -> usize {
    4096
}

/// A framing that cannot work.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("max_frame is {given}, but with this length header it must be from {min} to {max}")]
pub struct FramingError {
    /// What was given.
    pub given: usize,
    /// Least that makes sense.
    pub min: usize,
    /// Most the length header can say.
    pub max: usize,
}

impl Framing {
    /// Without TPDU, with at most 4,096 bytes a frame.
    #[must_use]
    pub const fn new(length: LengthHeader) -> Framing {
        Framing { length, tpdu: false, max_frame: default_max_frame() }
    }

    /// Checks that the limit is one the length header can express.
    ///
    /// # Errors
    /// When `max_frame` is zero (or leaves no room beside the TPDU), or above the header's
    /// capacity.
    pub const fn check(&self) -> Result<(), FramingError> {
        let min = if self.tpdu { Tpdu::LEN + 1 } else { 1 };
        let max = self.length.capacity();
        if self.max_frame < min || self.max_frame > max {
            return Err(FramingError { given: self.max_frame, min, max });
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
