//! The keys of a simulated unit: a local master key, and whatever comes in blocks under it. Must
//! keep no table of keys that it has given out: a block is opened when it comes, as in a real unit,
//! and remembered only to be opened once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use switch_domain::Timestamp;
use switch_security::{
    ImportPolicy, Key, KeyBlockError, KeyCipher, KeyHandle, KeyName, KeyRing, KeyUsage, NamedKey,
    PanKeys, Reply, SecurityError, SoftwareModule, export_block, unwrap_key_block,
};

use super::fields::{Code, FORMAT, INVALID, KEY_PARITY, KEY_SCHEME, KEY_USAGE, NOT_VERIFIED};

/// A fault of the unit itself.
const HARDWARE: Code = *b"41";
/// Time has no part in the keys of a unit.
const NO_TIME: Timestamp = Timestamp(0);

/// All keys of a unit.
pub(super) struct Keys {
    lmk: Key,
    own_pin_key: KeyHandle,
    own_script_keys: (KeyHandle, KeyHandle),
    state: Mutex<State>,
}

struct State {
    ring: KeyRing,
    known: HashMap<String, (KeyUsage, KeyHandle)>,
    pan_keys: PanKeys,
    module: Arc<SoftwareModule>,
}

impl State {
    /// Takes a key in, for the software module to work with.
    fn add(&mut self, key: Key) -> Result<KeyHandle> {
        let usage = key.usage();
        let number = self.ring.iter().count();
        let name = KeyName::new(&format!("key-{number}")).context("a name")?;
        let version = self.ring.add(NamedKey { name: name.clone(), key }, NO_TIME)?;
        self.ring.activate(&name, version, NO_TIME)?;
        self.module = Arc::new(module(&self.pan_keys, &self.ring)?);
        Ok(self.ring.find(&name, usage)?)
    }
}

fn module(pan_keys: &PanKeys, ring: &KeyRing) -> Result<SoftwareModule> {
    Ok(SoftwareModule::new(pan_keys)?.with_keys(ring.clone()))
}

impl Keys {
    /// With this local master key, of AES-256; one by chance where none is given.
    pub(super) fn new(lmk: Option<[u8; 32]>) -> Result<Self> {
        let lmk = match lmk {
            Some(bytes) => Key::new(KeyUsage::K1, KeyCipher::Aes, &bytes)?,
            None => Key::generate(KeyUsage::K1, KeyCipher::Aes, 32)??,
        };
        let (pan_keys, ring) = (PanKeys::generate()?, KeyRing::default());
        let module = Arc::new(module(&pan_keys, &ring)?);
        let mut state = State { ring, known: HashMap::new(), pan_keys, module };
        let mut own = |usage| state.add(Key::generate(usage, KeyCipher::Tdes, 16)??);
        let own_pin_key = own(KeyUsage::P0)?;
        let own_script_keys = (own(KeyUsage::E1)?, own(KeyUsage::E0)?);
        Ok(Self { lmk, own_pin_key, own_script_keys, state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The software module, with all keys that have come so far.
    pub(super) fn module(&self) -> Arc<SoftwareModule> {
        Arc::clone(&self.state().module)
    }

    /// The key that PINs under the local master key are under.
    pub(super) const fn own_pin_key(&self) -> KeyHandle {
        self.own_pin_key
    }

    /// Keys for the parts of a script that hold nothing: confidentiality and cryptogram.
    pub(super) const fn own_script_keys(&self) -> (KeyHandle, KeyHandle) {
        self.own_script_keys
    }

    /// Check value of the local master key, six hexadecimal digits.
    pub(super) fn check_value(&self) -> String {
        self.lmk.check_value().to_string()
    }

    /// Puts a key under the local master key: how a host is to name it.
    pub(super) fn wrap(&self, key: &Key) -> Result<String, KeyBlockError> {
        Ok(format!("S{}", export_block(&self.lmk, key)?))
    }

    /// A key out of its block.
    pub(super) fn unwrap(&self, text: &str, usage: KeyUsage) -> Result<Key, Code> {
        let block = text.strip_prefix('S').ok_or(KEY_SCHEME)?;
        let opened = unwrap_key_block(&self.lmk, block, &ImportPolicy::strict(usage));
        opened.map(|(key, _)| key).map_err(|error| match error {
            KeyBlockError::Usage { .. } | KeyBlockError::Mode { .. } => KEY_USAGE,
            _ => KEY_PARITY,
        })
    }

    /// The handle of a key that came with a command, for this use.
    pub(super) fn handle(&self, text: &str, usage: KeyUsage) -> Result<KeyHandle, Code> {
        if let Some((known, handle)) = self.state().known.get(text) {
            return if *known == usage { Ok(*handle) } else { Err(KEY_USAGE) };
        }
        let key = self.unwrap(text, usage)?;
        let mut state = self.state();
        let handle = state.add(key).map_err(|_| HARDWARE)?;
        state.known.insert(text.to_owned(), (usage, handle));
        Ok(handle)
    }
}

/// What the software module says, which is there at once.
pub(super) fn now<T>(reply: Reply<'_, T>) -> Result<T, Code> {
    match reply.now() {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(code_of(error)),
        Err(_) => Err(HARDWARE),
    }
}

const fn code_of(error: SecurityError) -> Code {
    match error {
        SecurityError::Incorrect => NOT_VERIFIED,
        SecurityError::Malformed(_) | SecurityError::UnknownProfile(_) => INVALID,
        SecurityError::UnknownKey(_) => KEY_PARITY,
        SecurityError::UsageRefused { .. } => KEY_USAGE,
        SecurityError::TranslationRefused { .. } | SecurityError::FormatRefused(_) => FORMAT,
        SecurityError::Prohibited(_)
        | SecurityError::ClearPinRefused(_)
        | SecurityError::Unavailable => HARDWARE,
    }
}
