//! Cards of test accounts, as they are in terminals: chips that compute real cryptograms and judge
//! what the issuer answers, stripes and printed codes with real values, PINs in real blocks. And
//! each of them wrong, where that is wanted.
//!
//! Everything is computed here, from the published rules and the bare ciphers: nothing is shared
//! with the switch, so that a mistake on one side is not mirrored on the other. All keys are test
//! keys, made from a seed or read from a demo's file; no network's are known here.

mod answer;
mod card;
mod cipher;
mod flaw;
mod keys;
mod kind;
mod pin_block;
mod sale;
mod script;
mod tlv;
mod values;
#[cfg(test)]
mod vectors;

pub use answer::IssuerAnswer;
pub use card::{CardFacts, Signed, SimulatedCard};
pub use flaw::Flaw;
pub use keys::{TestKey, TestKeys};
pub use kind::CardKind;
pub use pin_block::{pin_block_0, pin_block_4, pin_of_block_0};
pub use sale::Sale;
pub use values::pin_verification_value;
