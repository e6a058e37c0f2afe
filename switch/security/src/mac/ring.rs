//! The MAC keys that a module holds, keyed and ready. It owns their handles: whoever asks names a
//! key and gets a number for it, and never meets the key.

use super::machine::{Machine, machine};
use super::{Mac, MacAlgorithm, MacKeyName, MacKeys, MacScheme, NamedMacKey};

/// Names a MAC key within the module that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MacKeyHandle(u16);

/// Why there is no code, or why one is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MacError {
    /// No such key.
    #[error("there is no MAC key {0}: import it with `cardswitch keys import`")]
    UnknownKey(MacKeyName),
    /// One key, one use.
    #[error("MAC key {name} is for {}, and was asked for {}", is_for.usage(), wanted.usage())]
    OtherUse {
        /// The key.
        name: MacKeyName,
        /// What it is for.
        is_for: MacAlgorithm,
        /// What it was asked for.
        wanted: MacAlgorithm,
    },
    /// The handle is of another module.
    #[error("the handle names no MAC key of this module")]
    UnknownHandle,
    /// The code is not that of this message under this key, or has too few bytes.
    #[error("the code is not that of the message")]
    Incorrect,
}

struct Ready {
    name: MacKeyName,
    algorithm: MacAlgorithm,
    machine: Machine,
}

/// The keys of a module by handle.
#[derive(Default)]
pub(crate) struct MacRing(Vec<Ready>);

impl MacRing {
    /// Makes the key schedules; the keys themselves are wiped on return.
    pub(crate) fn new(keys: MacKeys) -> Self {
        let ready = |NamedMacKey { name, key }| {
            Some(Ready { name, algorithm: key.algorithm(), machine: machine(&key)? })
        };
        Self(keys.into_iter().filter_map(ready).collect())
    }

    pub(crate) fn find(
        &self,
        name: &MacKeyName,
        wanted: MacAlgorithm,
    ) -> Result<MacKeyHandle, MacError> {
        let found = self.0.iter().enumerate().find(|(_, ready)| ready.name == *name);
        let (index, ready) = found.ok_or_else(|| MacError::UnknownKey(name.clone()))?;
        if ready.algorithm != wanted {
            let (name, is_for) = (name.clone(), ready.algorithm);
            return Err(MacError::OtherUse { name, is_for, wanted });
        }
        u16::try_from(index).map(MacKeyHandle).map_err(|_| MacError::UnknownHandle)
    }

    pub(crate) fn mac(
        &self,
        MacKeyHandle(index): MacKeyHandle,
        scheme: MacScheme,
        message: &[u8],
    ) -> Result<Mac, MacError> {
        let ready = self.0.get(usize::from(index)).ok_or(MacError::UnknownHandle)?;
        if ready.algorithm != scheme.algorithm() {
            let (name, is_for) = (ready.name.clone(), ready.algorithm);
            return Err(MacError::OtherUse { name, is_for, wanted: scheme.algorithm() });
        }
        Ok(ready.machine.mac(scheme.padding(), message))
    }
}
