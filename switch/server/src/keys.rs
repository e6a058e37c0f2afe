//! The keys of the switch at its start. It owns that the local master key is put together from its
//! components, and that keys which may not be used here are refused before anything is served.
//! Those of card numbers are the affair of `pan_keys`.

use std::path::Path;

use admin_api::certificates::Authority;
use anyhow::{Context, bail};
use switch_security::{KeyRing, KeyStore, LocalMasterKey, LocalMasterKeys};

use crate::config::Config;
use crate::production;

/// The keys of the key file, if they may be used here, and the file; none where there is no file,
/// and then no local master key is needed.
pub(crate) fn key_ring(config: &Config) -> anyhow::Result<(KeyRing, Option<KeyStore>)> {
    let security = &config.security;
    if security.mac_key_file.exists() {
        bail!(
            "{}: keys are not kept in clear any more. Move them with `cardswitch keys migrate`",
            security.mac_key_file.display()
        );
    }
    if security.lmk_components.is_empty() && !security.key_file.exists() {
        return Ok((KeyRing::default(), None));
    }
    let store = key_store(config)?;
    let ring = store.load()?;
    production::check_keys(config, store.master(), &ring)?;
    for (name, usage, versions) in ring.iter() {
        for version in versions.iter().filter(|version| version.key().is_some()) {
            let (number, state) = (version.number(), version.state().name());
            let check_value = version.check_value();
            tracing::info!(%name, number, %usage, state, %check_value, "key");
        }
    }
    if !store.is_current()? {
        tracing::warn!(
            "keys lie under the previous local master key: run `cardswitch keys rewrap`"
        );
    }
    Ok((ring, Some(store)))
}

/// The key file and what opens it.
pub(crate) fn key_store(config: &Config) -> anyhow::Result<KeyStore> {
    let Some(master) = master_keys(config)? else {
        bail!(
            "security.lmk_components names no files, and keys lie under a local master key: make \
             its components with `cardswitch keys ceremony first.lmk second.lmk`, and name \
             them there"
        );
    };
    Ok(KeyStore::new(config.security.key_file.clone(), master))
}

/// The authority that signs client certificates, with what opens its key, if that is at hand.
pub(crate) fn authority(config: &Config) -> anyhow::Result<Authority> {
    Ok(Authority::new(config.api.certificates.files(), master_keys(config)?))
}

/// The same for who only reads its certificates.
pub(crate) fn certificates_alone(config: &Config) -> Authority {
    Authority::new(config.api.certificates.files(), None)
}

/// The local master keys; none where nobody has named their components.
pub(crate) fn master_keys(config: &Config) -> anyhow::Result<Option<LocalMasterKeys>> {
    let security = &config.security;
    if security.lmk_components.is_empty() {
        return Ok(None);
    }
    let master = LocalMasterKeys::new(LocalMasterKey::load(&security.lmk_components)?);
    if security.previous_lmk_components.is_empty() {
        return Ok(Some(master));
    }
    let previous = LocalMasterKey::load(&security.previous_lmk_components)?;
    Ok(Some(master.with_previous(previous)))
}

pub(crate) fn make_private_directory(directory: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .with_context(|| format!("making {}", directory.display()))
}
