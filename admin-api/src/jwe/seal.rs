//! Makes tokens for partners: RSA-OAEP-256 with A256GCM, and a header of exactly `alg` and `enc`
//! (SR-062, A-13). It owns the making; it never uses a content key or an IV twice, and keeps
//! nothing of what it encrypted.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::open::{CONTENT_KEY, IV};
use super::public_key::PartnerKey;

const HEADER: &str = r#"{"alg":"RSA-OAEP-256","enc":"A256GCM"}"#;

/// No token was made. Nothing in it tells of the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The system's random generator failed.
    #[error("the system's random generator failed: nothing was encrypted")]
    NoRandomness,
    /// The cipher or the key refused. Not seen with keys that were taken.
    #[error("the payload could not be encrypted to the partner's key")]
    Cipher,
}

/// Encrypts a payload to a partner. The RSA operation is of the cheap kind, a tenth of a
/// millisecond.
///
/// # Errors
/// The random generator or the cipher failed.
pub fn seal(recipient: &PartnerKey, payload: &[u8]) -> Result<String, SealError> {
    let mut content_key = Zeroizing::new([0; CONTENT_KEY]);
    let mut iv = [0; IV];
    rand::fill(&mut *content_key).map_err(|_| SealError::NoRandomness)?;
    rand::fill(&mut iv).map_err(|_| SealError::NoRandomness)?;
    let encrypted_key = recipient.wrap_key(&*content_key).ok_or(SealError::Cipher)?;
    let header = URL_SAFE_NO_PAD.encode(HEADER);
    // Wiped if the cipher fails half-way. It overwrites the payload in place otherwise.
    let mut room = Zeroizing::new(payload.to_vec());
    let unbound = UnboundKey::new(&AES_256_GCM, &*content_key).map_err(|_| SealError::Cipher)?;
    let nonce = Nonce::assume_unique_for_key(iv);
    let tag = LessSafeKey::new(unbound)
        .seal_in_place_separate_tag(nonce, Aad::from(header.as_bytes()), &mut room)
        .map_err(|_| SealError::Cipher)?;
    let parts = [&encrypted_key, iv.as_slice(), &room, tag.as_ref()];
    let mut token = header;
    for part in parts {
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(part, &mut token);
    }
    Ok(token)
}
