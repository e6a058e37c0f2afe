//! Secrets of second factors at rest: the kind of what is sealed here, and its form. How, is
//! `sealed`'s.

use uuid::Uuid;
use zeroize::Zeroizing;

use super::totp::{SECRET, TotpSecret};
use crate::Problem;
use crate::service::sealed::{Seal, SealKeyFile, Sealed};

/// What operators' second factors are made of.
#[derive(Debug)]
pub enum OperatorSecrets {}

impl Sealed for OperatorSecrets {
    const PURPOSE: &'static str = "operator-secrets";
    const LABEL: &'static [u8] = b"cardswitch operator secret v1";
    const OF: &'static str = "operators";
}

/// The key file of operators.
pub type OperatorKeyFile = SealKeyFile<OperatorSecrets>;
/// Seals and opens secrets of second factors.
pub type OperatorSeal = Seal<OperatorSecrets>;

impl OperatorSeal {
    pub(super) fn seal_secret(
        &self,
        operator: Uuid,
        secret: &TotpSecret,
    ) -> Result<Vec<u8>, Problem> {
        self.seal(operator, Zeroizing::new(secret.bytes().to_vec()))
    }

    /// None: it is not what was sealed for this operator under this key.
    pub(super) fn open_secret(&self, operator: Uuid, sealed: &[u8]) -> Option<TotpSecret> {
        let opened = self.opened(operator, sealed.to_vec())?;
        let mut secret = Zeroizing::new([0; SECRET]);
        if opened.len() != SECRET {
            return None;
        }
        secret.copy_from_slice(&opened);
        Some(TotpSecret::new(secret))
    }
}
