//! The key that signs partners' certificates: ECDSA P-384 (FIPS 186-5). It owns the key's file, in
//! which the key lies under the local master key, and the one thing the key does, to sign; nothing
//! of it comes out but signatures and its public half. What is signed is its caller's affair.
//!
//! ```text
//! # Key of the certificate authority. Change it by `cardswitch ca` and `keys rewrap` alone.
//! authority-key P384 1A2B3C 24 digits of the nonce, the encrypted key with its tag
//! ```
//! The word, the curve and the check value of the local master key stand under the tag with it.

use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::signature::{ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use aws_lc_rs::{hmac, rand};
use zeroize::Zeroizing;

use crate::key::KeyCheckValue;
use crate::lmk::{LocalMasterKey, LocalMasterKeys};
use crate::private_file::{self, Refused};
use crate::private_lock::{Exclusive, NotHeld};

const WORD: &str = "authority-key";
const CURVE: &str = "P384";
/// The key that it lies under is made for this alone, and of the local master key.
const DERIVATION_LABEL: &[u8] = b"cardswitch key of the certificate authority v1";
/// Such a file has about 500 bytes; a larger file is something else.
const MAX_BYTES: u64 = 4096;

/// Why there is no such key. Never says anything of a key's content.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityKeyError {
    /// The file cannot be opened or read.
    #[error("the key of the certificate authority, {path}, cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be made.
    #[error("the key of the certificate authority, {path}, cannot be written: {source}")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is such a file already; writing over it would end every certificate under it.
    #[error("{0} exists already and is not written over: certificates may stand under its key")]
    Exists(PathBuf),
    /// Two that change it at a time would lose one's change.
    #[error("another process is changing {0}: try again when it is done")]
    Busy(PathBuf),
    /// Somebody other than the owner may use the file.
    #[error("{path} has mode {mode:04o}; it must be 0600: run chmod 600 on it")]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not of the form.
    #[error("{0} is no key of a certificate authority, or a part of it is missing")]
    Form(PathBuf),
    /// The key lies under a local master key that is not at hand.
    #[error(
        "{path} is under local master key {found}, which is not at hand: name its components in \
         security.lmk_components, or in security.previous_lmk_components while keys are moved"
    )]
    OtherMasterKey {
        /// The file.
        path: PathBuf,
        /// What tells the key that it is under.
        found: KeyCheckValue,
    },
    /// What is in the file is not what was written.
    #[error("{0} does not open: it was changed, or is under another key than it says")]
    NotAuthentic(PathBuf),
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
        let content = sealed(&key, master.current())?;
        let _lock = lock(path)?;
        if path.exists() {
            return Err(AuthorityKeyError::Exists(path.to_owned()));
        }
        write(path, &content)?;
        Ok(Self(key))
    }

    /// The key of a file.
    ///
    /// # Errors
    /// The file is missing, open to others, changed, or under a key that is not at hand.
    pub fn load(path: &Path, master: &LocalMasterKeys) -> Result<Self, AuthorityKeyError> {
        opened(path, master).map(|(key, _)| Self(key))
    }

    /// Puts the key of a file under the current local master key; whether that changed anything.
    /// Killed at any point it leaves the one file or the other, whole.
    ///
    /// # Errors
    /// As [`Self::load`], or the file cannot be written.
    pub fn rewrap(path: &Path, master: &LocalMasterKeys) -> Result<bool, AuthorityKeyError> {
        let _lock = lock(path)?;
        let (key, under) = opened(path, master)?;
        if under == master.current().check_value() {
            return Ok(false);
        }
        write(path, &sealed(&key, master.current())?)?;
        Ok(true)
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

/// Who makes or moves it does it alone.
fn lock(path: &Path) -> Result<Exclusive, AuthorityKeyError> {
    Exclusive::take(path).map_err(|not_held| match not_held {
        NotHeld::Busy => AuthorityKeyError::Busy(path.to_owned()),
        NotHeld::Failed(path, source) => AuthorityKeyError::Unwritable { path, source },
    })
}

fn write(path: &Path, content: &str) -> Result<(), AuthorityKeyError> {
    let written = private_file::replace_alone(path, content.as_bytes());
    written.map_err(|source| AuthorityKeyError::Unwritable { path: path.to_owned(), source })
}

/// The text of a file.
fn sealed(key: &EcdsaKeyPair, master: &LocalMasterKey) -> Result<String, AuthorityKeyError> {
    let mut nonce = [0; NONCE_LEN];
    rand::fill(&mut nonce)?;
    let document = key.to_pkcs8v1()?;
    // All room at once, the tag's too: a buffer that grows leaves copies of the key behind.
    let mut room = Zeroizing::new(Vec::with_capacity(512));
    room.extend_from_slice(document.as_ref());
    let header = header(master.check_value());
    encryption(master)?.seal_in_place_append_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::from(header.as_bytes()),
        &mut *room,
    )?;
    Ok(format!(
        "# Key of the certificate authority. Change it by `cardswitch ca` and `keys rewrap` \
         alone.\n{header} {} {}\n",
        hex::encode(nonce),
        hex::encode(&*room)
    ))
}

/// The key of a file, and what tells the local master key that it lies under.
fn opened(
    path: &Path,
    master: &LocalMasterKeys,
) -> Result<(EcdsaKeyPair, KeyCheckValue), AuthorityKeyError> {
    let text = private_file::read(path, MAX_BYTES).map_err(|refused| {
        let path = path.to_owned();
        match refused {
            Refused::Unreadable(source) => AuthorityKeyError::Unreadable { path, source },
            Refused::OpenToOthers(mode) => AuthorityKeyError::OpenToOthers { path, mode },
            Refused::NotAKeyFile => AuthorityKeyError::Form(path),
        }
    })?;
    let form = || AuthorityKeyError::Form(path.to_owned());
    let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let words: Vec<&str> = lines.next().map(|line| line.split(' ').collect()).unwrap_or_default();
    let [WORD, CURVE, under, nonce, content] = words.as_slice() else { return Err(form()) };
    let (None, Some(under)) = (lines.next(), KeyCheckValue::parse(under)) else {
        return Err(form());
    };
    let mut number = [0; NONCE_LEN];
    hex::decode_to_slice(nonce, &mut number).map_err(|_| form())?;
    let mut room = Zeroizing::new(hex::decode(content).map_err(|_| form())?);
    let of = master.iter().find(|master| master.check_value() == under);
    let of = of
        .ok_or_else(|| AuthorityKeyError::OtherMasterKey { path: path.to_owned(), found: under })?;
    let false_ = || AuthorityKeyError::NotAuthentic(path.to_owned());
    let document = encryption(of)?.open_in_place(
        Nonce::assume_unique_for_key(number),
        Aad::from(header(under).as_bytes()),
        &mut room,
    );
    let document = document.map_err(|_| false_())?;
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_ASN1_SIGNING, document);
    Ok((key.map_err(|_| false_())?, under))
}

/// What stands in clear, and is bound to the rest.
fn header(master: KeyCheckValue) -> String {
    format!("{WORD} {CURVE} {master}")
}

/// The cipher of this file alone, under a local master key.
fn encryption(master: &LocalMasterKey) -> Result<LessSafeKey, AuthorityKeyError> {
    let from = hmac::Key::new(hmac::HMAC_SHA256, master.key().bytes());
    let mut bytes = Zeroizing::new([0; 32]);
    bytes.iter_mut().zip(hmac::sign(&from, DERIVATION_LABEL).as_ref()).for_each(|(slot, byte)| {
        *slot = *byte;
    });
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*bytes)?))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P384_SHA384_ASN1, UnparsedPublicKey};
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::lmk::Component;

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
        let made = AuthorityKey::create(&path, &masters).expect("made");
        let text = std::fs::read_to_string(&path).expect("text");
        let pkcs8 = made.0.to_pkcs8v1().expect("a document");
        assert!(!text.contains(&hex::encode(&pkcs8.as_ref()[40..56])), "in clear");
        let mode = std::fs::metadata(&path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        let refused = AuthorityKey::create(&path, &masters).err().expect("not written over");
        assert!(matches!(refused, AuthorityKeyError::Exists(_)), "{refused}");

        let read = AuthorityKey::load(&path, &masters).expect("read");
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
        for broken in ["", "authority-key P384", &good.replace("P384", "P256"), &good.repeat(2)] {
            written(broken);
            assert!(says().contains("is no key of a certificate authority"), "{}", says());
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
        assert_eq!(AuthorityKey::load(&path, &alone).expect("read").public_key(), made);
    }
}
