//! A compact token, taken apart and judged by everything that is not secret: size, then structure,
//! then header. It owns the five parts and what their header may say. It never decrypts, costs no
//! RSA operation, and lends no part of a token to any message.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::json::one_object;
use super::open::OpenPolicy;
use super::refusal::Refused;

/// Bytes of a header. Ours has 43; those that carry a name of a key and a type have 100.
const MAX_HEADER: usize = 1024;
/// The same in base64url.
const MAX_HEADER_TEXT: usize = MAX_HEADER.div_ceil(3) * 4;
const PARTS: usize = 5;

/// How the content key is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// OAEP with SHA-256, the mask too.
    RsaOaep256,
    /// OAEP with SHA-1, the mask too: taken from partners that may.
    RsaOaep,
}

/// A token whose header asks for nothing that is not done. Not secret, and yet without `Debug`: no
/// text of a token belongs in a log.
///
/// ```compile_fail
/// fn print<T: std::fmt::Debug>() {}
/// print::<admin_api::jwe::Token>();
/// ```
pub struct Token {
    /// As it came: the data that the tag authenticates besides.
    pub(super) header: String,
    pub(super) algorithm: KeyAlgorithm,
    pub(super) kid: Option<String>,
    /// When its maker says that it was made (`iat`), in seconds since 1970.
    pub(super) issued: Option<i64>,
    pub(super) encrypted_key: Vec<u8>,
    pub(super) iv: Vec<u8>,
    pub(super) ciphertext: Vec<u8>,
    pub(super) tag: Vec<u8>,
}

impl Token {
    /// From the compact form.
    ///
    /// # Errors
    /// It is too long, has another structure, or its header asks for what is not done.
    pub fn parse(text: &str, policy: &OpenPolicy) -> Result<Self, Refused> {
        if text.len() > policy.max_token_bytes {
            return Err(Refused::TooLong);
        }
        if text.find('.').is_some_and(|end| end > MAX_HEADER_TEXT) {
            return Err(Refused::HeaderTooLong);
        }
        let [header, encrypted_key, iv, ciphertext, tag] = parts(text)?;
        if header.is_empty() {
            return Err(Refused::NotCompact);
        }
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::NotBase64Url);
        // All of them before the header is looked at: structure comes first.
        let header_bytes = decode(header)?;
        let (encrypted_key, iv) = (decode(encrypted_key)?, decode(iv)?);
        let (ciphertext, tag) = (decode(ciphertext)?, decode(tag)?);
        let Judged { algorithm, kid, issued } = judge(&header_bytes, policy)?;
        let header = header.to_owned();
        Ok(Self { header, algorithm, kid, issued, encrypted_key, iv, ciphertext, tag })
    }

    /// How its content key is encrypted.
    #[must_use]
    pub const fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }
}

fn parts(text: &str) -> Result<[&str; PARTS], Refused> {
    let mut parts = text.splitn(PARTS + 1, '.');
    let mut five = [""; PARTS];
    for slot in &mut five {
        *slot = parts.next().ok_or(Refused::NotCompact)?;
    }
    if parts.next().is_some() { Err(Refused::NotCompact) } else { Ok(five) }
}

struct Judged {
    algorithm: KeyAlgorithm,
    kid: Option<String>,
    issued: Option<i64>,
}

/// What a header says. Members that are not known are passed over, as RFC 7516 section 4 has it:
/// what would change how the token is read must stand in `crit`, and that is refused.
fn judge(header: &[u8], policy: &OpenPolicy) -> Result<Judged, Refused> {
    let text = one_object(header).map_err(|_| Refused::HeaderForm)?;
    let members: Map<String, Value> =
        serde_json::from_str(text).map_err(|_| Refused::HeaderForm)?;
    let algorithm = match members.get("alg").and_then(Value::as_str) {
        Some("RSA-OAEP-256") => KeyAlgorithm::RsaOaep256,
        Some("RSA-OAEP") if policy.rsa_oaep_sha1 => KeyAlgorithm::RsaOaep,
        Some("RSA-OAEP") => return Err(Refused::AlgorithmSwitchedOff),
        _ => return Err(Refused::Algorithm),
    };
    if members.get("enc").and_then(Value::as_str) != Some("A256GCM") {
        return Err(Refused::Encryption);
    }
    let has = |name: &&str| members.contains_key(*name);
    if has(&"zip") {
        return Err(Refused::Compressed);
    }
    if has(&"crit") {
        return Err(Refused::Critical);
    }
    // A library that believed one of these would decrypt with, or fetch, what the sender chose.
    if ["jwk", "jku", "x5u", "x5c"].iter().any(has) {
        return Err(Refused::CarriesKey);
    }
    let kid = match members.get("kid") {
        None => None,
        Some(Value::String(kid)) => Some(kid.clone()),
        Some(_) => return Err(Refused::KeyIdForm),
    };
    let issued = match members.get("iat") {
        None => None,
        Some(issued) => Some(issued.as_i64().ok_or(Refused::IssuedForm)?),
    };
    Ok(Judged { algorithm, kid, issued })
}
