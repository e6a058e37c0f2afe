//! Card values: CVV and its kin, and the two that change with every transaction. It owns how each
//! is computed; it knows no key by name, and derives no card's key from a master key.

mod dynamic;
mod fixed;
#[cfg(test)]
mod vectors;

pub(crate) use dynamic::{cvc3, dcvv, matches_cvc3};
pub(crate) use fixed::{cvv, cvv2, icvv};
