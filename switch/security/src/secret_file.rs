//! A file with one secret of any form, whole under the local master key: for keys that no key block
//! takes, such as RSA keys. It owns how the file is sealed, read, changed and moved to another
//! local master key; it never looks inside, and never writes any of it in clear.
//!
//! ```text
//! # Under local master key 1A2B3C. Change it by the switch's commands alone.
//! sealed jwe-keys 1A2B3C <nonce> <ciphertext and tag>
//! ```
//! AES-256-GCM under a key made of the local master key and the purpose by HMAC-SHA-256, so that
//! what is sealed for one purpose opens for no other, and nothing works with the master key itself.

use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::NoRandomness;
use crate::key::KeyCheckValue;
use crate::lmk::{LocalMasterKey, LocalMasterKeys};
use crate::private_file::{self, Refused};
use crate::private_lock::{Exclusive, NotHeld};

const LABEL: &[u8] = b"cardswitch secret file v1";
const WORD: &str = "sealed";
const NONCE_BYTES: usize = 12;
/// Of the file; a secret has somewhat less than half of it.
const MAX_BYTES: u64 = 1 << 20;

/// Why a secret is not read or not written. Never says anything of it.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// The file cannot be opened or read.
    #[error("the key file {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("the key file {path} cannot be written: {source}")]
    Unwritable {
        /// The file, or the one beside it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody other than the owner may use the file.
    #[error("the key file {path} has mode {mode:04o}; it must be 0600: run chmod 600 on it")]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Another form, or too large.
    #[error("{0} is not a sealed key file of this purpose")]
    NotASecretFile(PathBuf),
    /// Two that change it at a time would lose one's change.
    #[error("another process is changing the key file {0}: try again when it is done")]
    Busy(PathBuf),
    /// It is under a key that is not at hand.
    #[error(
        "the key file {path} is under local master key {found}, which is not at hand: name its \
         components in security.lmk_components, or in security.previous_lmk_components while keys \
         are moved"
    )]
    OtherMasterKey {
        /// The file.
        path: PathBuf,
        /// What tells the key that it is under.
        found: KeyCheckValue,
    },
    /// It was changed by something else than the switch.
    #[error("the key file {0} does not open: it was changed, or is damaged")]
    NotAuthentic(PathBuf),
    /// The random generator failed.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// A secret, and what tells the local master key that it is under.
type Opened = (Zeroizing<Vec<u8>>, KeyCheckValue);

/// A file whose whole content is one secret.
pub struct SecretFile {
    path: PathBuf,
    purpose: &'static str,
}

impl SecretFile {
    /// Of the file at `path`, which need not be there yet. The purpose is one word of small letters
    /// and hyphens: what is sealed for another opens for none.
    #[must_use]
    pub const fn new(path: PathBuf, purpose: &'static str) -> Self {
        Self { path, purpose }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The secret; `None` where there is no file.
    ///
    /// # Errors
    /// The file is open to others, under another key, or not what was written.
    pub fn load(
        &self,
        masters: &LocalMasterKeys,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, SecretFileError> {
        Ok(self.open(masters)?.map(|(secret, _)| secret))
    }

    /// The secret, and what tells the local master key that it is under.
    fn open(&self, masters: &LocalMasterKeys) -> Result<Option<Opened>, SecretFileError> {
        let text = match private_file::read(&self.path, MAX_BYTES) {
            Ok(text) => text,
            Err(Refused::Unreadable(source)) if source.kind() == io::ErrorKind::NotFound => {
                return Ok(None);
            }
            Err(refused) => return Err(self.refused(refused)),
        };
        let parts = self.parts(&text).ok_or_else(|| self.other_form())?;
        let (found, nonce, mut sealed) = parts;
        let master = masters.iter().find(|master| master.check_value() == found);
        let path = || self.path.clone();
        let master =
            master.ok_or_else(|| SecretFileError::OtherMasterKey { path: path(), found })?;
        let cipher = self.cipher(master)?;
        let aad = Aad::from(self.associated_data(found));
        let opened = cipher.open_in_place(Nonce::assume_unique_for_key(nonce), aad, &mut sealed);
        let length = opened.map_err(|_| SecretFileError::NotAuthentic(path()))?.len();
        sealed.truncate(length);
        Ok(Some((sealed, found)))
    }

    /// Changes the secret: reads it, and puts what `change` makes of it in its place, under the
    /// current local master key. Killed at any point it leaves the one file or the other, whole.
    ///
    /// # Errors
    /// As [`Self::load`]; another process is changing it; it cannot be written; or what `change`
    /// says, and then the file stays as it was.
    pub fn change<T, E: From<SecretFileError>>(
        &self,
        masters: &LocalMasterKeys,
        change: impl FnOnce(Option<Zeroizing<Vec<u8>>>) -> Result<(Zeroizing<Vec<u8>>, T), E>,
    ) -> Result<T, E> {
        let _lock = self.lock()?;
        let (secret, result) = change(self.load(masters)?)?;
        self.save(masters.current(), secret)?;
        Ok(result)
    }

    /// Puts the secret under the current local master key; whether that changed anything. Where
    /// there is no file there is nothing to move.
    ///
    /// # Errors
    /// As [`Self::change`].
    pub fn rewrap(&self, masters: &LocalMasterKeys) -> Result<bool, SecretFileError> {
        if !self.path.exists() {
            return Ok(false);
        }
        let _lock = self.lock()?;
        match self.open(masters)? {
            Some((secret, under)) if under != masters.current().check_value() => {
                self.save(masters.current(), secret)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn lock(&self) -> Result<Exclusive, SecretFileError> {
        Exclusive::take(&self.path).map_err(|not_held| match not_held {
            NotHeld::Busy => SecretFileError::Busy(self.path.clone()),
            NotHeld::Failed(path, source) => SecretFileError::Unwritable { path, source },
        })
    }

    fn save(
        &self,
        master: &LocalMasterKey,
        mut secret: Zeroizing<Vec<u8>>,
    ) -> Result<(), SecretFileError> {
        let check = master.check_value();
        let mut nonce = [0; NONCE_BYTES];
        rand::fill(&mut nonce).map_err(|_| NoRandomness)?;
        let aad = Aad::from(self.associated_data(check));
        let nonce_once = Nonce::assume_unique_for_key(nonce);
        let cipher = self.cipher(master)?;
        let tag = cipher.seal_in_place_separate_tag(nonce_once, aad, &mut secret);
        let tag = tag.map_err(|_| self.other_form())?;
        let text = format!(
            "# Under local master key {check}. Change it by the switch's commands alone.\n\
             {WORD} {} {check} {} {}{}\n",
            self.purpose,
            hex::encode(nonce),
            hex::encode(&*secret),
            hex::encode(tag.as_ref()),
        );
        private_file::replace_alone(&self.path, text.as_bytes())
            .map_err(|source| SecretFileError::Unwritable { path: self.path.clone(), source })
    }

    /// Check value of the local master key, nonce, ciphertext and tag.
    fn parts(&self, text: &str) -> Option<(KeyCheckValue, [u8; NONCE_BYTES], Zeroizing<Vec<u8>>)> {
        let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (line, rest) = (lines.next()?, lines.next());
        let mut words = line.split(' ');
        if words.next() != Some(WORD) || words.next() != Some(self.purpose) || rest.is_some() {
            return None;
        }
        let check = KeyCheckValue::parse(words.next()?)?;
        let mut nonce = [0; NONCE_BYTES];
        hex::decode_to_slice(words.next()?, &mut nonce).ok()?;
        let sealed = Zeroizing::new(hex::decode(words.next()?).ok()?);
        words.next().is_none().then_some((check, nonce, sealed))
    }

    fn cipher(&self, master: &LocalMasterKey) -> Result<LessSafeKey, SecretFileError> {
        let mut derive =
            Hmac::<Sha256>::new_from_slice(master.key().bytes()).map_err(|_| self.other_form())?;
        derive.update(LABEL);
        derive.update(self.purpose.as_bytes());
        let mut key = derive.finalize().into_bytes();
        let unbound = UnboundKey::new(&AES_256_GCM, &key);
        zeroize::Zeroize::zeroize(key.as_mut_slice());
        Ok(LessSafeKey::new(unbound.map_err(|_| self.other_form())?))
    }

    fn associated_data(&self, check: KeyCheckValue) -> Vec<u8> {
        [LABEL, self.purpose.as_bytes(), b" ", check.to_string().as_bytes()].concat()
    }

    fn other_form(&self) -> SecretFileError {
        SecretFileError::NotASecretFile(self.path.clone())
    }

    fn refused(&self, refused: Refused) -> SecretFileError {
        let path = self.path.clone();
        match refused {
            Refused::Unreadable(source) => SecretFileError::Unreadable { path, source },
            Refused::OpenToOthers(mode) => SecretFileError::OpenToOthers { path, mode },
            Refused::NotAKeyFile => SecretFileError::NotASecretFile(path),
        }
    }
}
