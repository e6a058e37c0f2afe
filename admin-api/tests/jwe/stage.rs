//! What the tests of encryption share: the keys of the vectors, and making tokens part by part.

use std::sync::OnceLock;

use admin_api::jwe::{
    KeyRules, Kid, OpenPolicy, Openable, PartnerKey, Payload, PlatformKey, PlatformKeys, Refused,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use switch_domain::Timestamp;

use crate::vectors::vectors;

/// A moment.
pub(crate) const NOW: Timestamp = Timestamp(1_796_083_200_000_000);
/// Later than it.
pub(crate) const LATER: Timestamp = Timestamp(1_796_083_200_000_001);

/// Rules that take the keys of the vectors.
pub(crate) const RULES: KeyRules = KeyRules { allow_2048: true, most_keys: 3 };

/// A key of the vectors, by its name.
pub(crate) fn key(kid: &str) -> PlatformKey {
    let pkcs8 = vectors()["keys"][kid]["pkcs8_der_b64"].as_str().expect("a key");
    let pkcs8 = STANDARD.decode(pkcs8).expect("base64");
    PlatformKey::from_pkcs8(Some(Kid::new(kid).expect("a name")), &pkcs8, &RULES).expect("a key")
}

/// The public half of one.
pub(crate) fn partner(kid: &str) -> PartnerKey {
    let pem = vectors()["keys"][kid]["spki_pem"].as_str().expect("a key");
    PartnerKey::from_pem(pem).expect("a key")
}

/// Both keys of the vectors, the smaller active.
pub(crate) fn keys() -> &'static PlatformKeys {
    static KEYS: OnceLock<PlatformKeys> = OnceLock::new();
    KEYS.get_or_init(fresh_keys)
}

/// The same with counters of their own.
pub(crate) fn fresh_keys() -> PlatformKeys {
    let before = PlatformKeys::new(key("rsa4096-a"));
    before.rotate(key("rsa2048-a"), (NOW, LATER), &RULES).expect("two keys")
}

/// Checks and opens, as an endpoint does.
pub(crate) fn open(token: &str, keys: &PlatformKeys) -> Result<Payload, Refused> {
    open_by(token, keys, &OpenPolicy::default())
}

/// The same by another policy.
pub(crate) fn open_by(
    token: &str,
    keys: &PlatformKeys,
    policy: &OpenPolicy,
) -> Result<Payload, Refused> {
    Openable::check(token, keys, policy, NOW)?.open()
}

/// RSA operations of all keys so far.
pub(crate) fn operations(keys: &PlatformKeys) -> u64 {
    keys.iter().map(|(key, _)| key.operations()).sum()
}

/// Bytes as a part of a token.
pub(crate) fn part(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of each part of a token.
pub(crate) fn parts(token: &str) -> Vec<Vec<u8>> {
    token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).expect("base64url")).collect()
}

/// A token of these parts.
pub(crate) fn join(parts: &[Vec<u8>]) -> String {
    parts.iter().map(|bytes| part(bytes)).collect::<Vec<_>>().join(".")
}
