//! The key that signs partners' certificates: ECDSA P-384 (FIPS 186-5). It owns the one thing that
//! the key does, to sign; nothing of it comes out but signatures and its public half. How it lies
//! under the local master key is `secret_file`'s, and what is signed its caller's affair.

use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use zeroize::Zeroizing;

use crate::lmk::LocalMasterKeys;
use crate::secret_file::{SecretFile, SecretFileError};

const PURPOSE: &str = "authority-key";

/// Why there is no such key. Never says anything of a key's content.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityKeyError {
    /// Its file.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// There is such a file already; writing over it would end every certificate under it.
    #[error("{0} exists already and is not written over: certificates may stand under its key")]
    Exists(PathBuf),
    /// The file opens, and no key is in it.
    #[error("{0} holds no key of a certificate authority")]
    NoKey(PathBuf),
    /// The library failed, or the system's random generator did.
    #[error("the key of the certificate authority cannot be made or used")]
    Cryptography,
}

impl From<aws_lc_rs::error::Unspecified> for AuthorityKeyError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Cryptography
    }
}

/// The key. Its memory is wiped by the library when it is dropped; it cannot be printed:
///
/// ```compile_fail
/// fn print<T: std::fmt::Debug>() {}
/// print::<switch_security::AuthorityKey>();
/// ```
/// nor copied:
///
/// ```compile_fail
/// fn copy<T: Clone>() {}
/// copy::<switch_security::AuthorityKey>();
/// ```
pub struct AuthorityKey(EcdsaKeyPair);

impl AuthorityKey {
    /// Makes a key, and a new file of it under the local master key.
    ///
    /// # Errors
    /// There is such a file, or it cannot be written; the random generator failed.
    pub fn create(path: &Path, master: &LocalMasterKeys) -> Result<Self, AuthorityKeyError> {
        let key = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING)?;
        let document = Zeroizing::new(key.to_pkcs8v1()?.as_ref().to_vec());
        file(path).change(master, |before| match before {
            Some(_) => Err(AuthorityKeyError::Exists(path.to_owned())),
            None => Ok((document, Self(key))),
        })
    }

    /// The key of a file; `None` where there is no file.
    ///
    /// # Errors
    /// The file is open to others, changed, or under a key that is not at hand.
    pub fn load(path: &Path, master: &LocalMasterKeys) -> Result<Option<Self>, AuthorityKeyError> {
        let Some(document) = file(path).load(master)? else { return Ok(None) };
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_ASN1_SIGNING, &document);
        Ok(Some(Self(key.map_err(|_| AuthorityKeyError::NoKey(path.to_owned()))?)))
    }

    /// Puts the key of a file under the current local master key; whether that changed anything.
    ///
    /// # Errors
    /// As [`Self::load`], or the file cannot be written.
    pub fn rewrap(path: &Path, master: &LocalMasterKeys) -> Result<bool, AuthorityKeyError> {
        Ok(file(path).rewrap(master)?)
    }

    /// Its public half: an uncompressed point.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    /// An ECDSA signature with SHA-384, as certificates bear it.
    ///
    /// # Errors
    /// The library failed.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, AuthorityKeyError> {
        let signature = self.0.sign(&rand::SystemRandom::new(), message)?;
        Ok(signature.as_ref().to_vec())
    }
}

fn file(path: &Path) -> SecretFile {
    SecretFile::new(path.to_owned(), PURPOSE)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P384_SHA384_ASN1, UnparsedPublicKey};
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::lmk::{Component, LocalMasterKey};

    fn master(directory: &Path, name: &str) -> LocalMasterKey {
        let paths = ["first", "second"].map(|part| directory.join(format!("{name}-{part}.lmk")));
        for path in &paths {
            Component::generate().expect("random").save(path).expect("written");
        }
        LocalMasterKey::load(&paths).expect("a local master key")
    }

    fn again(directory: &Path, name: &str) -> LocalMasterKey {
        let paths = ["first", "second"].map(|part| directory.join(format!("{name}-{part}.lmk")));
        LocalMasterKey::load(&paths).expect("a local master key")
    }

    #[test]
    fn a_key_is_made_once_sealed_and_signs_after_it_was_read_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = directory.path();
        let path = at.join("ca.key");
        let masters = LocalMasterKeys::new(master(at, "a"));
        assert!(AuthorityKey::load(&path, &masters).expect("a look").is_none());
        assert!(!AuthorityKey::rewrap(&path, &masters).expect("nothing to move"));
        let made = AuthorityKey::create(&path, &masters).expect("made");
        let text = std::fs::read_to_string(&path).expect("text");
        let pkcs8 = made.0.to_pkcs8v1().expect("a document");
        assert!(!text.contains(&hex::encode(&pkcs8.as_ref()[40..56])), "in clear");
        let mode = std::fs::metadata(&path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        let refused = AuthorityKey::create(&path, &masters).err().expect("not written over");
        assert!(matches!(refused, AuthorityKeyError::Exists(_)), "{refused}");

        let read = AuthorityKey::load(&path, &masters).expect("read").expect("there");
        assert_eq!(read.public_key(), made.public_key());
        let signature = read.sign(b"a certificate").expect("signed");
        let public = UnparsedPublicKey::new(&ECDSA_P384_SHA384_ASN1, made.public_key());
        assert!(public.verify(b"a certificate", &signature).is_ok());
        assert!(public.verify(b"another one", &signature).is_err());
    }

    #[test]
    fn a_changed_file_or_another_master_key_opens_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = directory.path();
        let path = at.join("ca.key");
        let masters = LocalMasterKeys::new(master(at, "a"));
        AuthorityKey::create(&path, &masters).expect("made");
        let good = std::fs::read_to_string(&path).expect("text");
        let written = |text: &str| std::fs::write(&path, text).expect("written");
        let says = || AuthorityKey::load(&path, &masters).err().expect("refused").to_string();

        let line = good.lines().last().expect("a line");
        let last = if line.ends_with('0') { "1" } else { "0" };
        let changed = format!("{}{last}\n", &line[..line.len() - 1]);
        written(&changed);
        assert!(says().contains("does not open"), "{}", says());
        for broken in
            ["", "sealed authority-key", &good.replace("authority", "other"), &good.repeat(2)]
        {
            written(broken);
            assert!(says().contains("is not a sealed key file of this purpose"), "{}", says());
        }
        written(&good);
        let others = LocalMasterKeys::new(master(at, "b"));
        let said = AuthorityKey::load(&path, &others).err().expect("refused").to_string();
        assert!(said.contains("not at hand"), "{said}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("set");
        assert!(says().contains("chmod 600"), "{}", says());
    }

    #[test]
    fn it_moves_to_another_master_key_and_is_the_same() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = directory.path();
        let path = at.join("ca.key");
        let made = AuthorityKey::create(&path, &LocalMasterKeys::new(master(at, "a")));
        let made = made.expect("made").public_key().to_vec();
        let moving = LocalMasterKeys::new(master(at, "b")).with_previous(again(at, "a"));
        assert!(AuthorityKey::rewrap(&path, &moving).expect("moved"));
        assert!(!AuthorityKey::rewrap(&path, &moving).expect("moved before"));
        let alone = LocalMasterKeys::new(again(at, "b"));
        assert_eq!(
            AuthorityKey::load(&path, &alone).expect("read").expect("there").public_key(),
            made
        );
    }
}
