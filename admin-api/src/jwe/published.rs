//! The platform's own key as partners get it (SR-067). It owns the forms; only public halves come
//! here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::keys::PlatformKey;

const PEM_COLUMNS: usize = 64;

/// A public key in the forms that libraries take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PublishedKey {
    /// Its name: the `kid` that a token may carry.
    pub kid: String,
    /// Base64 of DER of SubjectPublicKeyInfo, the form that `Public-Key` has.
    pub public_key: String,
    /// The same as PEM text.
    pub pem: String,
    /// The same as JSON Web Key (RFC 7517).
    pub jwk: PublishedJwk,
}

/// A JSON Web Key of RSA.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublishedJwk {
    /// `RSA`.
    pub kty: &'static str,
    /// Its name.
    pub kid: String,
    /// What it is for: `enc`.
    #[serde(rename = "use")]
    pub usage: &'static str,
    /// What it is best used with: `RSA-OAEP-256`.
    pub alg: &'static str,
    /// The modulus.
    pub n: String,
    /// The exponent.
    pub e: String,
}

impl PublishedKey {
    /// Of a key of ours.
    #[must_use]
    pub fn of(key: &PlatformKey) -> Self {
        let kid = key.kid().as_str().to_owned();
        let public_key = STANDARD.encode(key.public().der());
        let pem = pem(&public_key);
        let (n, e) = key.public().members();
        let (kty, usage, alg) = ("RSA", "enc", "RSA-OAEP-256");
        let jwk = PublishedJwk { kty, kid: kid.clone(), usage, alg, n, e };
        Self { kid, public_key, pem, jwk }
    }
}

fn pem(base64: &str) -> String {
    let mut text = String::from("-----BEGIN PUBLIC KEY-----\n");
    let mut rest = base64;
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(rest.len().min(PEM_COLUMNS));
        text.push_str(line);
        text.push('\n');
        rest = behind;
    }
    text.push_str("-----END PUBLIC KEY-----\n");
    text
}
