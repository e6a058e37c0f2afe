//! A number, encrypted to whoever ordered the card: a JWE in compact form, with RSA-OAEP-256 and
//! A256GCM. Written by itself from RFC 7516 and RFC 7518, so that a mistake of the switch is not
//! mirrored here.

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand;
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::question::EncryptTo;

/// A token of this text for the holder of the key.
pub(super) fn sealed(to: &EncryptTo, text: &str) -> Result<String> {
    let key = STANDARD.decode(&to.public_key).context("the key is not base64")?;
    let key = PublicEncryptingKey::from_der(&key).context("the key is no RSA key")?;
    let key = OaepPublicEncryptingKey::new(key).context("the key does not encrypt")?;
    let header = serde_json::json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": to.kid });
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    let (mut content_key, mut iv) = ([0; 32], [0; 12]);
    rand::fill(&mut content_key).context("no randomness")?;
    rand::fill(&mut iv).context("no randomness")?;
    let mut room = vec![0; key.ciphertext_size()];
    let wrapped = key.encrypt(&OAEP_SHA256_MGF1SHA256, &content_key, &mut room, None);
    let wrapped = wrapped.context("the content key cannot be encrypted")?;
    let cipher = UnboundKey::new(&AES_256_GCM, &content_key).map_err(|_| anyhow!("no cipher"))?;
    let mut content = text.as_bytes().to_vec();
    let tag = LessSafeKey::new(cipher)
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(iv),
            Aad::from(header.as_bytes()),
            &mut content,
        )
        .map_err(|_| anyhow!("the text cannot be encrypted"))?;
    let parts = [&*wrapped, &iv, &content, tag.as_ref()];
    let parts = parts.map(|part| URL_SAFE_NO_PAD.encode(part));
    Ok(std::iter::once(header).chain(parts).collect::<Vec<_>>().join("."))
}
