//! One line of the file of card-number keys: a key in its block. It owns what stands in the
//! optional blocks of the header, under the same code as the key: `LB` what the key is for and its
//! id, `KP` the check value of the local master key, `10` the state and the time of its making.
//!
//! X9.143 has a code for HMAC keys (M7, algorithm H), and [`Key`] has no such keys. The key of the
//! index is written as one of CMAC (M6): nothing but this file reads it, by its label alone, and
//! its use keeps it apart from the keys that encrypt (D0).

use switch_domain::Timestamp;
use zeroize::Zeroizing;

use super::PanStoreError;
use crate::KeyId;
use crate::key::{Exportability, Key, KeyCheckValue, KeyCipher, KeyUsage};
use crate::key_block::{ImportPolicy, KeyBlockError, KeyBlockHeader, OptionalBlock, unwrap, wrap};
use crate::keys::{DataKey, KEY_BYTES};
use crate::lmk::{LocalMasterKey, LocalMasterKeys};

const LABEL: &str = "LB";
const PROTECTION: &str = "KP";
const LIFE: &str = "10";
/// How the check value of the local master key is made: by CMAC.
const BY_CMAC: &str = "01";
const INDEX: &str = "card-number-index";
const DATA: &str = "card-number-";
const ACTIVE: &str = "active";
const OLD: &str = "old";
const MICROS: i64 = 1_000_000;

/// What a line has.
pub(super) enum Line {
    Index(Zeroizing<[u8; KEY_BYTES]>),
    /// With whether it is the active one.
    Data(DataKey, bool),
}

/// The line of the index key.
pub(super) fn index(
    master: &LocalMasterKey,
    key: &[u8; KEY_BYTES],
) -> Result<String, KeyBlockError> {
    to_text(master, KeyUsage::M6, key, INDEX.to_owned(), format!("{ACTIVE} 0"))
}

/// The line of a key that encrypts.
pub(super) fn data(
    master: &LocalMasterKey,
    key: &DataKey,
    active: bool,
) -> Result<String, KeyBlockError> {
    let state = if active { ACTIVE } else { OLD };
    let life = format!("{state} {}", key.created.0.div_euclid(MICROS));
    to_text(master, KeyUsage::D0, &key.bytes, format!("{DATA}{}", key.id), life)
}

fn to_text(
    master: &LocalMasterKey,
    usage: KeyUsage,
    bytes: &[u8; KEY_BYTES],
    label: String,
    life: String,
) -> Result<String, KeyBlockError> {
    let key = Key::new(usage, KeyCipher::Aes, bytes)?.with_exportability(Exportability::Never);
    let block = |id: &str, data: String| OptionalBlock {
        id: id.as_bytes().first_chunk().copied().unwrap_or_default(),
        data,
    };
    let optional = vec![
        block(LABEL, label),
        block(PROTECTION, format!("{BY_CMAC}{}", master.check_value())),
        block(LIFE, life),
    ];
    wrap(master.key(), &key, optional)
}

/// The local master key that a line says it is under.
pub(super) fn under(number: usize, content: &str) -> Result<KeyCheckValue, PanStoreError> {
    let parsed = KeyBlockHeader::parse(content);
    let (header, _) = parsed.map_err(|source| PanStoreError::Block { line: number, source })?;
    let found = header.optional(PROTECTION).and_then(|text| text.strip_prefix(BY_CMAC));
    found.and_then(KeyCheckValue::parse).ok_or(PanStoreError::Line { line: number })
}

/// The key of a line.
pub(super) fn open(
    masters: &LocalMasterKeys,
    number: usize,
    content: &str,
) -> Result<Line, PanStoreError> {
    let found = under(number, content)?;
    let master = masters.iter().find(|master| master.check_value() == found);
    let master = master.ok_or(PanStoreError::OtherMasterKey { line: number, found })?;
    let header = KeyBlockHeader::parse(content).map(|(header, _)| header.usage);
    let is_index = header == Ok(KeyUsage::M6);
    let usage = if is_index { KeyUsage::M6 } else { KeyUsage::D0 };
    let opened = unwrap(master.key(), content, &ImportPolicy::strict(usage));
    let (key, header) = opened.map_err(|source| PanStoreError::Block { line: number, source })?;
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    let form = PanStoreError::Line { line: number };
    if key.bytes().len() != KEY_BYTES {
        return Err(form);
    }
    bytes.copy_from_slice(key.bytes());
    let label = header.optional(LABEL).unwrap_or_default();
    if is_index {
        return if label == INDEX { Ok(Line::Index(bytes)) } else { Err(form) };
    }
    let id: Option<KeyId> = label.strip_prefix(DATA).and_then(|id| id.parse().ok());
    let life = header.optional(LIFE).and_then(life);
    match (id, life) {
        (Some(id), Some((active, created))) => {
            Ok(Line::Data(DataKey { id, created, bytes }, active))
        }
        _ => Err(form),
    }
}

fn life(text: &str) -> Option<(bool, Timestamp)> {
    let (state, seconds) = text.split_once(' ')?;
    let created = Timestamp::from_unix_seconds(seconds.parse().ok()?);
    match state {
        ACTIVE => Some((true, created)),
        OLD => Some((false, created)),
        _ => None,
    }
}
