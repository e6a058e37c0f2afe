//! Documents at rest. It owns their key file and how one is sealed: AES-256-GCM under a key that
//! lies under the local master key, bound to its document, so that one that was copied to another's
//! row does not open there.

use std::path::PathBuf;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use switch_security::{LocalMasterKeys, SecretFile, SecretFileError};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::Problem;
use crate::service::proof::random;

const PURPOSE: &str = "corporation-documents";
const LABEL: &[u8] = b"cardswitch corporation document v1";
const KEY: usize = 32;
const NONCE: usize = 12;

/// Why the key of documents is not there.
#[derive(Debug, thiserror::Error)]
pub enum DocumentKeyError {
    /// The file itself.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// It opens, and is no key.
    #[error("the key file of documents has another form")]
    Form,
}

/// The key file of documents.
pub struct DocumentKeyFile(SecretFile);

impl DocumentKeyFile {
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
    ) -> Result<DocumentSeal, DocumentKeyError> {
        if let Some(key) = self.0.load(masters)? {
            return DocumentSeal::new(&key);
        }
        self.0.change(masters, |before| {
            // Somebody else may have made it meanwhile.
            let key = match before {
                Some(key) => key,
                None => drawn()?,
            };
            let seal = DocumentSeal::new(&key)?;
            Ok((key, seal))
        })
    }

    /// Moves the file under the current local master key; whether that changed anything.
    ///
    /// # Errors
    /// It does not open, or cannot be written.
    pub fn rewrap(&self, masters: &LocalMasterKeys) -> Result<bool, DocumentKeyError> {
        Ok(self.0.rewrap(masters)?)
    }
}

fn drawn() -> Result<Zeroizing<Vec<u8>>, DocumentKeyError> {
    let key = random::<KEY>().map_err(|_| SecretFileError::from(switch_security::NoRandomness))?;
    Ok(Zeroizing::new(key.to_vec()))
}

/// Seals and opens documents. It cannot be printed.
pub struct DocumentSeal(LessSafeKey);

impl DocumentSeal {
    fn new(key: &[u8]) -> Result<Self, DocumentKeyError> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| DocumentKeyError::Form)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Seals what is in a document, in its place.
    pub(super) fn seal(
        &self,
        document: Uuid,
        mut content: Zeroizing<Vec<u8>>,
    ) -> Result<Vec<u8>, Problem> {
        let nonce = random::<NONCE>()?;
        let tag = self.0.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(place(document)),
            &mut content,
        );
        let tag = tag.map_err(|_| Problem::internal("sealing a document", &"the cipher"))?;
        Ok([&nonce[..], &content, tag.as_ref()].concat())
    }

    /// Opens what was sealed for this document under this key; anything else is a fault of ours.
    pub(super) fn open(
        &self,
        document: Uuid,
        sealed: Vec<u8>,
    ) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let opened = self.opened(document, sealed);
        opened.ok_or_else(|| Problem::internal("opening a document", &"it does not open"))
    }

    fn opened(&self, document: Uuid, mut sealed: Vec<u8>) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, room) = sealed.split_at_mut_checked(NONCE)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let length = self.0.open_in_place(nonce, Aad::from(place(document)), room).ok()?.len();
        let mut content = Zeroizing::new(sealed);
        content.drain(..NONCE);
        content.truncate(length);
        Some(content)
    }
}

fn place(document: Uuid) -> Vec<u8> {
    [LABEL, document.as_bytes().as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_opens_in_its_own_row_alone() {
        let seal = DocumentSeal::new(&[7; KEY]).expect("a key");
        let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
        let content = b"%PDF-1.7 of a company %%EOF".to_vec();
        let sealed = seal.seal(one, Zeroizing::new(content.clone())).expect("sealed");
        assert_eq!(*seal.open(one, sealed.clone()).expect("opened"), content);
        assert!(!sealed.windows(9).any(|part| part == b"a company"));
        assert!(seal.open(other, sealed.clone()).is_err());
        let mut changed = sealed.clone();
        changed[NONCE] ^= 1;
        assert!(seal.open(one, changed).is_err() && seal.open(one, vec![0; 8]).is_err());
        let foreign = DocumentSeal::new(&[8; KEY]).expect("a key");
        assert!(foreign.open(one, sealed).is_err());
        let empty = seal.seal(one, Zeroizing::default()).expect("sealed");
        assert!(seal.open(one, empty).expect("opened").is_empty());
    }
}
