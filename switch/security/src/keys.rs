//! The keys of the PAN vault: those that encrypt, of which one is active, and the one of the index.
//! It owns their bytes while they live, and wipes them when they are dropped; it never shows them.
//! Their files are the affair of `pan_store`, and of `key_file` where they are still in clear.

use aws_lc_rs::{hmac, rand};
use subtle::ConstantTimeEq;
use switch_domain::Timestamp;
use zeroize::Zeroizing;

use crate::key::{KeyCipher, is_well_known};
use crate::{KeyFileError, KeyId};

/// Bytes of either key: AES-256, and an HMAC-SHA-256 key as long as its output (RFC 2104).
pub(crate) const KEY_BYTES: usize = 32;

/// Most keys that encrypted numbers at a time: the active one, and those whose rows are to be
/// encrypted again.
pub(crate) const MAX_DATA_KEYS: usize = 8;

const CHECK_LABEL: &[u8] = b"cardswitch key check value v1";

/// A key that encrypts card numbers. Wiped on drop; it cannot be printed.
pub(crate) struct DataKey {
    pub(crate) id: KeyId,
    pub(crate) created: Timestamp,
    pub(crate) bytes: Zeroizing<[u8; KEY_BYTES]>,
}

/// What may be told of a key that encrypts card numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanKeyInfo {
    /// What rows name it by.
    pub id: KeyId,
    /// When it was made; zero where that is not known.
    pub created: Timestamp,
    /// Whether new numbers are encrypted with it.
    pub active: bool,
    /// What tells it and the key of the index from others: for the store alone.
    pub check_value: CheckValue,
}

/// The vault's keys. They cannot be copied, are wiped on drop, and cannot be printed:
///
/// ```compile_fail
/// fn print<T: std::fmt::Debug>() {}
/// print::<switch_security::PanKeys>();
/// ```
pub struct PanKeys {
    pub(crate) active: DataKey,
    /// Those that numbers are still encrypted with.
    pub(crate) older: Vec<DataKey>,
    pub(crate) fingerprint: Zeroizing<[u8; KEY_BYTES]>,
}

/// Tells a key pair from every other without revealing it: 16 hexadecimal digits, for the store to
/// keep and compare at start, so that a wrong key file is noticed before a row is written with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckValue(String);

impl CheckValue {
    /// The digits, as stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for CheckValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl PanKeys {
    /// From one key of each kind.
    ///
    /// # Errors
    /// The keys are equal, or one of them is all zeros: neither is the work of a generator.
    pub(crate) fn from_parts(
        id: KeyId,
        encryption: Zeroizing<[u8; KEY_BYTES]>,
        fingerprint: Zeroizing<[u8; KEY_BYTES]>,
    ) -> Result<Self, KeyFileError> {
        let active = DataKey { id, created: Timestamp(0), bytes: encryption };
        Self::from_keys(active, Vec::new(), fingerprint)
    }

    /// From all of them.
    ///
    /// # Errors
    /// As [`Self::from_parts`]; two have one id, or there are too many.
    pub(crate) fn from_keys(
        active: DataKey,
        older: Vec<DataKey>,
        fingerprint: Zeroizing<[u8; KEY_BYTES]>,
    ) -> Result<Self, KeyFileError> {
        if older.len() >= MAX_DATA_KEYS {
            return Err(KeyFileError::TooMany);
        }
        let keys = Self { active, older, fingerprint };
        let mut before: Vec<&DataKey> = Vec::with_capacity(MAX_DATA_KEYS);
        let zero = [0; KEY_BYTES];
        let mut weak = keys.fingerprint.ct_eq(&zero);
        for key in keys.data() {
            weak |= key.bytes.ct_eq(&zero) | key.bytes.ct_eq(&*keys.fingerprint);
            for other in &before {
                weak |= key.bytes.ct_eq(&*other.bytes);
                if key.id == other.id {
                    return Err(KeyFileError::WeakKeys);
                }
            }
            before.push(key);
        }
        if weak.into() { Err(KeyFileError::WeakKeys) } else { Ok(keys) }
    }

    /// A fresh key of each kind from the system's random generator.
    ///
    /// # Errors
    /// The generator failed.
    pub fn generate() -> Result<Self, KeyFileError> {
        let active = DataKey::generate(Timestamp(0))?;
        let mut fingerprint = Zeroizing::new([0; KEY_BYTES]);
        rand::fill(&mut *fingerprint).map_err(|_| KeyFileError::NoRandomness)?;
        Self::from_keys(active, Vec::new(), fingerprint)
    }

    /// The same with a fresh active key; the one before is kept for what is under it.
    ///
    /// # Errors
    /// The generator failed, or there are as many keys as can be.
    pub(crate) fn rotated(self, now: Timestamp) -> Result<Self, KeyFileError> {
        let Self { active, mut older, fingerprint } = self;
        older.insert(0, active);
        Self::from_keys(DataKey::generate(now)?, older, fingerprint)
    }

    /// Those that encrypt, the active one first.
    pub(crate) fn data(&self) -> impl Iterator<Item = &DataKey> {
        std::iter::once(&self.active).chain(&self.older)
    }

    /// Whether one of them is a key of examples, which a production system must not have.
    #[must_use]
    pub fn are_well_known(&self) -> bool {
        let known = |key: &[u8]| is_well_known(KeyCipher::Aes, key);
        known(&*self.fingerprint) || self.data().any(|key| known(&*key.bytes))
    }

    /// The public name of the active key.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.active.id
    }

    /// What may be told of each key that encrypts, the active one first.
    #[must_use]
    pub fn list(&self) -> Vec<PanKeyInfo> {
        let info = |key: &DataKey| PanKeyInfo {
            id: key.id,
            created: key.created,
            active: key.id == self.active.id,
            check_value: self.check_value_of(key),
        };
        self.data().map(info).collect()
    }

    /// Identifies the active key and the one of the index: changes when either or the id does, and
    /// reveals none of them.
    #[must_use]
    pub fn check_value(&self) -> CheckValue {
        self.check_value_of(&self.active)
    }

    /// It is a truncated HMAC under both keys of a fixed label, which no fingerprint and no
    /// encryption ever takes as input.
    pub(crate) fn check_value_of(&self, key: &DataKey) -> CheckValue {
        let inner_key = hmac::Key::new(hmac::HMAC_SHA256, &*key.bytes);
        let inner = hmac::sign(&inner_key, CHECK_LABEL);
        let outer_key = hmac::Key::new(hmac::HMAC_SHA256, &*self.fingerprint);
        let mut context = hmac::Context::with_key(&outer_key);
        context.update(CHECK_LABEL);
        context.update(key.id.as_bytes());
        context.update(inner.as_ref());
        CheckValue(hex::encode(context.sign().as_ref().iter().take(8).copied().collect::<Vec<_>>()))
    }
}

impl DataKey {
    /// A fresh one from the system's random generator.
    pub(crate) fn generate(created: Timestamp) -> Result<Self, KeyFileError> {
        let mut id = [0; 8];
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        for part in [&mut id[..], &mut bytes[..]] {
            rand::fill(part).map_err(|_| KeyFileError::NoRandomness)?;
        }
        Ok(Self { id: KeyId::from_bytes(id), created, bytes })
    }
}
