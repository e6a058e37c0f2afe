//! A0, A6, A8 and BU of a simulated unit, with key blocks alone.

use switch_security::{ImportPolicy, Key, KeyCipher, KeyUsage, export_block, unwrap_key_block};

use super::fields::{Code, Fields, INVALID, KEY_PARITY, KEY_SCHEME};
use super::keys::Keys;

/// Of key types: the key block says it itself.
const IN_BLOCK: &[u8] = b"FFF";

/// `A0`.
pub(super) fn generate(keys: &Keys, mut fields: Fields<'_>) -> Result<Vec<u8>, Code> {
    fields.is(b"0")?; // under the local master key alone
    fields.is(IN_BLOCK)?;
    fields.is(b"S#")?;
    let usage = usage(&mut fields)?;
    let (cipher, length) = match fields.bytes(2)? {
        b"T2" => (KeyCipher::Tdes, 16),
        b"T3" => (KeyCipher::Tdes, 24),
        b"A1" => (KeyCipher::Aes, 16),
        b"A2" => (KeyCipher::Aes, 24),
        b"A3" => (KeyCipher::Aes, 32),
        _ => return Err(INVALID),
    };
    // Mode, version, exportability, optional blocks: what the software module takes is usual.
    fields.bytes(6)?;
    fields.end()?;
    let key = Key::generate(usage, cipher, length).map_err(|_| INVALID)?.map_err(|_| INVALID)?;
    answer(&key, &keys.wrap(&key).map_err(|_| INVALID)?)
}

fn usage(fields: &mut Fields<'_>) -> Result<KeyUsage, Code> {
    let code = std::str::from_utf8(fields.bytes(2)?).map_err(|_| INVALID)?;
    KeyUsage::from_code(code).ok_or(INVALID)
}

fn usage_of(block: &str) -> Result<KeyUsage, Code> {
    let code = block.get(6..8).ok_or(INVALID)?;
    KeyUsage::from_code(code).ok_or(INVALID)
}

fn answer(key: &Key, text: &str) -> Result<Vec<u8>, Code> {
    Ok([text, &key.check_value().to_string()].concat().into_bytes())
}

/// `A6`.
pub(super) fn import(keys: &Keys, mut fields: Fields<'_>) -> Result<Vec<u8>, Code> {
    fields.is(IN_BLOCK)?;
    let zone_key = keys.unwrap(fields.key()?, KeyUsage::K1)?;
    let block = fields.key()?;
    fields.is(b"S")?;
    fields.rest(); // what the header is to say, which it says already
    let usage = usage_of(block)?;
    let block = block.strip_prefix('R').ok_or(KEY_SCHEME)?;
    let opened = unwrap_key_block(&zone_key, block, &ImportPolicy::strict(usage));
    let (key, _) = opened.map_err(|_| KEY_PARITY)?;
    answer(&key, &keys.wrap(&key).map_err(|_| INVALID)?)
}

/// `A8`.
pub(super) fn export(keys: &Keys, mut fields: Fields<'_>) -> Result<Vec<u8>, Code> {
    fields.is(IN_BLOCK)?;
    let zone_key = keys.unwrap(fields.key()?, KeyUsage::K1)?;
    let block = fields.key()?;
    fields.is(b"R")?;
    fields.end()?;
    let key = keys.unwrap(block, usage_of(block)?)?;
    let exported = export_block(&zone_key, &key).map_err(|_| INVALID)?;
    answer(&key, &format!("R{exported}"))
}

/// `BU`.
pub(super) fn check_value(keys: &Keys, mut fields: Fields<'_>) -> Result<Vec<u8>, Code> {
    fields.is(b"FFF")?; // the type behind the key, and a key block
    let block = fields.key()?;
    fields.is(b";FFF;001")?;
    fields.end()?;
    let key = keys.unwrap(block, usage_of(block)?)?;
    Ok(key.check_value().to_string().into_bytes())
}
