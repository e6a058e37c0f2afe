//! What lies encrypted in ordinary tables: secrets of operators and of webhooks, documents. It owns
//! the key file of each kind and how one thing is sealed: AES-256-GCM under a key that lies under
//! the local master key, bound to its kind and its row, so that one that was copied to another row
//! does not open there. It must never seal two kinds under one key.

use std::marker::PhantomData;
use std::path::PathBuf;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use switch_security::{LocalMasterKeys, SecretFile, SecretFileError};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::proof::random;
use crate::Problem;

const KEY: usize = 32;
const NONCE: usize = 12;

/// A kind of things that are sealed.
pub trait Sealed {
    /// What its key file is for; it stands in the file.
    const PURPOSE: &'static str;
    /// Beside the row, what each thing is bound to.
    const LABEL: &'static [u8];
    /// Whose key it is, for people.
    const OF: &'static str;
}

/// Why the key of a kind is not there.
#[derive(Debug, thiserror::Error)]
pub enum SealKeyError {
    /// The file itself.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// It opens, and is no key.
    #[error("the key file of {0} has another form")]
    Form(&'static str),
}

/// The key file of a kind.
pub struct SealKeyFile<K> {
    file: SecretFile,
    kind: PhantomData<fn() -> K>,
}

impl<K: Sealed> SealKeyFile<K> {
    /// Of the file at this path, which need not be there yet.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { file: SecretFile::new(path, K::PURPOSE), kind: PhantomData }
    }

    /// Its key; one is made where there is no file.
    ///
    /// # Errors
    /// It does not open, or cannot be made.
    pub fn load_or_make(&self, masters: &LocalMasterKeys) -> Result<Seal<K>, SealKeyError> {
        if let Some(key) = self.file.load(masters)? {
            return Seal::new(&key);
        }
        self.file.change(masters, |before| {
            // Somebody else may have made it meanwhile.
            let key = match before {
                Some(key) => key,
                None => drawn()?,
            };
            let seal = Seal::new(&key)?;
            Ok((key, seal))
        })
    }

    /// Moves the file under the current local master key; whether that changed anything.
    ///
    /// # Errors
    /// It does not open, or cannot be written.
    pub fn rewrap(&self, masters: &LocalMasterKeys) -> Result<bool, SealKeyError> {
        Ok(self.file.rewrap(masters)?)
    }
}

fn drawn() -> Result<Zeroizing<Vec<u8>>, SealKeyError> {
    let key = random::<KEY>().map_err(|_| SecretFileError::from(switch_security::NoRandomness))?;
    Ok(Zeroizing::new(key.to_vec()))
}

/// Seals and opens things of a kind. It cannot be printed.
pub struct Seal<K> {
    key: LessSafeKey,
    kind: PhantomData<fn() -> K>,
}

impl<K: Sealed> Seal<K> {
    /// Under which nothing was ever sealed: for who needs one and opens nothing.
    ///
    /// # Errors
    /// There is no randomness.
    pub fn of_nobody() -> Result<Self, SealKeyError> {
        Self::new(&drawn()?)
    }

    fn new(key: &[u8]) -> Result<Self, SealKeyError> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| SealKeyError::Form(K::OF))?;
        Ok(Self { key: LessSafeKey::new(key), kind: PhantomData })
    }

    /// Seals what is of this row, in its place.
    pub(super) fn seal(
        &self,
        row: Uuid,
        mut content: Zeroizing<Vec<u8>>,
    ) -> Result<Vec<u8>, Problem> {
        let nonce = random::<NONCE>()?;
        let tag = self.key.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(place::<K>(row)),
            &mut content,
        );
        let tag = tag.map_err(|_| Problem::internal("sealing", &K::OF))?;
        Ok([&nonce[..], &content, tag.as_ref()].concat())
    }

    /// That the last row that was sealed, if there is one, was sealed under this key: what is
    /// sealed under another one opens for nobody else.
    ///
    /// # Errors
    /// It was not.
    pub(super) fn require_ours(&self, last: Option<(Uuid, Vec<u8>)>) -> Result<(), Problem> {
        let Some((row, sealed)) = last else { return Ok(()) };
        if self.opened(row, sealed).is_some() {
            return Ok(());
        }
        let of = K::OF;
        let what = format!(
            "what was sealed last under the key of {of} ({row}) does not open under this one: put \
             the key file of the switch that sealed it in its place, or restore it"
        );
        Err(Problem::new("CONFLICT", what))
    }

    /// Opens what was sealed for this row under this key; anything else is a fault of ours.
    pub(super) fn open(&self, row: Uuid, sealed: Vec<u8>) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let opened = self.opened(row, sealed);
        opened.ok_or_else(|| Problem::internal("what was sealed does not open", &K::OF))
    }

    /// None: it is not what was sealed for this row under this key.
    pub(super) fn opened(&self, row: Uuid, mut sealed: Vec<u8>) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, room) = sealed.split_at_mut_checked(NONCE)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let aad = Aad::from(place::<K>(row));
        let length = self.key.open_in_place(nonce, aad, room).ok()?.len();
        let mut content = Zeroizing::new(sealed);
        content.drain(..NONCE);
        content.truncate(length);
        Some(content)
    }
}

fn place<K: Sealed>(row: Uuid) -> Vec<u8> {
    [K::LABEL, row.as_bytes().as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A kind that only these tests have.
    enum Letters {}
    /// Another.
    enum Stamps {}

    impl Sealed for Letters {
        const PURPOSE: &'static str = "letters";
        const LABEL: &'static [u8] = b"letter v1";
        const OF: &'static str = "letters";
    }

    impl Sealed for Stamps {
        const PURPOSE: &'static str = "stamps";
        const LABEL: &'static [u8] = b"stamp v1";
        const OF: &'static str = "stamps";
    }

    #[test]
    fn what_was_sealed_opens_in_its_own_row_alone() {
        let seal = Seal::<Letters>::new(&[7; KEY]).expect("a key");
        let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
        let content = b"%PDF-1.7 of a company %%EOF".to_vec();
        let sealed = seal.seal(one, Zeroizing::new(content.clone())).expect("sealed");
        assert_eq!(*seal.open(one, sealed.clone()).expect("opened"), content);
        assert!(!sealed.windows(9).any(|part| part == b"a company"));
        assert!(seal.open(other, sealed.clone()).is_err());
        let mut changed = sealed.clone();
        changed[NONCE] ^= 1;
        assert!(seal.opened(one, changed).is_none());
        for length in 0..sealed.len() {
            assert!(seal.opened(one, sealed[..length].to_vec()).is_none(), "{length}");
        }
        assert!(seal.require_ours(None).is_ok());
        assert!(seal.require_ours(Some((one, sealed.clone()))).is_ok());
        let empty = seal.seal(one, Zeroizing::default()).expect("sealed");
        assert!(seal.open(one, empty).expect("opened").is_empty());
        let foreign = Seal::<Letters>::new(&[8; KEY]).expect("a key");
        assert!(foreign.open(one, sealed.clone()).is_err());
        let refused = foreign.require_ours(Some((one, sealed.clone())));
        assert_eq!(refused.map_err(|problem| problem.code), Err("CONFLICT"));
        let of_another_kind = Seal::<Stamps>::new(&[7; KEY]).expect("a key");
        assert!(of_another_kind.open(one, sealed).is_err(), "not even under the same key");
    }

    #[test]
    fn what_is_no_key_is_said_to_be_none() {
        let refused = Seal::<Stamps>::new(&[7; KEY - 1]).err().map(|error| error.to_string());
        assert_eq!(refused.as_deref(), Some("the key file of stamps has another form"));
    }
}
