//! PINs: blocks of ISO 9564, what is kept of a PIN to verify it by, and which formats may follow
//! one another. It owns the only places where a PIN is ever in clear; none of them leaves this
//! package, and all of them are wiped. It knows no key by name and no handle.

mod block;
mod clear;
mod fill;
mod ibm3624;
#[cfg(test)]
mod properties;
mod pvv;
mod translation;
#[cfg(test)]
mod vectors;
mod zone_key;

pub(crate) use clear::{AsciiPin, ClearPin, ReadPin};
pub(crate) use fill::Fill;
pub(crate) use ibm3624::{generate_offset, verify_offset};
pub(crate) use pvv::{generate_pvv, verify_pvv};
pub(crate) use translation::is_allowed;
pub(crate) use zone_key::ZoneKey;
