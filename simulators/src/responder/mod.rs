//! An issuer's stand-in for the tests of the peers: approves what it is told to, remembers its
//! answers, and makes faults on demand. Must never be taken for the switch: it keeps no balances
//! and checks nothing.

mod fault;
mod issuer;
mod serve;

pub use fault::{Fault, Misbehaviour};
pub use issuer::Issuer;
pub use serve::{listen, serve};
