//! Keys: what one may be used for, what is no key, and how those of a module are named and follow
//! one another. It owns the words; the bytes of a key leave it for algorithms of this package
//! alone, and no text made here has one of them.

mod check_value;
mod cipher;
mod components;
mod exportability;
mod material;
mod name;
mod permission;
mod refusal;
mod ring;
mod schedule;
mod state;
pub(crate) mod strength;
mod usage;
mod version;
mod well_known;

pub use check_value::{CheckMethod, KeyCheckValue};
pub use cipher::KeyCipher;
pub use components::{ComponentError, combine};
pub use exportability::Exportability;
pub use material::{InvalidKey, Key, NoRandomness};
pub(crate) use material::{MAX_KEY, SecretBytes};
pub use name::{KeyHandle, KeyName};
pub use permission::Function;
pub use refusal::{KeyError, KeyRingError};
pub use ring::{KeyRing, NamedKey};
pub use state::KeyState;
pub use usage::{KeyMode, KeyUsage};
pub use version::KeyVersion;
pub(crate) use well_known::is_well_known;
