//! Keys by name, each with what the units take for it. It owns that a key is asked only for what it
//! is for; units check the same, and theirs is the last word.

use switch_security::{KeyHandle, KeyName, KeyUsage, SecurityError};

use crate::hsm_key::HsmKey;

/// Most keys: programmes and links are counted by the dozen.
pub const MAX_KEYS: usize = 1024;

/// A key as the configuration gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedHsmKey {
    /// What it is called here.
    pub name: KeyName,
    /// What it is for.
    pub usage: KeyUsage,
    /// The key, under the units' local master key.
    pub key: HsmKey,
}

/// All keys of a module, by handle: the place in this list.
#[derive(Clone, Debug, Default)]
pub struct HsmKeys(Vec<NamedHsmKey>);

/// Why keys cannot be taken as they are given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HsmKeysError {
    /// One name, one key.
    #[error("there are two keys {0}")]
    Twice(KeyName),
    /// At the limit.
    #[error("at most {MAX_KEYS} keys")]
    TooMany,
}

impl HsmKeys {
    /// Of these.
    ///
    /// # Errors
    /// A name comes twice, or there are too many.
    pub fn new(keys: Vec<NamedHsmKey>) -> Result<Self, HsmKeysError> {
        if keys.len() > MAX_KEYS {
            return Err(HsmKeysError::TooMany);
        }
        let names = keys.iter().enumerate();
        let twice = names.into_iter().find(|(place, key)| {
            keys.iter().skip(place.saturating_add(1)).any(|other| other.name == key.name)
        });
        match twice {
            Some((_, key)) => Err(HsmKeysError::Twice(key.name.clone())),
            None => Ok(Self(keys)),
        }
    }

    /// The handle of a key of this name that is for this.
    #[must_use]
    pub fn find(&self, name: &KeyName, usage: KeyUsage) -> Option<KeyHandle> {
        self.find_named(name.as_str(), usage)
    }

    /// The same by its name as programmes and links write it.
    #[must_use]
    pub fn find_named(&self, name: &str, usage: KeyUsage) -> Option<KeyHandle> {
        let named = |key: &NamedHsmKey| key.name.as_str() == name && key.usage == usage;
        u16::try_from(self.0.iter().position(named)?).ok().map(KeyHandle::new)
    }

    /// The key of a handle, to do this with it.
    pub(super) fn get(
        &self,
        handle: KeyHandle,
        usage: KeyUsage,
        function: &'static str,
    ) -> Result<&HsmKey, SecurityError> {
        let named = self.0.get(usize::from(handle.number()));
        let named = named.ok_or(SecurityError::UnknownKey(handle))?;
        if named.usage != usage {
            return Err(SecurityError::UsageRefused { key: handle, function });
        }
        Ok(&named.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_by_its_name_and_given_for_its_use_alone() {
        let name = |name: &str| KeyName::new(name).expect("a name");
        let key = HsmKey::parse(&format!("U{}", "0".repeat(32))).expect("a key");
        let named = |text: &str, usage| NamedHsmKey { name: name(text), usage, key: key.clone() };
        let (cvk, zpk) = (named("cvk", KeyUsage::C0), named("zpk", KeyUsage::P0));
        let keys = HsmKeys::new(vec![cvk.clone(), zpk]).expect("two keys");
        let handle = keys.find(&name("zpk"), KeyUsage::P0).expect("found");
        assert_eq!(handle.number(), 1);
        assert_eq!(keys.find(&name("zpk"), KeyUsage::C0), None);
        assert!(keys.get(handle, KeyUsage::P0, "pin").is_ok());
        let refused = SecurityError::UsageRefused { key: handle, function: "cvv" };
        assert_eq!(keys.get(handle, KeyUsage::C0, "cvv").err(), Some(refused));
        let unknown = KeyHandle::new(2);
        let error = keys.get(unknown, KeyUsage::C0, "cvv").err();
        assert_eq!(error, Some(SecurityError::UnknownKey(unknown)));
        let twice = HsmKeys::new(vec![cvk.clone(), cvk]).err();
        assert_eq!(twice, Some(HsmKeysError::Twice(name("cvk"))));
    }
}
