//! A payment HSM that speaks host commands in the manner of payShield, and fails when told to. How
//! commands are written, it knows by itself. Must never be taken for an HSM: its keys lie in
//! memory.

mod connection;
mod fault;
mod health;
mod settings;
mod tally;
mod unit;
mod wire;

pub use fault::{Fault, Plan};
pub use settings::Settings;
pub use tally::Tally;
pub use unit::HsmUnit;
