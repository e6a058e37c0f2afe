//! Secrets of second factors at rest. It owns the key file of operators and how a secret is sealed:
//! AES-256-GCM under a key that lies under the local master key, bound to its operator, so that one
//! that was copied to another's row does not open there.

use std::path::PathBuf;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use switch_security::{LocalMasterKeys, SecretFile, SecretFileError};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::totp::{SECRET, TotpSecret};
use crate::Problem;
use crate::service::proof::random;

const PURPOSE: &str = "operator-secrets";
const LABEL: &[u8] = b"cardswitch operator secret v1";
const KEY: usize = 32;
const NONCE: usize = 12;

/// Why the key of operators is not there.
#[derive(Debug, thiserror::Error)]
pub enum OperatorKeyError {
    /// The file itself.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// It opens, and is no key.
    #[error("the key file of operators has another form")]
    Form,
}

/// The key file of operators.
pub struct OperatorKeyFile(SecretFile);

impl OperatorKeyFile {
    /// Of the file at this path, which need not be there yet.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self(SecretFile::new(path, PURPOSE))
    }

    /// Its key; one is made where there is no file.
    ///
    /// # Errors
    /// It does not open, or cannot be made.
    pub fn load_or_make(
        &self,
        masters: &LocalMasterKeys,
    ) -> Result<OperatorSeal, OperatorKeyError> {
        if let Some(key) = self.0.load(masters)? {
            return OperatorSeal::new(&key);
        }
        self.0.change(masters, |before| {
            // Somebody else may have made it meanwhile.
            let key = match before {
                Some(key) => key,
                None => drawn()?,
            };
            let seal = OperatorSeal::new(&key)?;
            Ok((key, seal))
        })
    }

    /// Moves the file under the current local master key; whether that changed anything.
    ///
    /// # Errors
    /// It does not open, or cannot be written.
    pub fn rewrap(&self, masters: &LocalMasterKeys) -> Result<bool, OperatorKeyError> {
        Ok(self.0.rewrap(masters)?)
    }
}

fn drawn() -> Result<Zeroizing<Vec<u8>>, OperatorKeyError> {
    let key = random::<KEY>().map_err(|_| SecretFileError::from(switch_security::NoRandomness))?;
    Ok(Zeroizing::new(key.to_vec()))
}

/// Seals and opens secrets of second factors. It cannot be printed.
pub struct OperatorSeal(LessSafeKey);

impl OperatorSeal {
    fn new(key: &[u8]) -> Result<Self, OperatorKeyError> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| OperatorKeyError::Form)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    pub(super) fn seal(&self, operator: Uuid, secret: &TotpSecret) -> Result<Vec<u8>, Problem> {
        let nonce = random::<NONCE>()?;
        let mut room = Zeroizing::new(secret.bytes().to_vec());
        let tag = self.0.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(place(operator)),
            &mut room,
        );
        let tag = tag.map_err(|_| Problem::internal("sealing a secret", &"the cipher"))?;
        Ok([&nonce[..], &room, tag.as_ref()].concat())
    }

    /// None: it is not what was sealed for this operator under this key.
    pub(super) fn open(&self, operator: Uuid, sealed: &[u8]) -> Option<TotpSecret> {
        let (nonce, rest) = sealed.split_at_checked(NONCE)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut room = Zeroizing::new(rest.to_vec());
        let opened = self.0.open_in_place(nonce, Aad::from(place(operator)), &mut room).ok()?;
        let mut secret = Zeroizing::new([0; SECRET]);
        if opened.len() != SECRET {
            return None;
        }
        secret.copy_from_slice(opened);
        Some(TotpSecret::new(secret))
    }
}

fn place(operator: Uuid) -> Vec<u8> {
    [LABEL, operator.as_bytes().as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_for_its_operator_alone() {
        let seal = OperatorSeal::new(&[7; KEY]).expect("a key");
        let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
        let secret = TotpSecret::draw().expect("a secret");
        let sealed = seal.seal(one, &secret).expect("sealed");
        let opened = seal.open(one, &sealed).expect("opened");
        assert!(opened.bytes() == secret.bytes());
        assert!(!sealed.windows(SECRET).any(|part| part == secret.bytes()));
        assert!(seal.open(other, &sealed).is_none());
        let mut changed = sealed.clone();
        changed[NONCE] ^= 1;
        assert!(seal.open(one, &changed).is_none() && seal.open(one, &sealed[..20]).is_none());
        let foreign = OperatorSeal::new(&[8; KEY]).expect("a key");
        assert!(foreign.open(one, &sealed).is_none());
    }
}
