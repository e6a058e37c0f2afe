//! A payment HSM as the security module of the switch: it is asked by host commands in the manner
//! of payShield, over several connections to one or more units. It owns the layouts of commands
//! and answers, and how long one waits for whom; it computes nothing and holds no clear key.
//!
//! The layouts, what is sure of them and what is not, are in docs/hsm.md.
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

mod client;
pub mod commands;
mod error_code;
mod fields;
mod frame;
mod hsm_key;
mod metrics;
mod module;
mod pan_fields;
mod secret;

pub use client::{Answer, CallError, HsmClient, Settings, TlsFault, UnitTls};
pub use error_code::{ErrorCode, Verdict};
pub use fields::{AnswerReader, CommandWriter, Malformed};
pub use frame::HEADER_LENGTHS;
pub use hsm_key::{HsmKey, InvalidHsmKey};
pub use metrics::describe as describe_metrics;
pub use module::{HsmKeys, HsmKeysError, HsmModule, MAX_KEYS, NamedHsmKey, connect};
