//! ISO 8583 links: listening, sign-on and echo, and the translation of messages to commands and of
//! decisions to answers. It owns the wire as peers see it, and every limit that a peer can meet.
//! It never decides: what a card may spend is the shard's affair, and no card number that came by a
//! link is kept, logged or sent anywhere but back in the answer's own echo.
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

mod answer;
mod config;
mod connection;
mod desk;
mod listener;
mod metrics;
mod pending;
mod sign_on;
mod socket;
mod switch;
mod translate;

pub use config::{InvalidLink, LinkConfig, missing_field};
pub use listener::{BindError, Listener};
pub use metrics::describe as describe_metrics;
pub use switch::Switch;
