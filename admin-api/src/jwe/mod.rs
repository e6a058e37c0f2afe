//! JSON Web Encryption of the card API (RFC 7516, compact form): RSA-OAEP-256 or RSA-OAEP with
//! A256GCM, and nothing else. It owns tokens, the keys of both sides, what headers ask for, and the
//! bounded pool for RSA work. It knows no HTTP and no sockets, and trusts no token: whoever has the
//! public key can make one, so authority comes from the session or the certificate (J-05).
//!
//! A request goes size -> structure -> header -> key -> decrypt -> payload (J-02), and what is
//! refused before "decrypt" costs no RSA operation. `docs/jwe.md` is what partners read.

mod envelope;
mod json;
mod key_file;
mod keys;
mod negotiation;
mod open;
mod pool;
mod problem;
mod public_key;
mod published;
mod refusal;
mod rsa_public;
mod seal;
mod service;
mod token;

pub use envelope::{envelope, token_of};
pub use key_file::{KeyFileError, PlatformKeyFile};
pub use keys::{
    InvalidPlatformKey, KeyLife, KeyRules, Kid, PlatformKey, PlatformKeys, RotationError, RsaBits,
};
pub use negotiation::{
    Asked, Negotiated, PartnerRule, RequestBody, Requirement, ResponseBody, negotiate,
};
pub use open::{OpenPolicy, Openable, Payload};
pub use pool::{PoolError, PoolSettings, RsaPool};
pub use problem::EncryptionProblem;
pub use public_key::{InvalidPublicKey, PartnerKey};
pub use published::{PublishedJwk, PublishedKey};
pub use refusal::{Refused, Stage};
pub use seal::{SealError, seal};
pub use service::{Jwe, JweError};
pub use token::{KeyAlgorithm, Token};
