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
    /// The connection ended within a frame.
    #[error("connection closed within a frame, {have} bytes of it received")]
    CutShort {
        /// Bytes received of it, its length included.
        have: usize,
    },
    /// An empty message was to be sent; on the wire that would be a keep-alive.
    #[error("an empty message cannot be framed")]
    Empty,
    /// The link uses TPDUs and the frame to send has none.
    #[error("this link needs a TPDU in front of every message")]
    TpduMissing,
    /// The socket failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

fn with_hint(hint: &Option<LengthHint>) -> String {
    hint.map(|hint| format!("; {hint}")).unwrap_or_default()
}
