//! A provider that verifies customers (KYC) over HTTPS: it decides by the family name, and
//! misbehaves when told to. It shares nothing with the switch but the bytes that go between them.
//! Must never print, count or keep who it was asked about: identifiers of inquiries alone.

mod answer;
mod conduct;
mod provider;
mod question;
mod serve;
mod tally;

pub use conduct::{Conduct, Plan, Verdict};
pub use provider::{KycSettings, SimulatedKyc};
pub use tally::Tally;
