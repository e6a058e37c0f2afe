//! Faults of framing. All of them end a connection: once a length cannot be trusted, nobody knows
//! where the next message begins. (An unreadable *message* is another matter, and costs nothing but
//! itself.)

use std::fmt;
use std::io;

/// What a wrong length looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LengthHint {
    /// The peer seems to send ASCII digits.
    AsciiDigits,
    /// The peer seems to send a binary length.
    Binary,
}

impl fmt::Display for LengthHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LengthHint::AsciiDigits => {
                "length bytes look like ASCII digits: is the peer's framing ascii4?"
            }
            LengthHint::Binary => {
                "length bytes look like a binary length: is the peer's framing binary2?"
            }
        })
    }
}

/// A frame that cannot be read or written. Close the connection after it.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The peer announces, or the caller hands over, a longer frame than allowed; nothing was
    /// reserved.
    #[error("frame of {length} bytes, at most {max} allowed{}", with_hint(.hint))]
    TooLong {
        /// Bytes of the frame.
        length: usize,
        /// Bytes allowed.
        max: usize,
        /// What it looks like.
        hint: Option<LengthHint>,
    },
    /// A byte of the length is not made of digits.
    #[error("byte {index} of the frame length is 0x{byte:02X}, not a digit{}", with_hint(.hint))]
    LengthNotDigits {
        /// Position of the byte in the length, from 0.
        index: usize,
        /// The byte.
        byte: u8,
        /// What it looks like.
        hint: Option<LengthHint>,
    },
    /// The length is said to count itself, and is shorter than that.
    #[error("frame length is {length}, and it counts its own {own} bytes: does the peer's not?")]
    BelowItself {
        /// The number.
        length: usize,
        /// Bytes of the length.
        own: usize,
    },
    /// The last byte of a frame is not the one that ends every frame of this link.
    #[error("the frame ends with 0x{byte:02X} instead of 0x03 (ETX): has the peer no trailer?")]
    TrailerMissing {
        /// The byte that is there.
        byte: u8,
    },
    /// A message to send holds the byte that would end it.
    #[error("byte {index} of the message is 0x03 (ETX), which ends a frame of this link")]
    TrailerWithin {
        /// Where.
        index: usize,
    },
    /// The connection ended within a frame.
    #[error("connection closed within a frame, {have} bytes of it received")]
    CutShort {
        /// Bytes received of it, its length included.
        have: usize,
    },
    /// An empty message was to be sent; on the wire that would be a keep-alive.
    #[error("an empty message cannot be framed")]
    Empty,
    /// The link has headers, and the frame to send has none.
    #[error("this link needs a header in front of every message")]
    HeaderMissing,
    /// The socket failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

fn with_hint(hint: &Option<LengthHint>) -> String {
    hint.map(|hint| format!("; {hint}")).unwrap_or_default()
}
