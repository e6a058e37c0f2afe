//! The two keys of the PAN vault. It owns their bytes while they live, and wipes them when they are
//! dropped; it never shows them. Reading and writing the key file is the affair of `key_file`.

use aws_lc_rs::{hmac, rand};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::key::{KeyCipher, is_well_known};
use crate::{KeyFileError, KeyId};

/// Bytes of either key: AES-256, and an HMAC-SHA-256 key as long as its output (RFC 2104).
pub(crate) const KEY_BYTES: usize = 32;

const CHECK_LABEL: &[u8] = b"cardswitch key check value v1";

/// The vault's key pair. It cannot be copied, is wiped on drop, and cannot be printed:
///
/// ```compile_fail
/// fn print<T: std::fmt::Debug>() {}
/// print::<switch_security::PanKeys>();
/// ```
pub struct PanKeys {
    pub(crate) id: KeyId,
    pub(crate) encryption: Zeroizing<[u8; KEY_BYTES]>,
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
    /// From their parts.
    ///
    /// # Errors
    /// The keys are equal, or one of them is all zeros: neither is the work of a generator.
    pub(crate) fn from_parts(
        id: KeyId,
        encryption: Zeroizing<[u8; KEY_BYTES]>,
        fingerprint: Zeroizing<[u8; KEY_BYTES]>,
    ) -> Result<Self, KeyFileError> {
        let zero = [0; KEY_BYTES];
        let weak = encryption.ct_eq(&*fingerprint) | encryption.ct_eq(&zero);
        if (weak | fingerprint.ct_eq(&zero)).into() {
            return Err(KeyFileError::WeakKeys);
        }
        Ok(Self { id, encryption, fingerprint })
    }

    /// A fresh pair from the system's random generator.
    ///
    /// # Errors
    /// The generator failed.
    pub fn generate() -> Result<Self, KeyFileError> {
        let mut id = [0; 8];
        let mut encryption = Zeroizing::new([0; KEY_BYTES]);
        let mut fingerprint = Zeroizing::new([0; KEY_BYTES]);
        for part in [&mut id[..], &mut encryption[..], &mut fingerprint[..]] {
            rand::fill(part).map_err(|_| KeyFileError::NoRandomness)?;
        }
        Self::from_parts(KeyId::from_bytes(id), encryption, fingerprint)
    }

    /// Whether one of them is a key of examples, which a production system must not have.
    #[must_use]
    pub fn are_well_known(&self) -> bool {
        let known = |key: &[u8]| is_well_known(KeyCipher::Aes, key);
        known(&*self.encryption) || known(&*self.fingerprint)
    }

    /// The public name of the pair.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Identifies the pair: changes when either key or the id does, and reveals none of them.
    ///
    /// It is a truncated HMAC under both keys of a fixed label, which no fingerprint and no
    /// encryption ever takes as input.
    #[must_use]
    pub fn check_value(&self) -> CheckValue {
        let inner_key = hmac::Key::new(hmac::HMAC_SHA256, &*self.encryption);
        let inner = hmac::sign(&inner_key, CHECK_LABEL);
        let outer_key = hmac::Key::new(hmac::HMAC_SHA256, &*self.fingerprint);
        let mut context = hmac::Context::with_key(&outer_key);
        context.update(CHECK_LABEL);
        context.update(self.id.as_bytes());
        context.update(inner.as_ref());
        CheckValue(hex::encode(context.sign().as_ref().iter().take(8).copied().collect::<Vec<_>>()))
    }
}
