//! Opening and making tokens as endpoints do it: the live keys, the pool, and what is counted. It
//! owns that cheap refusals never enter the pool, and that all failures of decryption leave the
//! same trace.

use std::sync::{Arc, PoisonError, RwLock};

use switch_domain::Timestamp;
use zeroize::Zeroizing;

use super::keys::PlatformKeys;
use super::open::{OpenPolicy, Openable, Payload};
use super::pool::{self, PoolError, RsaPool};
use super::problem::EncryptionProblem;
use super::public_key::PartnerKey;
use super::refusal::Refused;
use super::seal::{SealError, seal};

const OPENED: &str = "cardswitch_jwe_opened_total";
const REFUSED: &str = "cardswitch_jwe_refused_total";
const SEALED: &str = "cardswitch_jwe_sealed_total";

/// Why a token was not opened or not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JweError {
    /// The caller's: one of the coded errors.
    #[error(transparent)]
    Refused(#[from] EncryptionProblem),
    /// Ours.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// Ours.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl From<Refused> for JweError {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused.into())
    }
}

/// What endpoints encrypt and decrypt with.
pub struct Jwe {
    keys: RwLock<Arc<PlatformKeys>>,
    pool: RsaPool,
}

impl Jwe {
    /// With these keys and this pool.
    #[must_use]
    pub fn new(keys: PlatformKeys, pool: RsaPool) -> Self {
        Self { keys: RwLock::new(Arc::new(keys)), pool }
    }

    /// The keys as they are now.
    #[must_use]
    pub fn keys(&self) -> Arc<PlatformKeys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts others in their place, after a rotation. What is being opened goes on with the old
    /// ones.
    pub fn replace_keys(&self, keys: PlatformKeys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// Opens a partner's token.
    ///
    /// # Errors
    /// It is refused, or the pool is full.
    pub async fn open(
        &self,
        token: &str,
        policy: &OpenPolicy,
        now: Timestamp,
    ) -> Result<Payload, JweError> {
        let result = match Openable::check(token, &self.keys(), policy, now) {
            Ok(openable) => self.pool.run(move || openable.open()).await?,
            Err(refused) => Err(refused),
        };
        match &result {
            Ok(_) => metrics::counter!(OPENED).increment(1),
            Err(refused) => {
                let stage = refused.stage().name();
                metrics::counter!(REFUSED, "stage" => stage).increment(1);
                tracing::info!(stage, "a token was refused");
            }
        }
        Ok(result?)
    }

    /// Makes a token for a partner.
    ///
    /// # Errors
    /// The pool is full, or randomness failed.
    pub async fn seal(
        &self,
        recipient: Arc<PartnerKey>,
        payload: Zeroizing<Vec<u8>>,
    ) -> Result<String, JweError> {
        let token = self.pool.run(move || seal(&recipient, &payload)).await??;
        metrics::counter!(SEALED).increment(1);
        Ok(token)
    }

    /// Describes the metrics of encryption to the installed recorder.
    pub fn describe_metrics() {
        pool::describe();
        metrics::describe_counter!(OPENED, "Tokens of partners that were opened");
        metrics::describe_counter!(REFUSED, "Tokens of partners that were refused, by stage");
        metrics::describe_counter!(SEALED, "Tokens made for partners");
    }
}
