//! The keys of a module: named, each with its versions, one of them active. It owns that a key is
//! given to an algorithm only for what it is for and while it is taken, and that versions follow
//! one another without a gap; where keys are kept is the key file's affair.

use std::sync::Arc;

use switch_domain::Timestamp;

use super::{
    Function, Key, KeyError, KeyHandle, KeyName, KeyRingError, KeyState, KeyUsage, KeyVersion,
};

/// Most keys: links, partners and programmes are counted by the dozen.
pub(super) const MAX_KEYS: usize = 1024;
/// Most versions of a key that are not destroyed.
pub(super) const MAX_LIVE: usize = 16;
/// Destroyed versions that are remembered, so that lists show what was there.
const MAX_GONE: usize = 8;

/// A key and what it is called.
pub struct NamedKey {
    /// What it is called.
    pub name: KeyName,
    /// The key.
    pub key: Key,
}

#[derive(Clone)]
struct Named {
    name: KeyName,
    usage: KeyUsage,
    versions: Vec<KeyVersion>,
}

impl Named {
    fn active(&self) -> Result<&KeyVersion, KeyError> {
        let active = self.versions.iter().find(|version| version.state == KeyState::Active);
        active.ok_or_else(|| KeyError::NotActive(self.name.clone()))
    }

    /// The key of a version, if it may be asked for this.
    fn permitted<'a>(
        &'a self,
        version: &'a KeyVersion,
        function: Function,
    ) -> Result<&'a Key, KeyError> {
        let name = || self.name.clone();
        let key = version.key.as_deref().ok_or_else(|| KeyError::NotActive(name()))?;
        let (usage, mode) = (key.usage(), key.mode());
        if function.permits(usage, mode) {
            Ok(key)
        } else {
            Err(KeyError::Refused { name: name(), usage, mode, function })
        }
    }
}

/// The keys of a module by handle. A copy shares the keys, which are wiped with the last one.
#[derive(Clone, Default)]
pub struct KeyRing(Vec<Named>);

impl KeyRing {
    /// The handle of a key of this name. Asked for once, when what uses it starts.
    ///
    /// # Errors
    /// There is no such key, or it is for something else.
    pub fn find(&self, name: &KeyName, wanted: KeyUsage) -> Result<KeyHandle, KeyError> {
        let unknown = || KeyError::Unknown(name.clone());
        let index = self.0.iter().position(|named| named.name == *name).ok_or_else(unknown)?;
        let is_for = self.0.get(index).ok_or_else(unknown)?.usage;
        if is_for != wanted {
            return Err(KeyError::OtherUsage { name: name.clone(), is_for, wanted });
        }
        u16::try_from(index).map(KeyHandle::new).map_err(|_| KeyError::UnknownHandle)
    }

    /// The same by the text of a name, for what asks with every message: nothing is allocated.
    #[must_use]
    pub fn find_named(&self, name: &str, wanted: KeyUsage) -> Option<KeyHandle> {
        let is = |named: &Named| named.name.as_str() == name && named.usage == wanted;
        let index = self.0.iter().position(is)?;
        u16::try_from(index).ok().map(KeyHandle::new)
    }

    /// The active version of a key, to do this with it.
    ///
    /// # Errors
    /// None is active, or it is not for that.
    pub fn active(&self, handle: KeyHandle, function: Function) -> Result<&Key, KeyError> {
        let named = self.named(handle)?;
        named.permitted(named.active()?, function)
    }

    /// The versions that may do this: the active one, and behind it, for what looks back, those
    /// that are old and still taken, or pending: their other holder may have changed before us. The
    /// clock is asked only where somebody goes on to them.
    ///
    /// # Errors
    /// None is active, or it is not for that.
    pub fn accepted(
        &self,
        handle: KeyHandle,
        function: Function,
        now: impl FnOnce() -> Timestamp,
    ) -> Result<impl Iterator<Item = (u32, &Key)>, KeyError> {
        let named = self.named(handle)?;
        let active = named.active()?;
        let first = (active.number, named.permitted(active, function)?);
        let old = move || {
            let is_old = |version: &&KeyVersion| {
                matches!(version.state, KeyState::Old { .. } | KeyState::Pending)
            };
            let any = function.looks_back() && named.versions.iter().any(|old| is_old(&old));
            let now = any.then(now);
            named.versions.iter().rev().filter_map(move |version| {
                let taken = match version.state {
                    KeyState::Pending => now.is_some(),
                    KeyState::Old { until } => now? < until,
                    KeyState::Active | KeyState::Destroyed => false,
                };
                let key = named.permitted(version, function).ok()?;
                taken.then_some((version.number, key))
            })
        };
        Ok(std::iter::once(first).chain(std::iter::once_with(old).flatten()))
    }

    /// What a key is called.
    ///
    /// # Errors
    /// The handle is of another module.
    pub fn name(&self, handle: KeyHandle) -> Result<&KeyName, KeyError> {
        Ok(&self.named(handle)?.name)
    }

    /// Where a version stands.
    ///
    /// # Errors
    /// The handle is of another module, or there is no such version.
    pub fn state(&self, handle: KeyHandle, number: u32) -> Result<KeyState, KeyError> {
        let found = self.named(handle)?.versions.iter().find(|one| one.number == number);
        found.map(|one| one.state).ok_or(KeyError::UnknownHandle)
    }

    /// What there is: names, usages, versions.
    pub fn iter(&self) -> impl Iterator<Item = (&KeyName, KeyUsage, &[KeyVersion])> {
        self.0.iter().map(|named| (&named.name, named.usage, named.versions.as_slice()))
    }

    /// Takes in a key as the next version of its name, pending. The number of the version.
    ///
    /// # Errors
    /// No room; the name is of another usage; it is one of the versions.
    pub fn add(&mut self, named: NamedKey, now: Timestamp) -> Result<u32, KeyRingError> {
        let NamedKey { name, key } = named;
        let index = self.place(&name, key.usage())?;
        let slot = self.0.get_mut(index).ok_or(KeyRingError::Full)?;
        if slot.versions.iter().filter(|version| version.is_live()).count() >= MAX_LIVE {
            return Err(KeyRingError::TooManyVersions(name));
        }
        let same = slot.versions.iter().find(|version| is_same(version, &key));
        if let Some(KeyVersion { number, check_value, .. }) = same {
            let (number, check_value) = (*number, *check_value);
            return Err(KeyRingError::SameKey { name, number, check_value });
        }
        let number = slot.versions.last().map_or(0, KeyVersion::number).saturating_add(1);
        slot.versions.push(KeyVersion {
            number,
            state: KeyState::Pending,
            created: now,
            cipher: key.cipher(),
            mode: key.mode(),
            check_value: key.check_value(),
            key: Some(Arc::new(key)),
        });
        forget_gone(&mut slot.versions);
        Ok(number)
    }

    /// Takes in a version as it was written down, behind those of its name before it.
    ///
    /// # Errors
    /// No room; the name is of another usage; its number does not follow; a second one is active.
    pub(crate) fn restore(
        &mut self,
        name: KeyName,
        usage: KeyUsage,
        version: KeyVersion,
    ) -> Result<(), KeyRingError> {
        let index = self.place(&name, usage)?;
        let slot = self.0.get_mut(index).ok_or(KeyRingError::Full)?;
        let number = version.number;
        let follows = slot.versions.last().map_or(0, KeyVersion::number) < number;
        let active = |one: &KeyVersion| one.state == KeyState::Active;
        if !follows || (active(&version) && slot.versions.iter().any(active)) {
            return Err(KeyRingError::Order { name, number });
        }
        if slot.versions.len() >= MAX_LIVE.saturating_add(MAX_GONE) {
            return Err(KeyRingError::TooManyVersions(name));
        }
        slot.versions.push(version);
        Ok(())
    }

    /// Where the versions of this name are, or are to be.
    fn place(&mut self, name: &KeyName, given: KeyUsage) -> Result<usize, KeyRingError> {
        let index = match self.0.iter().position(|other| other.name == *name) {
            Some(index) => index,
            None if self.0.len() >= MAX_KEYS => return Err(KeyRingError::Full),
            None => {
                self.0.push(Named { name: name.clone(), usage: given, versions: Vec::new() });
                return Ok(self.0.len().saturating_sub(1));
            }
        };
        match self.0.get(index).map(|named| named.usage) {
            Some(is_for) if is_for != given => {
                Err(KeyRingError::OtherUsage { name: name.clone(), is_for, given })
            }
            _ => Ok(index),
        }
    }

    /// Makes a pending version the active one. The one before is taken until `old_until`.
    ///
    /// # Errors
    /// There is no such version, or it is not pending.
    pub fn activate(
        &mut self,
        name: &KeyName,
        number: u32,
        old_until: Timestamp,
    ) -> Result<(), KeyRingError> {
        self.version(name, number, |state| state == KeyState::Pending, "pending")?;
        let named = self.0.iter_mut().find(|named| named.name == *name);
        for version in named.into_iter().flat_map(|named| named.versions.iter_mut()) {
            if version.state == KeyState::Active {
                version.state = KeyState::Old { until: old_until };
            }
            if version.number == number {
                version.state = KeyState::Active;
            }
        }
        Ok(())
    }

    /// Destroys a version that is pending or old, now.
    ///
    /// # Errors
    /// There is no such version; it is the active one, or destroyed already.
    pub fn destroy(&mut self, name: &KeyName, number: u32) -> Result<(), KeyRingError> {
        let can = |state| matches!(state, KeyState::Pending | KeyState::Old { .. });
        self.version(name, number, can, "pending or old")?.destroy();
        let named = self.0.iter_mut().find(|named| named.name == *name);
        if let Some(named) = named {
            forget_gone(&mut named.versions);
        }
        Ok(())
    }

    /// Destroys the old versions whose time is over: which.
    pub fn destroy_overdue(&mut self, now: Timestamp) -> Vec<(KeyName, u32)> {
        let mut gone = Vec::new();
        for named in &mut self.0 {
            for version in &mut named.versions {
                if matches!(version.state, KeyState::Old { until } if until <= now) {
                    version.destroy();
                    gone.push((named.name.clone(), version.number));
                }
            }
            forget_gone(&mut named.versions);
        }
        gone
    }

    fn named(&self, handle: KeyHandle) -> Result<&Named, KeyError> {
        self.0.get(usize::from(handle.number())).ok_or(KeyError::UnknownHandle)
    }

    fn version(
        &mut self,
        name: &KeyName,
        number: u32,
        can: impl Fn(KeyState) -> bool,
        must: &'static str,
    ) -> Result<&mut KeyVersion, KeyRingError> {
        let named = self.0.iter_mut().find(|named| named.name == *name);
        let versions = named.into_iter().flat_map(|named| named.versions.iter_mut());
        let found = { versions }.find(|version| version.number == number);
        let name = name.clone();
        let Some(version) = found else {
            return Err(KeyRingError::NoSuchVersion { name, number });
        };
        if can(version.state) {
            Ok(version)
        } else {
            Err(KeyRingError::State { name, number, is: version.state.name(), must })
        }
    }
}

/// Whether a version is this key, bit for bit.
fn is_same(version: &KeyVersion, key: &Key) -> bool {
    use subtle::ConstantTimeEq;
    let other = version.key.as_deref();
    other.is_some_and(|other| bool::from(other.bytes().ct_eq(key.bytes())))
}

/// Lets go of the oldest destroyed versions beyond the limit.
fn forget_gone(versions: &mut Vec<KeyVersion>) {
    let gone = versions.iter().filter(|version| !version.is_live()).count();
    let mut surplus = gone.saturating_sub(MAX_GONE);
    versions.retain(|version| {
        let forget = surplus > 0 && !version.is_live();
        surplus = surplus.saturating_sub(usize::from(forget));
        !forget
    });
}
