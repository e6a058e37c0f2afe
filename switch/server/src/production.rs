//! What a system between real cards and real money must not start with: `mode = "production"`. It
//! owns the list of refusals that only the keys themselves can tell, and that nobody can read the
//! memory of the process afterwards; what the configuration alone tells is refused with it.

use anyhow::bail;
use rustix::process::{Resource, Rlimit, setrlimit};
use switch_security::{Key, KeyCipher, KeyRing, KeyUsage, LocalMasterKeys, PanKeys};

use crate::config::{Config, Mode};

/// Usages whose keys decrypt or verify PINs.
const PIN_USAGES: [KeyUsage; 4] = [KeyUsage::P0, KeyUsage::V1, KeyUsage::V2, KeyUsage::B0];

/// Refuses the keys of examples for card numbers.
pub(crate) fn check_pan_keys(config: &Config, keys: &PanKeys) -> anyhow::Result<()> {
    if config.mode == Mode::Production && keys.are_well_known() {
        let path = config.security.pan_key_file.display();
        bail!("production: not started: {path}: the keys of card numbers are those of examples");
    }
    Ok(())
}

/// Why a production system must not have this key, whatever it is for.
pub(crate) fn fault_of(mode: Mode, key: &Key) -> Option<&'static str> {
    match mode {
        Mode::Production if key.is_well_known() => Some("is one of examples"),
        Mode::Production if key.cipher() == KeyCipher::Des => Some("is one DES key"),
        Mode::Development | Mode::Production => None,
    }
}

/// Says that keys of card numbers lie in clear, and refuses to start with them in production.
pub(crate) fn refuse_clear_pan_keys(config: &Config) -> anyhow::Result<()> {
    let path = config.security.pan_key_file.display();
    if config.mode == Mode::Production {
        bail!(
            "production: not started: {path}: keys of card numbers lie in clear there, or in the \
             file .clear beside it: put them under the local master key with `cardswitch keys \
             migrate`"
        );
    }
    tracing::warn!(%path, "keys of card numbers lie in clear: run `cardswitch keys migrate`");
    Ok(())
}

/// Refuses keys that a production system must not have; all are named at once.
pub(crate) fn check_keys(
    config: &Config,
    master: &LocalMasterKeys,
    ring: &KeyRing,
) -> anyhow::Result<()> {
    if config.mode == Mode::Development {
        return Ok(());
    }
    let mut faults = Vec::new();
    for key in master.iter().filter(|key| key.is_well_known()) {
        faults.push(format!(
            "the local master key {} is one of examples: make another with `cardswitch keys \
             ceremony`, and move the keys to it with `cardswitch keys rewrap`",
            key.check_value()
        ));
    }
    let pins_allowed = config.security.allow_clear_pins_in_this_process;
    for (name, usage, versions) in ring.iter() {
        for (number, key) in versions.iter().filter_map(|one| Some((one.number(), one.key()?))) {
            if key.is_well_known() {
                faults.push(format!(
                    "key {name}, version {number}, is one of examples: replace it with `cardswitch \
                     keys import` or `rotate`, then `retire` it"
                ));
            }
            if key.cipher() == KeyCipher::Des {
                faults.push(format!(
                    "key {name}, version {number}, is one DES key, which is broken by search: \
                     agree on triple DES or AES with the peer"
                ));
            }
        }
        let live = versions.iter().any(|one| one.key().is_some());
        if live && PIN_USAGES.contains(&usage) && !pins_allowed {
            faults.push(format!(
                "key {name} is for PINs ({usage}), which PCI PIN wants decrypted in an approved \
                 device alone: use a hardware module, or set \
                 security.allow_clear_pins_in_this_process and answer for it"
            ));
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    bail!("production: not started:\n  {}", faults.join("\n  "))
}

/// Keeps the memory of this process to itself: no core file when it dies, and no other process of
/// the same user looks inside. Its children have no core files either.
pub(crate) fn keep_memory_private() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none).and_then(|()| hide()) {
        tracing::warn!(%error, "a core file of this process may hold keys: turn them off outside");
    }
}

#[cfg(target_os = "linux")]
fn hide() -> rustix::io::Result<()> {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

#[cfg(not(target_os = "linux"))]
const fn hide() -> rustix::io::Result<()> {
    Ok(())
}
