//! The secret that a partner and the platform share for one endpoint, and how it lies at rest. It
//! owns its drawing, its form outside (`whsec_`), the key file of webhooks and the sealing by
//! AES-256-GCM, bound to the endpoint: copied to another's row it does not open there.

use std::path::PathBuf;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use switch_security::{LocalMasterKeys, SecretFile, SecretFileError};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::Problem;
use crate::service::proof::random;

const PURPOSE: &str = "webhook-secrets";
const LABEL: &[u8] = b"cardswitch webhook secret v1";
const KEY: usize = 32;
const NONCE: usize = 12;
const SECRET: usize = 32;

/// What signs the messages of an endpoint: 256 random bits.
///
/// ```compile_fail
/// let secret: admin_api::webhooks::WebhookSecret = unreachable!();
/// println!("{secret}");
/// ```
///
/// ```compile_fail
/// let secret: admin_api::webhooks::WebhookSecret = unreachable!();
/// println!("{secret:?}");
/// ```
///
/// ```compile_fail
/// let (one, other): (admin_api::webhooks::WebhookSecret, admin_api::webhooks::WebhookSecret) =
///     unreachable!();
/// let _ = one == other;
/// ```
pub struct WebhookSecret(Zeroizing<[u8; SECRET]>);

impl WebhookSecret {
    pub(super) fn draw() -> Result<Self, Problem> {
        random::<SECRET>().map(Self)
    }

    /// As the partner keeps it: for the answer that tells it, which is told once.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(64));
        text.push_str("whsec_");
        STANDARD.encode_string(self.bytes(), &mut text);
        text
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &*self.0
    }
}

/// Why the key of webhooks is not there.
#[derive(Debug, thiserror::Error)]
pub enum WebhookKeyError {
    /// The file itself.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// It opens, and is no key.
    #[error("the key file of webhooks has another form")]
    Form,
}

/// The key file of webhooks.
pub struct WebhookKeyFile(SecretFile);

impl WebhookKeyFile {
    /// Of the file at this path, which need not be there yet.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self(SecretFile::new(path, PURPOSE))
    }

    /// Its key; one is made where there is no file.
    ///
    /// # Errors
    /// It does not open, or cannot be made.
    pub fn load_or_make(&self, masters: &LocalMasterKeys) -> Result<WebhookSeal, WebhookKeyError> {
        if let Some(key) = self.0.load(masters)? {
            return WebhookSeal::new(&key);
        }
        self.0.change(masters, |before| {
            // Somebody else may have made it meanwhile.
            let key = match before {
                Some(key) => key,
                None => drawn()?,
            };
            let seal = WebhookSeal::new(&key)?;
            Ok((key, seal))
        })
    }

    /// Moves the file under the current local master key; whether that changed anything.
    ///
    /// # Errors
    /// It does not open, or cannot be written.
    pub fn rewrap(&self, masters: &LocalMasterKeys) -> Result<bool, WebhookKeyError> {
        Ok(self.0.rewrap(masters)?)
    }
}

fn drawn() -> Result<Zeroizing<Vec<u8>>, WebhookKeyError> {
    let key = random::<KEY>().map_err(|_| SecretFileError::from(switch_security::NoRandomness))?;
    Ok(Zeroizing::new(key.to_vec()))
}

/// Seals and opens secrets of endpoints. It cannot be printed.
pub struct WebhookSeal(LessSafeKey);

impl WebhookSeal {
    /// Under which nothing was ever sealed: for who makes messages and sends none.
    ///
    /// # Errors
    /// There is no randomness.
    pub fn of_nobody() -> Result<Self, WebhookKeyError> {
        Self::new(&drawn()?)
    }

    fn new(key: &[u8]) -> Result<Self, WebhookKeyError> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| WebhookKeyError::Form)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    pub(super) fn seal(&self, endpoint: Uuid, secret: &WebhookSecret) -> Result<Vec<u8>, Problem> {
        let nonce = random::<NONCE>()?;
        let mut room = Zeroizing::new(secret.bytes().to_vec());
        let tag = self.0.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(place(endpoint)),
            &mut room,
        );
        let tag = tag.map_err(|_| Problem::internal("sealing a secret", &"the cipher"))?;
        Ok([&nonce[..], &room, tag.as_ref()].concat())
    }

    /// Opens what was sealed for this endpoint under this key; anything else is a fault of ours.
    pub(super) fn open(&self, endpoint: Uuid, sealed: &[u8]) -> Result<WebhookSecret, Problem> {
        let opened = self.opened(endpoint, sealed);
        opened.ok_or_else(|| Problem::internal("opening a webhook's secret", &"it does not open"))
    }

    fn opened(&self, endpoint: Uuid, sealed: &[u8]) -> Option<WebhookSecret> {
        let (nonce, rest) = sealed.split_at_checked(NONCE)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut room = Zeroizing::new(rest.to_vec());
        let opened = self.0.open_in_place(nonce, Aad::from(place(endpoint)), &mut room).ok()?;
        let mut secret = Zeroizing::new([0; SECRET]);
        if opened.len() != SECRET {
            return None;
        }
        secret.copy_from_slice(opened);
        Some(WebhookSecret(secret))
    }
}

fn place(endpoint: Uuid) -> Vec<u8> {
    [LABEL, endpoint.as_bytes().as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_for_its_endpoint_alone() {
        let seal = WebhookSeal::new(&[7; KEY]).expect("a key");
        let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
        let secret = WebhookSecret::draw().expect("a secret");
        let sealed = seal.seal(one, &secret).expect("sealed");
        assert!(seal.open(one, &sealed).expect("opened").bytes() == secret.bytes());
        assert!(!sealed.windows(SECRET).any(|part| part == secret.bytes()));
        assert!(seal.open(other, &sealed).is_err());
        let mut changed = sealed.clone();
        changed[NONCE] ^= 1;
        assert!(seal.open(one, &changed).is_err() && seal.open(one, &sealed[..20]).is_err());
        let foreign = WebhookSeal::new(&[8; KEY]).expect("a key");
        assert!(foreign.open(one, &sealed).is_err());
        let text = secret.expose();
        let coded = text.strip_prefix("whsec_").expect("its form");
        assert!(STANDARD.decode(coded).expect("base64") == secret.bytes());
    }
}
