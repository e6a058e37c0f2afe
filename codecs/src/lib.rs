//! Bytes to messages and back: ISO 8583 dialects, framings, BER-TLV.
//!
//! Nothing in here opens a socket, reads a clock or knows what a card or money is, and no input
//! from a peer may make it panic or allocate more than it was allowed to.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod emv;
pub mod framing;
pub mod import;
pub mod iso8583;
