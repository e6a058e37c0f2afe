//! The secret that a partner and the platform share for one endpoint, and how it lies at rest. It
//! owns its drawing, and its form outside (`whsec_`). How it is sealed, is `sealed`'s.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::Problem;
use crate::service::proof::random;
use crate::service::sealed::{Seal, SealKeyFile, Sealed};

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

/// What endpoints' messages are signed with.
#[derive(Debug)]
pub enum WebhookSecrets {}

impl Sealed for WebhookSecrets {
    const PURPOSE: &'static str = "webhook-secrets";
    const LABEL: &'static [u8] = b"cardswitch webhook secret v1";
    const OF: &'static str = "webhooks";
}

/// The key file of webhooks.
pub type WebhookKeyFile = SealKeyFile<WebhookSecrets>;
/// Seals and opens secrets of endpoints.
pub type WebhookSeal = Seal<WebhookSecrets>;

impl WebhookSeal {
    pub(super) fn seal_secret(
        &self,
        endpoint: Uuid,
        secret: &WebhookSecret,
    ) -> Result<Vec<u8>, Problem> {
        self.seal(endpoint, Zeroizing::new(secret.bytes().to_vec()))
    }

    /// Opens what was sealed for this endpoint under this key; anything else is a fault of ours.
    pub(super) fn open_secret(
        &self,
        endpoint: Uuid,
        sealed: &[u8],
    ) -> Result<WebhookSecret, Problem> {
        let opened = self.open(endpoint, sealed.to_vec())?;
        let mut secret = Zeroizing::new([0; SECRET]);
        if opened.len() != SECRET {
            return Err(Problem::internal("opening a webhook's secret", &"its length"));
        }
        secret.copy_from_slice(&opened);
        Ok(WebhookSecret(secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_back_and_is_told_in_its_form() {
        let seal = WebhookSeal::of_nobody().expect("a key");
        let endpoint = Uuid::new_v4();
        let secret = WebhookSecret::draw().expect("a secret");
        let sealed = seal.seal_secret(endpoint, &secret).expect("sealed");
        let opened = seal.open_secret(endpoint, &sealed).expect("opened");
        assert!(opened.bytes() == secret.bytes());
        let short = seal.seal(endpoint, Zeroizing::new(vec![1; SECRET - 1])).expect("sealed");
        assert!(seal.open_secret(endpoint, &short).is_err());
        let text = secret.expose();
        let coded = text.strip_prefix("whsec_").expect("its form");
        assert!(STANDARD.decode(coded).expect("base64") == secret.bytes());
    }
}
