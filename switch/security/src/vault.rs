//! The PAN vault: seals card numbers for storage and makes the fingerprints that find them. It owns
//! the two constructions; it never keeps a card number, and never says why a value does not open.
//!
//! - **Fingerprint**: the first 16 bytes of HMAC-SHA-256 over the ASCII digits (PCI DSS 3.5.1.1:
//!   a keyed hash over the whole PAN).
//! - **Sealed value**: AES-256-GCM over the digits padded to one length. The associated data binds
//!   key, fingerprint and the caller's place (table, column, row), so that a ciphertext copied to
//!   another row does not open there. One key is active and seals; those before it still open what
//!   was not encrypted again yet.

use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use switch_domain::{Fingerprint, Pan};
use zeroize::Zeroizing;

use crate::keys::DataKey;
use crate::{CheckValue, KeyFileError, KeyId, PanKeys, SealedPan};

const AAD_LABEL: &[u8] = b"cardswitch sealed pan v1";
/// No card number begins so: what tells the index keys apart is no fingerprint.
const INDEX_LABEL: &[u8] = b"cardswitch index key";
/// Stands after the last digit up to the greatest length, so that ciphertexts tell no length.
const PAD: u8 = 0;

/// Seals, opens and fingerprints card numbers. Shared between threads as it is.
pub struct PanVault {
    /// Of the keys that it began with.
    check_value: CheckValue,
    /// Replaced whole when there is another active key. Never touched on the path of a message.
    data: RwLock<Arc<DataCiphers>>,
    /// Keyed once: each fingerprint starts from a copy of this state, not from the key. Every
    /// message has one made, so the copy must be small.
    fingerprint: Hmac<Sha256>,
}

/// The keys that encrypt, as they work.
struct DataCiphers {
    active: (KeyId, LessSafeKey),
    older: Vec<(KeyId, LessSafeKey)>,
}

impl DataCiphers {
    fn new(keys: &PanKeys) -> Result<Self, KeyFileError> {
        let cipher = |key: &DataKey| {
            let unbound = UnboundKey::new(&AES_256_GCM, &*key.bytes);
            let unbound = unbound.map_err(|_| KeyFileError::WeakKeys)?;
            Ok((key.id, LessSafeKey::new(unbound)))
        };
        let older = keys.older.iter().map(cipher).collect::<Result<_, KeyFileError>>()?;
        Ok(Self { active: cipher(&keys.active)?, older })
    }

    fn find(&self, wanted: KeyId) -> Option<&LessSafeKey> {
        let all = std::iter::once(&self.active).chain(&self.older);
        all.into_iter().find(|(id, _)| *id == wanted).map(|(_, cipher)| cipher)
    }
}

/// Why a value was not sealed or not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// Sealed with a key that is not loaded.
    #[error("the PAN was sealed with key {found}, which is not there; the active key is {loaded}")]
    OtherKey {
        /// The key of the value.
        found: KeyId,
        /// The key that is active.
        loaded: KeyId,
    },
    /// The value, its fingerprint or its place is not what was sealed.
    #[error(
        "a stored PAN does not open: it was changed, moved to another row, or is of other keys"
    )]
    NotAuthentic,
    /// The system's random generator failed: nothing was sealed.
    #[error("the system's random generator failed: no PAN was sealed")]
    NoRandomness,
    /// The cipher refused. Not seen with values of this size.
    #[error("the cipher refused the PAN")]
    Cipher,
}

impl PanVault {
    /// A vault with these keys. They are wiped from where they came; the cipher's own copies live
    /// as long as the vault.
    ///
    /// # Errors
    /// The cipher refuses the key.
    pub fn new(keys: &PanKeys) -> Result<Self, KeyFileError> {
        let fingerprint = Hmac::new_from_slice(&*keys.fingerprint);
        Ok(Self {
            check_value: keys.check_value(),
            data: RwLock::new(Arc::new(DataCiphers::new(keys)?)),
            fingerprint: fingerprint.map_err(|_| KeyFileError::WeakKeys)?,
        })
    }

    /// From now on it encrypts with these keys. Those before go when nobody works with them.
    ///
    /// # Errors
    /// The key of the index is another one: no card would be found any more.
    pub(crate) fn replace_data_keys(&self, keys: &PanKeys) -> Result<(), KeyFileError> {
        let theirs = Hmac::<Sha256>::new_from_slice(&*keys.fingerprint);
        let theirs = tag_of(theirs.map_err(|_| KeyFileError::WeakKeys)?, INDEX_LABEL);
        let ours = tag_of(self.fingerprint.clone(), INDEX_LABEL);
        if !bool::from(ours.ct_eq(&theirs)) {
            return Err(KeyFileError::OtherIndexKey);
        }
        let ciphers = Arc::new(DataCiphers::new(keys)?);
        *self.data.write().unwrap_or_else(PoisonError::into_inner) = ciphers;
        Ok(())
    }

    fn data(&self) -> Arc<DataCiphers> {
        Arc::clone(&self.data.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether it opens what this key sealed.
    pub(crate) fn has(&self, key: KeyId) -> bool {
        self.data().find(key).is_some()
    }

    /// Identifies the keys that it began with: see [`PanKeys::check_value`].
    #[must_use]
    pub const fn check_value(&self) -> &CheckValue {
        &self.check_value
    }

    /// What finds the card of this number.
    #[must_use]
    pub fn fingerprint(&self, pan: &Pan) -> Fingerprint {
        Fingerprint(tag_of(self.fingerprint.clone(), pan.digits_for_security()))
    }

    /// Encrypts a card number for the row that `place` names: any bytes that no other row has.
    ///
    /// # Errors
    /// The random generator or the cipher failed.
    pub fn seal(&self, pan: &Pan, place: &[u8]) -> Result<SealedPan, VaultError> {
        let mut nonce = [0; 12];
        rand::fill(&mut nonce).map_err(|_| VaultError::NoRandomness)?;
        // Wiped if the cipher fails half-way. It overwrites the digits in place otherwise.
        let mut room = Zeroizing::new([PAD; Pan::MAX_DIGITS]);
        for (slot, digit) in room.iter_mut().zip(pan.digits_for_security()) {
            *slot = *digit;
        }
        let data = self.data();
        let (key_id, cipher) = &data.active;
        let aad = associated_data(*key_id, &self.fingerprint(pan), place);
        let tag = cipher.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(aad),
            &mut *room,
        );
        let tag = tag.map_err(|_| VaultError::Cipher)?;
        let ciphertext = room.iter().chain(tag.as_ref()).copied().collect();
        Ok(SealedPan { key_id: *key_id, nonce, ciphertext })
    }

    /// Decrypts what was sealed for the same fingerprint and place.
    ///
    /// # Errors
    /// Another key, or anything that is not exactly what was sealed.
    pub fn open(
        &self,
        sealed: &SealedPan,
        fingerprint: &Fingerprint,
        place: &[u8],
    ) -> Result<Pan, VaultError> {
        let (data, found) = (self.data(), sealed.key_id);
        let other = VaultError::OtherKey { found, loaded: data.active.0 };
        let cipher = data.find(found).ok_or(other)?;
        let mut room = Zeroizing::new(sealed.ciphertext.clone());
        let opened = cipher.open_in_place(
            Nonce::assume_unique_for_key(sealed.nonce),
            Aad::from(associated_data(found, fingerprint, place)),
            &mut room,
        );
        let padded = opened.map_err(|_| VaultError::NotAuthentic)?;
        let digits = padded.split(|byte| *byte == PAD).next().unwrap_or_default();
        Pan::from_digits(digits).map_err(|_| VaultError::NotAuthentic)
    }
}

/// The first bytes of the tag over a message.
fn tag_of(mut tag: Hmac<Sha256>, message: &[u8]) -> [u8; 16] {
    tag.update(message);
    let mut short = [0; 16];
    for (slot, byte) in short.iter_mut().zip(tag.finalize().into_bytes()) {
        *slot = byte;
    }
    short
}

/// Label, key and fingerprint have fixed lengths and the place ends it: two different places never
/// give the same bytes.
fn associated_data(key_id: KeyId, fingerprint: &Fingerprint, place: &[u8]) -> Vec<u8> {
    [AAD_LABEL, key_id.as_bytes(), &fingerprint.0, place].concat()
}
