//! ISO 8583:1987 in ASCII as a peer of the switch knows it. Must share nothing with the switch's
//! own codec but the framing, so that a mistake on one side is not mirrored on the other.

mod describe;
mod field_table;
mod message;
mod read;
mod write;

pub use describe::{amount, mask_pan};
pub use field_table::{Content, FieldShape, Length, shape};
pub use message::Message;
