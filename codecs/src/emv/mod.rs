//! BER-TLV, the form of field 55 (EMV Book 3 annex B): tags, lengths, values. Must keep the order,
//! the repetitions and the unknown tags of what it reads, and never interpret a value.

mod names;
mod read;
mod tag;
mod write;

pub use names::{is_sensitive, name};
pub use read::{Tlv, TlvError, TlvFault, TlvIter, TlvList};
pub use tag::Tag;
pub use write::TlvWriter;

/// Deepest nesting of constructed objects that is followed; the outermost list is depth 1.
pub const MAX_DEPTH: u8 = 8;
