//! A small payment network: the other end of an issuer's link. It listens or dials, over TCP or
//! TLS, in any dialect and framing; it answers network management, sends purchases and file
//! actions, counts all it sees, and misbehaves when told to. Must never decide about money, nor
//! hide what came.
//!
//! Unlike [`crate::iso`] it writes messages with the codecs' dialects, ten of them: what a dialect
//! means on the wire is held by the codecs' own oracles. How an edition of the standard says a
//! purchase, a reversal or a sign-on stands here, apart from the switch.

mod connection;
mod draft;
mod file_action;
mod malformed;
mod management;
mod network_trace;
mod peer;
mod said;
mod settings;
mod settled;
mod shared;
mod speech;
mod tally;
mod tls;
mod wire;

pub use draft::{Draft, Sale, Value};
pub use file_action::LockAsk;
pub use malformed::Malformed;
pub use management::Function;
pub use peer::NetworkPeer;
pub use said::Said;
pub use settings::{Behaviour, Settings};
pub use settled::Settlement;
pub use speech::Speech;
pub use tally::Tally;
pub(crate) use tls::Handshake;
pub use tls::{Identity, Tls, TlsVersions};
pub(crate) use wire::Wire;
