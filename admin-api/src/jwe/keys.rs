//! The platform's private keys: how one is made and named, and how several live beside each other
//! while partners go over to a new one. It owns their lives and counts their operations; the bytes
//! of a key leave it for the sealed file alone, and it never says why a content key did not come
//! out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey,
    PrivateDecryptingKey,
};
use subtle::Choice;
use switch_domain::Timestamp;
use zeroize::Zeroizing;

use super::open::CONTENT_KEY;
use super::rsa_public::RsaPublic;
use super::token::KeyAlgorithm;

/// Sizes of our keys. 3072 has the 128-bit strength that ASVS 11.2.3 asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RsaBits {
    /// For partners that can no better: [`KeyRules::allow_2048`].
    Bits2048,
    /// The usual one.
    Bits3072,
    /// Twice the cost.
    Bits4096,
}

/// What keys may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRules {
    /// Whether a key of 2048 bits is made or loaded at all.
    pub allow_2048: bool,
    /// How many live at a time at most. A token without `kid` is tried against each.
    pub most_keys: usize,
}

impl Default for KeyRules {
    fn default() -> Self {
        Self { allow_2048: false, most_keys: 3 }
    }
}

/// Why there is no such key. Says nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPlatformKey {
    /// Not PKCS#8 of an RSA key, or not a sound one.
    #[error("not an RSA private key in PKCS#8")]
    Form,
    /// Another size than is allowed.
    #[error("keys have 3072 or 4096 bits; 2048 only where that is allowed")]
    Size,
    /// The text is no name of a key.
    #[error("a kid has 1 to 64 letters, digits, hyphens, underscores and dots")]
    Kid,
    /// The library failed.
    #[error("no key could be made")]
    NotMade,
}

/// The name of a key in tokens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Kid(String);

impl Kid {
    /// From text.
    ///
    /// # Errors
    /// It is too long, empty, or has other characters.
    pub fn new(text: &str) -> Result<Self, InvalidPlatformKey> {
        let fit = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if (1..=64).contains(&text.len()) && text.bytes().all(fit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidPlatformKey::Kid)
        }
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A private key of ours. It cannot be copied, printed or serialized:
///
/// ```compile_fail
/// fn print<T: std::fmt::Debug>() {}
/// print::<admin_api::jwe::PlatformKey>();
/// ```
/// ```compile_fail
/// fn write<T: serde::Serialize>() {}
/// write::<admin_api::jwe::PlatformKey>();
/// ```
pub struct PlatformKey {
    kid: Kid,
    public: RsaPublic,
    /// Another handle on the same key, for the file.
    whole: PrivateDecryptingKey,
    private: OaepPrivateDecryptingKey,
    operations: AtomicU64,
}

impl PlatformKey {
    /// A fresh one, named by its thumbprint (RFC 7638). Takes up to seconds.
    ///
    /// # Errors
    /// The rules do not allow its size, or the library fails.
    pub fn generate(bits: RsaBits, rules: &KeyRules) -> Result<Self, InvalidPlatformKey> {
        let size = match bits {
            RsaBits::Bits2048 if !rules.allow_2048 => return Err(InvalidPlatformKey::Size),
            RsaBits::Bits2048 => KeySize::Rsa2048,
            RsaBits::Bits3072 => KeySize::Rsa3072,
            RsaBits::Bits4096 => KeySize::Rsa4096,
        };
        let made = PrivateDecryptingKey::generate(size);
        Self::of(None, made.map_err(|_| InvalidPlatformKey::NotMade)?, rules)
    }

    /// From PKCS#8 in DER, which the caller wipes, under this name or its thumbprint.
    ///
    /// # Errors
    /// It is no such key, or the rules do not allow its size.
    pub fn from_pkcs8(
        kid: Option<Kid>,
        pkcs8: &[u8],
        rules: &KeyRules,
    ) -> Result<Self, InvalidPlatformKey> {
        let read = PrivateDecryptingKey::from_pkcs8(pkcs8);
        Self::of(kid, read.map_err(|_| InvalidPlatformKey::Form)?, rules)
    }

    fn of(
        kid: Option<Kid>,
        whole: PrivateDecryptingKey,
        rules: &KeyRules,
    ) -> Result<Self, InvalidPlatformKey> {
        match whole.key_size_bits() {
            3072 | 4096 => {}
            2048 if rules.allow_2048 => {}
            _ => return Err(InvalidPlatformKey::Size),
        }
        let der = whole.public_key().as_der().map_err(|_| InvalidPlatformKey::Form)?;
        let (public, _) = RsaPublic::from_der(der.as_ref()).ok_or(InvalidPlatformKey::Form)?;
        let kid = kid.map_or_else(|| Kid::new(&public.thumbprint()), Ok)?;
        let private = OaepPrivateDecryptingKey::new(whole.clone());
        let private = private.map_err(|_| InvalidPlatformKey::Form)?;
        Ok(Self { kid, public, whole, private, operations: AtomicU64::new(0) })
    }

    /// Its name.
    #[must_use]
    pub const fn kid(&self) -> &Kid {
        &self.kid
    }

    /// Its size.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.whole.key_size_bits()
    }

    /// RSA operations that it has done, whatever came of them.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.operations.load(Ordering::Relaxed)
    }

    pub(super) const fn public(&self) -> &RsaPublic {
        &self.public
    }

    pub(super) fn pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, InvalidPlatformKey> {
        // The library wipes its own copy.
        let der = self.whole.as_der().map_err(|_| InvalidPlatformKey::Form)?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    /// The content key, and whether it came out. One RSA operation, whatever it is given: what
    /// cannot be a number of this key is replaced by one that can.
    pub(super) fn unwrap_key(
        &self,
        algorithm: KeyAlgorithm,
        encrypted: &[u8],
    ) -> (Zeroizing<[u8; CONTENT_KEY]>, Choice) {
        self.operations.fetch_add(1, Ordering::Relaxed);
        let modulus = self.public.modulus();
        // Of equal length, so that the order of bytes is the order of numbers. Neither is secret.
        let fits = encrypted.len() == modulus.len() && encrypted < modulus;
        let decoy;
        let input = if fits {
            encrypted
        } else {
            decoy = vec![1; modulus.len()];
            &decoy
        };
        let oaep = match algorithm {
            KeyAlgorithm::RsaOaep256 => &OAEP_SHA256_MGF1SHA256,
            KeyAlgorithm::RsaOaep => &OAEP_SHA1_MGF1SHA1,
        };
        let mut room = Zeroizing::new(vec![0; self.private.min_output_size()]);
        let length = self.private.decrypt(oaep, input, &mut room, None).map(|found| found.len());
        let mut content_key = Zeroizing::new([0; CONTENT_KEY]);
        content_key.iter_mut().zip(room.iter()).for_each(|(slot, byte)| *slot = *byte);
        let whole = length.is_ok_and(|length| length == CONTENT_KEY) & fits;
        (content_key, Choice::from(u8::from(whole)))
    }
}

/// How long a key lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyLife {
    /// It is published, and opens.
    Active,
    /// It opens, until then.
    Until(Timestamp),
}

impl KeyLife {
    /// Whether it does at this moment.
    #[must_use]
    pub fn lives(self, now: Timestamp) -> bool {
        match self {
            Self::Active => true,
            Self::Until(end) => now < end,
        }
    }
}

/// Why keys do not follow one another so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    /// Older ones have to end first.
    #[error("{0} keys live at a time at most: wait until an older one has ended")]
    TooMany(usize),
    /// Its name is taken.
    #[error("a key of this name lives already")]
    KidTaken,
}

/// The keys that open tokens: the active one, and those before it until their ends.
#[derive(Clone)]
pub struct PlatformKeys {
    active: Arc<PlatformKey>,
    older: Vec<(Arc<PlatformKey>, Timestamp)>,
}

impl PlatformKeys {
    /// This one alone.
    #[must_use]
    pub fn new(active: PlatformKey) -> Self {
        Self { active: Arc::new(active), older: Vec::new() }
    }

    /// A new one becomes active; the one so far opens until `end`, as partners go over. Keys that
    /// have ended are dropped.
    ///
    /// # Errors
    /// There would be too many, or two of one name.
    pub fn rotate(
        &self,
        next: PlatformKey,
        (now, end): (Timestamp, Timestamp),
        rules: &KeyRules,
    ) -> Result<Self, RotationError> {
        let mut keys = Self::new(next);
        keys.add_older(self.active.clone(), end, now, rules)?;
        for (key, end) in &self.older {
            keys.add_older(key.clone(), *end, now, rules)?;
        }
        Ok(keys)
    }

    pub(super) fn add_older(
        &mut self,
        key: Arc<PlatformKey>,
        end: Timestamp,
        now: Timestamp,
        rules: &KeyRules,
    ) -> Result<(), RotationError> {
        if !KeyLife::Until(end).lives(now) {
            return Ok(());
        }
        if self.iter().any(|(other, _)| other.kid() == key.kid()) {
            return Err(RotationError::KidTaken);
        }
        if self.iter().count() >= rules.most_keys {
            return Err(RotationError::TooMany(rules.most_keys));
        }
        self.older.push((key, end));
        Ok(())
    }

    /// The one that is published.
    #[must_use]
    pub const fn active(&self) -> &Arc<PlatformKey> {
        &self.active
    }

    /// Each with its life, the active one first; ended ones too, until the next rotation.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<PlatformKey>, KeyLife)> {
        let older = self.older.iter().map(|(key, end)| (key, KeyLife::Until(*end)));
        std::iter::once((&self.active, KeyLife::Active)).chain(older)
    }

    /// Those that open now.
    pub fn live(&self, now: Timestamp) -> impl Iterator<Item = &Arc<PlatformKey>> {
        self.iter().filter(move |(_, life)| life.lives(now)).map(|(key, _)| key)
    }
}
