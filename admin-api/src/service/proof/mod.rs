//! What people and programs prove themselves by: secrets that are borne (session tokens), and what
//! is typed (PINs of users, passwords of operators). It owns how these are drawn, read, hashed and
//! known again; none of them can be printed, and none is kept.

mod hashing;
mod no_session;
mod secret;

pub use hashing::HashingSettings;
pub(crate) use hashing::{Hashing, Typed};
pub use no_session::NoSession;
pub use secret::BearerSecret;
pub(crate) use secret::random;
