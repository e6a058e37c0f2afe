//! Keys as bare cryptograms: encrypted block by block under a zone master key, with a check value
//! beside them. The form from before there were key blocks: nothing binds a key to what it is for,
//! so the one who takes it in says that. It owns the form and what is refused of it.

use super::{ImportPolicy, KeyBlockError, may, policy};
use crate::des_pair::BLOCK;
use crate::key::{
    CheckMethod, Exportability, Function, Key, KeyCheckValue, KeyCipher, MAX_KEY, SecretBytes,
};

/// A triple DES key under a zone master key. It says nothing to who has not got that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCryptogram {
    /// 16 or 24 bytes.
    pub bytes: Vec<u8>,
    /// Of the key inside.
    pub check_value: KeyCheckValue,
}

/// The key of a cryptogram, for the policy's use.
///
/// # Errors
/// The zone master key is not for that; the check value is another; or the policy refuses it.
pub fn import_cryptogram(
    zone: &Key,
    cryptogram: &KeyCryptogram,
    policy: &ImportPolicy,
) -> Result<Key, KeyBlockError> {
    may(zone, Function::DecryptKey)?;
    let tdes = zone.triple_des().ok_or(KeyBlockError::Content)?;
    let length = cryptogram.bytes.len();
    if length > MAX_KEY || length.checked_rem(BLOCK) != Some(0) {
        return Err(KeyBlockError::Content);
    }
    let mut key = SecretBytes::new(&cryptogram.bytes).ok_or(KeyBlockError::Content)?;
    for block in key.as_mut_slice().chunks_exact_mut(BLOCK) {
        if let Some(block) = block.first_chunk_mut::<BLOCK>() {
            *block = tdes.decrypt(*block);
        }
    }
    let bytes = key.as_slice();
    let found = KeyCheckValue::of(KeyCipher::Tdes, CheckMethod::Cmac, bytes);
    if found.ok_or(KeyBlockError::Content)? != cryptogram.check_value {
        return Err(KeyBlockError::CheckValue);
    }
    policy.judge_bytes(zone, KeyCipher::Tdes, bytes)?;
    let mode = policy.mode.unwrap_or(policy.usage.usual_mode());
    let key = Key::with_mode(policy.usage, mode, KeyCipher::Tdes, bytes)?;
    // The form says nothing of it: whoever takes it in does.
    Ok(key.with_exportability(policy.loosest))
}

/// The cryptogram of a key, for a peer that has the same zone master key.
///
/// # Errors
/// The zone master key is not for that, or is weaker; the key may not leave in this form.
pub fn export_cryptogram(zone: &Key, key: &Key) -> Result<KeyCryptogram, KeyBlockError> {
    may(zone, Function::EncryptKey)?;
    if key.exportability() != Exportability::Exportable {
        return Err(KeyBlockError::NotExportable(key.exportability()));
    }
    policy::refuse_weaker(zone, key)?;
    let tdes = zone.triple_des().filter(|_| key.cipher() == KeyCipher::Tdes);
    let tdes = tdes.ok_or(KeyBlockError::Content)?;
    let mut bytes = Vec::with_capacity(key.length());
    for block in key.bytes().chunks_exact(BLOCK) {
        let block = block.first_chunk().copied().ok_or(KeyBlockError::Content)?;
        bytes.extend(tdes.encrypt(block));
    }
    Ok(KeyCryptogram { bytes, check_value: key.check_value() })
}
