//! What is refused of a key that came in whole: use, exportability, strength (K-03). It owns these
//! judgements alone; whether the block is the peer's was settled before.

use super::{KeyBlockError, KeyBlockHeader};
use crate::key::strength::{has_odd_parity, strength};
use crate::key::{Exportability, Key, KeyCipher, KeyMode, KeyUsage, SecretBytes};

/// What a key must be to be taken in.
#[derive(Clone, Copy, Debug)]
pub struct ImportPolicy {
    /// What it must be for.
    pub usage: KeyUsage,
    /// Which way round it must be used; `None` for any that goes with the usage.
    pub mode: Option<KeyMode>,
    /// The loosest exportability that is taken.
    pub loosest: Exportability,
    /// Every byte of a DES key must have odd parity.
    pub odd_parity: bool,
    /// Blocks of versions A and C are taken too.
    pub legacy: bool,
    /// The key may be stronger than the one that protects it.
    pub weaker_protection: bool,
}

impl ImportPolicy {
    /// The strict one for a key that is to be used so, of any exportability.
    #[must_use]
    pub const fn strict(usage: KeyUsage) -> Self {
        Self {
            usage,
            mode: None,
            loosest: Exportability::Exportable,
            odd_parity: true,
            legacy: false,
            weaker_protection: false,
        }
    }

    /// The key, if it passes.
    pub(super) fn judge(
        &self,
        protection: &Key,
        header: &KeyBlockHeader,
        bytes: &SecretBytes,
    ) -> Result<Key, KeyBlockError> {
        let KeyBlockHeader { usage, cipher, mode, exportability, .. } = *header;
        if usage != self.usage {
            return Err(KeyBlockError::Usage { found: usage, wanted: self.usage });
        }
        if let Some(wanted) = self.mode.filter(|wanted| *wanted != mode) {
            return Err(KeyBlockError::Mode { found: mode, wanted });
        }
        if exportability > self.loosest {
            let loosest = self.loosest;
            return Err(KeyBlockError::Exportability { found: exportability, loosest });
        }
        self.judge_bytes(protection, cipher, bytes.as_slice())?;
        let key = Key::with_mode(usage, mode, cipher, bytes.as_slice())?;
        Ok(key.with_exportability(exportability))
    }

    /// What does not depend on the form that the key came in.
    pub(super) fn judge_bytes(
        &self,
        protection: &Key,
        cipher: KeyCipher,
        bytes: &[u8],
    ) -> Result<(), KeyBlockError> {
        let carried = strength(cipher, bytes.len());
        if carried > protection.strength() && !self.weaker_protection {
            let protection = protection.strength();
            return Err(KeyBlockError::WeakerProtection { carried, protection });
        }
        if self.odd_parity && cipher != KeyCipher::Aes && !has_odd_parity(bytes) {
            return Err(KeyBlockError::Parity);
        }
        Ok(())
    }
}

/// Refuses to put a key under one that is weaker.
pub(super) fn refuse_weaker(protection: &Key, key: &Key) -> Result<(), KeyBlockError> {
    let (carried, protection) = (key.strength(), protection.strength());
    if carried > protection {
        return Err(KeyBlockError::WeakerProtection { carried, protection });
    }
    Ok(())
}
