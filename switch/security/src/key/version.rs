//! A version of a key, and where it stands. It owns that a destroyed one has no key any more; in
//! which order versions follow one another is the ring's affair.

use std::sync::Arc;

use switch_domain::Timestamp;

use super::{Key, KeyCheckValue, KeyCipher, KeyMode, KeyState};

/// A version of a key.
#[derive(Clone)]
pub struct KeyVersion {
    pub(super) number: u32,
    pub(super) state: KeyState,
    pub(super) created: Timestamp,
    pub(super) cipher: KeyCipher,
    pub(super) mode: KeyMode,
    pub(super) check_value: KeyCheckValue,
    /// `None` once it is destroyed.
    pub(super) key: Option<Arc<Key>>,
}

impl KeyVersion {
    /// Which, from 1; never given to another.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> KeyState {
        self.state
    }

    /// When it was made or taken in.
    #[must_use]
    pub const fn created(&self) -> Timestamp {
        self.created
    }

    /// Its cipher.
    #[must_use]
    pub const fn cipher(&self) -> KeyCipher {
        self.cipher
    }

    /// Which way round it is used.
    #[must_use]
    pub const fn mode(&self) -> KeyMode {
        self.mode
    }

    /// What tells it from others.
    #[must_use]
    pub const fn check_value(&self) -> KeyCheckValue {
        self.check_value
    }

    /// The key, until it is destroyed.
    #[must_use]
    pub fn key(&self) -> Option<&Arc<Key>> {
        self.key.as_ref()
    }

    /// One as it was written down.
    pub(crate) fn restored(
        number: u32,
        state: KeyState,
        created: Timestamp,
        (cipher, mode): (KeyCipher, KeyMode),
        check_value: KeyCheckValue,
        key: Option<Arc<Key>>,
    ) -> Self {
        Self { number, state, created, cipher, mode, check_value, key }
    }

    pub(super) fn is_live(&self) -> bool {
        self.key.is_some()
    }

    pub(super) fn destroy(&mut self) {
        self.key = None;
        self.state = KeyState::Destroyed;
    }
}
