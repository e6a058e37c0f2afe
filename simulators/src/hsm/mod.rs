//! A payment HSM that speaks host commands in the manner of payShield, and fails when told to. What
//! it computes, the switch's own software module computes; how commands are written, it knows by
//! itself. Must never be taken for an HSM: its keys lie in memory.

mod card_value;
mod clear_pin;
mod connection;
mod emv;
mod fault;
mod fields;
mod health;
mod key_commands;
mod keys;
mod mac;
mod offset_terms;
mod pin;
mod script;
mod settings;
mod tally;
mod unit;
mod wire;

pub use fault::{Fault, Plan};
pub use settings::Settings;
pub use tally::Tally;
pub use unit::HsmUnit;
