//! One line of the key file: a version of a key in its block, or what is left of one that was
//! destroyed. It owns what stands in the optional blocks of the header: `LB` the name, `KP` the
//! check value of the local master key, `10` number, state, times and check value.

use std::sync::Arc;

use switch_domain::Timestamp;

use super::KeyStoreError;
use crate::key::{
    KeyCheckValue, KeyCipher, KeyMode, KeyName, KeyRing, KeyState, KeyUsage, KeyVersion,
};
use crate::key_block::{ImportPolicy, KeyBlockError, KeyBlockHeader, OptionalBlock, unwrap, wrap};
use crate::lmk::{LocalMasterKey, LocalMasterKeys};

const LABEL: &str = "LB";
const PROTECTION: &str = "KP";
const LIFE: &str = "10";
/// How the check value of the local master key is made: by CMAC.
const BY_CMAC: &str = "01";
const DESTROYED: &str = "destroyed";
const MICROS: i64 = 1_000_000;

/// What a line says of its key. None of it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// What it is called.
    pub name: KeyName,
    /// Which version.
    pub number: u32,
    /// Where it stands.
    pub state: KeyState,
    /// What it is for.
    pub usage: KeyUsage,
    /// Its cipher.
    pub cipher: KeyCipher,
    /// Which way round it is used.
    pub mode: KeyMode,
    /// What tells it from others.
    pub check_value: KeyCheckValue,
    /// When it was made or taken in.
    pub created: Timestamp,
    /// What tells the local master key that it is under; `None` where it is destroyed.
    pub master: Option<KeyCheckValue>,
}

/// The text of a version's line.
pub(super) fn to_text(
    master: &LocalMasterKey,
    name: &KeyName,
    usage: KeyUsage,
    version: &KeyVersion,
) -> Result<String, KeyBlockError> {
    let (number, check_value) = (version.number(), version.check_value());
    let (cipher, mode) = (version.cipher().letter(), version.mode());
    let seconds = |at: Timestamp| at.0.div_euclid(MICROS);
    let created = seconds(version.created());
    let Some(key) = version.key() else {
        let line =
            format!("{DESTROYED} {name} {number} {usage} {cipher} {mode} {check_value} {created}");
        return Ok(line);
    };
    let state = version.state();
    let until = if let KeyState::Old { until } = state { seconds(until) } else { 0 };
    let life = format!("{number} {} {created} {until} {check_value}", state.name());
    let block = |id: &str, data: String| OptionalBlock {
        id: id.as_bytes().first_chunk().copied().unwrap_or_default(),
        data,
    };
    let optional = vec![
        block(LABEL, name.to_string()),
        block(PROTECTION, format!("{BY_CMAC}{}", master.check_value())),
        block(LIFE, life),
    ];
    wrap(master.key(), key, optional)
}

/// What a line says, whoever wrote it.
pub(super) fn listed(line: usize, content: &str) -> Result<ListedKey, KeyStoreError> {
    if content.split(' ').next() == Some(DESTROYED) {
        let expected = "`destroyed name number usage cipher mode check-value time`";
        return destroyed(content).ok_or(KeyStoreError::Line { line, expected });
    }
    let parsed = KeyBlockHeader::parse(content);
    let (header, _) = parsed.map_err(|source| KeyStoreError::Block { line, source })?;
    let expected = "a key block with optional blocks LB, KP and 10, as `cardswitch keys` writes it";
    of_header(&header).ok_or(KeyStoreError::Line { line, expected })
}

/// Takes a line's key into the ring.
pub(super) fn take(
    ring: &mut KeyRing,
    masters: &LocalMasterKeys,
    line: usize,
    content: &str,
) -> Result<(), KeyStoreError> {
    let listed = listed(line, content)?;
    let key = match listed.master {
        None => None,
        Some(found) => {
            let master = masters.iter().find(|master| master.check_value() == found);
            let master = master.ok_or(KeyStoreError::OtherMasterKey { line, found })?;
            // What may be in here was judged when it was taken in.
            let policy = ImportPolicy { odd_parity: false, ..ImportPolicy::strict(listed.usage) };
            let opened = unwrap(master.key(), content, &policy);
            let (key, _) = opened.map_err(|source| KeyStoreError::Block { line, source })?;
            if key.check_value() != listed.check_value {
                let source = KeyBlockError::CheckValue;
                return Err(KeyStoreError::Block { line, source });
            }
            Some(Arc::new(key))
        }
    };
    let ListedKey { name, number, state, usage, cipher, mode, check_value, created, .. } = listed;
    let version = KeyVersion::restored(number, state, created, (cipher, mode), check_value, key);
    let taken = ring.restore(name, usage, version);
    taken.map_err(|source| KeyStoreError::Ring { line, source })
}

fn of_header(header: &KeyBlockHeader) -> Option<ListedKey> {
    let name = KeyName::new(header.optional(LABEL)?)?;
    let master = header.optional(PROTECTION)?.strip_prefix(BY_CMAC)?;
    let master = Some(KeyCheckValue::parse(master)?);
    let mut words = header.optional(LIFE)?.split(' ');
    let number = words.next()?.parse().ok()?;
    let state = words.next()?;
    let created = moment(words.next()?)?;
    let until = moment(words.next()?)?;
    let check_value = KeyCheckValue::parse(words.next()?)?;
    let state = [KeyState::Pending, KeyState::Active, KeyState::Old { until }]
        .into_iter()
        .find(|one| one.name() == state)?;
    let KeyBlockHeader { usage, cipher, mode, .. } = *header;
    let rest = words.next();
    let key = ListedKey { name, number, state, usage, cipher, mode, check_value, created, master };
    rest.is_none().then_some(key)
}

fn destroyed(content: &str) -> Option<ListedKey> {
    let mut words = content.split(' ').skip(1);
    let key = ListedKey {
        name: KeyName::new(words.next()?)?,
        number: words.next()?.parse().ok()?,
        state: KeyState::Destroyed,
        usage: KeyUsage::from_code(words.next()?)?,
        cipher: KeyCipher::from_letter(words.next()?)?,
        mode: KeyMode::from_letter(words.next()?)?,
        check_value: KeyCheckValue::parse(words.next()?)?,
        created: moment(words.next()?)?,
        master: None,
    };
    words.next().is_none().then_some(key)
}

fn moment(seconds: &str) -> Option<Timestamp> {
    let plain = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| seconds.parse().ok().map(Timestamp::from_unix_seconds)).flatten()
}
