//! The keys of the module, as its commands ask for them. It owns that a key is asked for a function
//! before it is used, and that versions are tried one after the other, the active one first: a peer
//! or a card may be a version behind. What is refused is said by handle and function.

use std::sync::Arc;

use switch_domain::Timestamp;

use crate::SecurityError;
use crate::des_pair::DesPair;
use crate::key::{Function, Key, KeyError, KeyHandle, KeyRing};

/// The ring, and the clock of old versions.
pub(super) struct Held {
    ring: Arc<KeyRing>,
    now: fn() -> Timestamp,
}

impl Held {
    pub(super) const fn new(ring: Arc<KeyRing>, now: fn() -> Timestamp) -> Self {
        Self { ring, now }
    }

    /// The active version, for what is made anew.
    pub(super) fn active(&self, key: KeyHandle, function: Function) -> Result<&Key, SecurityError> {
        self.ring.active(key, function).map_err(|error| refusal(key, function, &error))
    }

    /// The same where it is two DES keys, as those of cards and PINs are.
    pub(super) fn active_pair(
        &self,
        key: KeyHandle,
        function: Function,
    ) -> Result<&DesPair, SecurityError> {
        pair(self.active(key, function)?, key, function)
    }

    /// Asks each version that is taken, until one finds the value right, or has another answer than
    /// that it is not.
    pub(super) fn first_right<T>(
        &self,
        key: KeyHandle,
        function: Function,
        mut attempt: impl FnMut(&Key) -> Result<T, SecurityError>,
    ) -> Result<T, SecurityError> {
        let versions = self.ring.accepted(key, function, self.now);
        let versions = versions.map_err(|error| refusal(key, function, &error))?;
        let mut answer = Err(SecurityError::Incorrect);
        for (version, material) in versions {
            answer = attempt(material);
            if !matches!(answer, Err(SecurityError::Incorrect)) {
                tracing::trace!(%key, version, function = function.name(), "key version used");
                break;
            }
        }
        answer
    }

    /// The same of two DES keys.
    pub(super) fn first_right_pair<T>(
        &self,
        key: KeyHandle,
        function: Function,
        mut attempt: impl FnMut(&DesPair) -> Result<T, SecurityError>,
    ) -> Result<T, SecurityError> {
        self.first_right(key, function, |material| attempt(pair(material, key, function)?))
    }
}

fn pair(material: &Key, key: KeyHandle, function: Function) -> Result<&DesPair, SecurityError> {
    material.pair().ok_or(SecurityError::UsageRefused { key, function: function.name() })
}

/// What becomes of a ring's answer. Refusals are logged, with the key's name (K-07).
fn refusal(key: KeyHandle, function: Function, error: &KeyError) -> SecurityError {
    match error {
        KeyError::Unknown(_) | KeyError::UnknownHandle | KeyError::NotActive(_) => {
            SecurityError::UnknownKey(key)
        }
        KeyError::OtherUsage { .. } | KeyError::Refused { .. } | KeyError::OtherCipher { .. } => {
            tracing::warn!(target: "audit", act = "key_refused", %key, reason = %error);
            SecurityError::UsageRefused { key, function: function.name() }
        }
    }
}
