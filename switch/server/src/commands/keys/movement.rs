//! Keys that come to be and go out: `cardswitch keys generate`, `import` and `export`. It owns
//! which form is read and printed; what is refused of a key is the security package's affair.

use anyhow::{Context, bail};
use switch_domain::Timestamp;
use switch_security::{
    Function, ImportPolicy, Key, KeyCheckValue, KeyCipher, KeyCryptogram, KeyName, KeyRing,
    KeyState, NamedKey, combine, export_block, export_cryptogram, import_cryptogram,
    unwrap_key_block,
};

use super::said::cipher_words;
use super::{Form, What, input};
use crate::clock::now;
use crate::config::Config;
use crate::keys::{key_store, make_private_directory};

pub(super) fn generate(config: &Config, what: &What, bytes: Option<usize>) -> anyhow::Result<()> {
    let cipher = KeyCipher::from(what.cipher);
    let usual = if cipher == KeyCipher::Aes { 32 } else { 16 };
    let length = bytes.unwrap_or(usual);
    admit(config, what, "generate_key", |_| {
        let key = Key::generate(what.usage.0, cipher, length)??;
        Ok(key.with_exportability(what.exportable.0))
    })
}

pub(super) fn import(config: &Config, what: &What, form: &Form) -> anyhow::Result<()> {
    let text = input()?;
    admit(config, what, "import_key", |ring| {
        let usage = what.usage.0;
        let Some(under) = &form.under else {
            let key = combine(usage, what.cipher.into(), &text)?;
            return Ok(key.with_exportability(what.exportable.0));
        };
        let policy = ImportPolicy {
            usage,
            mode: what.mode.map(|mode| mode.0),
            loosest: what.exportable.0,
            odd_parity: !form.any_parity,
            legacy: form.legacy,
            weaker_protection: form.weaker,
        };
        if form.cryptogram {
            let protection = active(ring, &under.0, Function::DecryptKey)?;
            Ok(import_cryptogram(protection, &cryptogram(&text)?, &policy)?)
        } else {
            let protection = active(ring, &under.0, Function::UnwrapKeyBlock)?;
            Ok(unwrap_key_block(protection, text.trim(), &policy)?.0)
        }
    })
}

pub(super) fn export(
    config: &Config,
    (name, version): (&KeyName, Option<u32>),
    under: &KeyName,
    as_cryptogram: bool,
) -> anyhow::Result<()> {
    let ring = key_store(config)?.load()?;
    let found = ring.iter().find(|(other, _, _)| *other == name);
    let (_, _, versions) = found.with_context(|| format!("there is no key {name}"))?;
    let wanted = |number: u32, state| match version {
        Some(version) => number == version,
        None => state == KeyState::Active,
    };
    let found = versions.iter().find(|one| wanted(one.number(), one.state()));
    let found = found.with_context(|| match version {
        Some(version) => format!("key {name} has no version {version}"),
        None => format!("no version of key {name} is active: say which with --version"),
    })?;
    let key = found.key().with_context(|| format!("that version of {name} is destroyed"))?;
    let check_value = key.check_value();
    let text = if as_cryptogram {
        let protection = active(&ring, under, Function::EncryptKey)?;
        let KeyCryptogram { bytes, check_value } = export_cryptogram(protection, key)?;
        format!("{} {check_value}", hex::encode_upper(bytes))
    } else {
        export_block(active(&ring, under, Function::WrapKeyBlock)?, key)?
    };
    let number = found.number();
    tracing::info!(target: "audit", act = "export_key", %name, number, %under, %check_value);
    println!("{text}");
    Ok(())
}

/// Makes a key and puts it into the key file.
fn admit(
    config: &Config,
    what: &What,
    act: &str,
    make: impl FnOnce(&KeyRing) -> anyhow::Result<Key>,
) -> anyhow::Result<()> {
    let path = &config.security.key_file;
    if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_private_directory(directory)?;
    }
    let name = what.name.0.clone();
    let said = key_store(config)?.change(now(), |ring| {
        let key = make(ring)?;
        let key = match what.mode {
            Some(mode) if mode.0 != key.mode() => key.with_other_mode(mode.0)?,
            _ => key,
        };
        let (usage, cipher, check_value) = (key.usage(), key.cipher(), key.check_value());
        let (number, state) = put(ring, NamedKey { name: name.clone(), key }, what.pending)?;
        tracing::info!(target: "audit", act, %name, number, %usage, %check_value);
        let (words, cipher) = (usage.words(), cipher_words(cipher));
        anyhow::Ok(format!(
            "{name} {number}: {state}, {usage} {words}, {cipher}, check value {check_value}"
        ))
    })?;
    println!("{said}");
    Ok(())
}

/// The number of a new version, and where it stands: the first of a name is active at once.
pub(super) fn put(
    ring: &mut KeyRing,
    named: NamedKey,
    pending: bool,
) -> anyhow::Result<(u32, &'static str)> {
    let name = named.name.clone();
    let number = ring.add(named, now())?;
    if number == 1 && !pending {
        ring.activate(&name, number, Timestamp(0))?;
        return Ok((number, KeyState::Active.name()));
    }
    Ok((number, KeyState::Pending.name()))
}

fn active<'a>(ring: &'a KeyRing, name: &KeyName, function: Function) -> anyhow::Result<&'a Key> {
    let handle = ring.find(name, function.usage())?;
    Ok(ring.active(handle, function)?)
}

/// `digits check-value`.
fn cryptogram(text: &str) -> anyhow::Result<KeyCryptogram> {
    let mut words = text.split_whitespace();
    let (digits, check, rest) = (words.next(), words.next(), words.next());
    let expected = "expected the cryptogram in hexadecimal digits and its check value behind it";
    let (Some(digits), Some(check), None) = (digits, check, rest) else { bail!(expected) };
    let bytes = hex::decode(digits).ok().context(expected)?;
    let check_value = KeyCheckValue::parse(check).context(expected)?;
    Ok(KeyCryptogram { bytes, check_value })
}
