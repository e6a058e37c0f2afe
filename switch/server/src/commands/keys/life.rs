//! The life of keys: `cardswitch keys rotate`, `activate`, `retire`, and their moves: `rewrap` to
//! another local master key, `migrate` from a file in clear. It owns the order of the steps, so
//! that each may be killed at any point and run again.

use admin_api::corporations::DocumentKeyFile;
use admin_api::jwe::{KeyRules, PlatformKeyFile, RsaBits};
use admin_api::operators::OperatorKeyFile;
use admin_api::webhooks::WebhookKeyFile;
use anyhow::{Context, bail};
use switch_domain::Timestamp;
use switch_security::{
    AuthorityKey, Key, KeyName, KeyRing, KeyRingError, KeyState, KeyVersion, MacKeys, NamedKey,
    PanKeyForm, PanKeyStore,
};

use super::movement;
use crate::clock::now;
use crate::config::Config;
use crate::keys::{key_store, make_private_directory, master_keys};
use crate::pan_keys::pan_key_store;

const MICROS_PER_HOUR: i64 = 3_600_000_000;

pub(super) fn rotate(config: &Config, name: &KeyName) -> anyhow::Result<()> {
    let said = key_store(config)?.change(now(), |ring| {
        let active = find(ring, name, |version| version.state() == KeyState::Active);
        let active = active.with_context(|| format!("no version of a key {name} is active"))?;
        let active = active.key().with_context(|| format!("key {name} is destroyed"))?;
        let key = Key::generate(active.usage(), active.cipher(), active.length())??;
        let key = key.with_other_mode(active.mode())?.with_exportability(active.exportability());
        let check_value = key.check_value();
        let (number, state) = movement::put(ring, NamedKey { name: name.clone(), key }, true)?;
        tracing::info!(target: "audit", act = "rotate_key", %name, number, %check_value);
        anyhow::Ok(format!("{name} {number}: {state}, check value {check_value}"))
    })?;
    println!("{said}");
    Ok(())
}

pub(super) fn activate(
    config: &Config,
    name: &KeyName,
    version: Option<u32>,
    overlap: i64,
) -> anyhow::Result<()> {
    let until = Timestamp(now().0.saturating_add(overlap.saturating_mul(MICROS_PER_HOUR)));
    let number = key_store(config)?.change(now(), |ring| {
        let pending = |one: &KeyVersion| one.state() == KeyState::Pending;
        let newest = || find(ring, name, pending).map(KeyVersion::number);
        let number = version.or_else(newest);
        let number = number.with_context(|| format!("no version of a key {name} is pending"))?;
        ring.activate(name, number, until)?;
        anyhow::Ok(number)
    })?;
    tracing::info!(target: "audit", act = "activate_key", %name, number, overlap);
    println!("{name} {number}: active. The one before is taken for {overlap} hours more");
    println!("A running switch takes it over at its next start");
    Ok(())
}

pub(super) fn retire(config: &Config, name: &KeyName, number: u32) -> anyhow::Result<()> {
    key_store(config)?.change(now(), |ring| anyhow::Ok(ring.destroy(name, number)?))?;
    tracing::info!(target: "audit", act = "destroy_key", %name, number);
    println!("{name} {number}: destroyed. It may still stand in backups of the key file");
    Ok(())
}

pub(super) fn rotate_api(config: &Config, overlap: i64) -> anyhow::Result<()> {
    let masters = master_keys(config)?.context("there is no local master key")?;
    let path = &config.api.encryption.key_file;
    let file = PlatformKeyFile::new(path.clone(), KeyRules::default());
    let now = now();
    let end = Timestamp(now.0.saturating_add(overlap.saturating_mul(MICROS_PER_HOUR)));
    let keys = file.rotate(&masters, RsaBits::Bits3072, (now, end));
    let keys = keys.with_context(|| path.display().to_string())?;
    let kid = keys.active().kid().as_str();
    tracing::info!(target: "audit", act = "rotate_api_key", kid, overlap);
    println!(
        "{kid}: active. The one before opens what was encrypted to it for {overlap} hours more"
    );
    println!("A running switch takes it over in {} seconds", config.api.limits.reload_s);
    Ok(())
}

pub(super) fn rewrap(config: &Config) -> anyhow::Result<()> {
    let store = key_store(config)?;
    let check_value = store.master().current().check_value();
    let already = store.is_current()?;
    let keys = store.change(now(), |ring| anyhow::Ok(live(ring)))?;
    let authority = &config.api.certificates.key_file;
    let encryption = &config.api.encryption.key_file;
    let of_bodies = PlatformKeyFile::new(encryption.clone(), KeyRules::default());
    let operators = &config.api.operators.key_file;
    let of_operators = OperatorKeyFile::new(operators.clone());
    let webhooks = &config.api.webhooks.key_file;
    let of_webhooks = WebhookKeyFile::new(webhooks.clone());
    let documents = &config.api.corporations.key_file;
    let of_documents = DocumentKeyFile::new(documents.clone());
    for (path, moved) in [
        (authority, AuthorityKey::rewrap(authority, store.master())?),
        (encryption, of_bodies.rewrap(store.master())?),
        (operators, of_operators.rewrap(store.master())?),
        (webhooks, of_webhooks.rewrap(store.master())?),
        (documents, of_documents.rewrap(store.master())?),
    ] {
        if moved {
            println!("{}: moved", path.display());
        }
    }
    tracing::info!(target: "audit", act = "rewrap_keys", keys, already, %check_value);
    let was = if already { " They were before" } else { "" };
    println!("{keys} key(s) are under local master key {check_value}.{was}");
    if PanKeyStore::form(&config.security.pan_key_file)? == PanKeyForm::Blocks {
        let (keys, already) = pan_key_store(config)?.rewrap()?;
        tracing::info!(target: "audit", act = "rewrap_pan_keys", keys, already, %check_value);
        let was = if already { ", as before" } else { "" };
        println!("{keys} key(s) of card numbers are under it{was}");
    }
    println!("Take security.previous_lmk_components out of the configuration when all files are");
    Ok(())
}

pub(super) fn migrate(config: &Config) -> anyhow::Result<()> {
    let (mac, pan) = (&config.security.mac_key_file, &config.security.pan_key_file);
    let pan_too = PanKeyStore::form(pan)? == PanKeyForm::Clear || PanKeyStore::left_in_clear(pan);
    if !pan_too && !mac.exists() {
        bail!("{}, {}: no keys in clear, and so nothing to move", mac.display(), pan.display());
    }
    if pan_too && let Some(active) = pan_key_store(config)?.migrate()? {
        tracing::info!(target: "audit", act = "migrate_pan_keys", %active);
        println!("{}: keys of card numbers moved under the local master key", pan.display());
        println!("What was in clear is destroyed; destroy its backups. Start the switch again");
    }
    if mac.exists() { migrate_mac(config) } else { Ok(()) }
}

fn migrate_mac(config: &Config) -> anyhow::Result<()> {
    let (old, new) = (&config.security.mac_key_file, &config.security.key_file);
    if let Some(directory) = new.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_private_directory(directory)?;
    }
    let keys = MacKeys::load(old)?;
    // First they are all in the new file, and on disk; a run that was killed after that finds them.
    let moved = key_store(config)?.change(now(), |ring| {
        let mut moved = Vec::new();
        for named in keys {
            let (name, check_value) = (named.name.clone(), named.key.check_value());
            match movement::put(ring, named, false) {
                Ok((_, "active")) => moved.push((name, check_value)),
                Ok(_) => bail!("there is another key {name} in {} already", new.display()),
                Err(error) => match error.downcast_ref() {
                    Some(KeyRingError::SameKey { .. }) => moved.push((name, check_value)),
                    _ => return Err(error),
                },
            }
        }
        Ok(moved)
    })?;
    MacKeys::destroy_file(old)?;
    for (name, check_value) in &moved {
        tracing::info!(target: "audit", act = "migrate_key", %name, %check_value);
        println!("{name}: moved, check value {check_value}");
    }
    println!("{}: destroyed; destroy its backups", old.display());
    Ok(())
}

/// The newest version that is so.
fn find<'a>(
    ring: &'a KeyRing,
    name: &KeyName,
    is: impl Fn(&KeyVersion) -> bool,
) -> Option<&'a KeyVersion> {
    let (_, _, versions) = ring.iter().find(|(other, _, _)| *other == name)?;
    versions.iter().rev().find(|version| is(version))
}

fn live(ring: &KeyRing) -> usize {
    let versions = ring.iter().flat_map(|(_, _, versions)| versions);
    versions.filter(|version| version.key().is_some()).count()
}
