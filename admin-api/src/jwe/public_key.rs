//! A partner's public key, from the header `Public-Key` or from a registration. It owns
//! which texts are a key, and encrypts content keys to it; it never says what was wrong with a text
//! beyond that it is no key, and takes no private key.

use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey};
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::rsa_public::RsaPublic;

/// Room for a key of 8192 bits as base64 of PEM, twice.
const MAX_TEXT: usize = 4096;
const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PEM_END: &str = "-----END PUBLIC KEY-----";

const PADDED_OR_NOT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const ANY_STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, PADDED_OR_NOT);
const ANY_URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, PADDED_OR_NOT);

/// The text is no public key that anything is encrypted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected base64 of an RSA public key of 2048 to 8192 bits with an odd exponent from 65537, as \
     PEM (BEGIN PUBLIC KEY) or as DER of SubjectPublicKeyInfo"
)]
pub struct InvalidPublicKey;

/// An RSA key that a partner has the private half of.
pub struct PartnerKey {
    public: RsaPublic,
    key: OaepPublicEncryptingKey,
}

impl PartnerKey {
    /// From base64 of PEM text or of DER. The standard alphabet and the one for URLs are both
    /// taken, not mixed, with padding or without; white space is not.
    ///
    /// # Errors
    /// It is anything else.
    pub fn from_base64(text: &str) -> Result<Self, InvalidPublicKey> {
        if text.len() > MAX_TEXT {
            return Err(InvalidPublicKey);
        }
        let engine = if text.contains(['-', '_']) { ANY_URL_SAFE } else { ANY_STANDARD };
        let bytes = engine.decode(text).map_err(|_| InvalidPublicKey)?;
        match std::str::from_utf8(&bytes) {
            Ok(pem) if pem.trim_start().starts_with(PEM_BEGIN) => Self::from_pem(pem),
            _ => Self::from_der(&bytes),
        }
    }

    /// From PEM text with one public key and nothing else.
    ///
    /// # Errors
    /// It is anything else.
    pub fn from_pem(text: &str) -> Result<Self, InvalidPublicKey> {
        let text = text.trim();
        let body = text.strip_prefix(PEM_BEGIN).and_then(|text| text.strip_suffix(PEM_END));
        let body: String = body.ok_or(InvalidPublicKey)?.split(['\r', '\n']).collect();
        let der = STANDARD.decode(body).map_err(|_| InvalidPublicKey)?;
        Self::from_der(&der)
    }

    /// From DER of SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// It is anything else.
    pub fn from_der(der: &[u8]) -> Result<Self, InvalidPublicKey> {
        let (public, key) = RsaPublic::from_der(der).ok_or(InvalidPublicKey)?;
        let key = OaepPublicEncryptingKey::new(key).map_err(|_| InvalidPublicKey)?;
        Ok(Self { public, key })
    }

    /// DER of SubjectPublicKeyInfo, as a registration keeps it.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        self.public.der()
    }

    /// The thumbprint of RFC 7638: what tells it from others, for people and for the audit.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        self.public.thumbprint()
    }

    pub(super) fn wrap_key(&self, content_key: &[u8]) -> Option<Vec<u8>> {
        let mut room = vec![0; self.key.ciphertext_size()];
        let length =
            self.key.encrypt(&OAEP_SHA256_MGF1SHA256, content_key, &mut room, None).ok()?.len();
        room.truncate(length);
        Some(room)
    }
}

impl PartialEq for PartnerKey {
    fn eq(&self, other: &Self) -> bool {
        self.der() == other.der()
    }
}

impl Eq for PartnerKey {}

impl std::fmt::Debug for PartnerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PartnerKey({})", self.thumbprint())
    }
}
