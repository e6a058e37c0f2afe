//! The keys of card numbers at the start, and where they lie. It owns when their file is made (over
//! an empty database only), under which local master key, and that keys which do not fit the
//! database, or lie in clear where they must not, are refused before anything is served.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use switch_security::{
    Component, KeyRing, LocalMasterKey, LocalMasterKeys, PanKeyForm, PanKeyStore, PanKeys,
    SoftwareModule,
};
use switch_store::{Store, Vault};

use crate::clock;
use crate::config::{Config, Mode};
use crate::keys::{make_private_directory, master_keys};
use crate::production;

/// The security module over these keys and the configured file of card-number keys.
pub(crate) async fn security_module(
    config: &Config,
    ring: KeyRing,
    store: &Store,
) -> anyhow::Result<Arc<SoftwareModule>> {
    let path = config.security.pan_key_file.as_path();
    let vault = store.vault();
    let known = vault.known_keys().await?;
    let (keys, file) = match (PanKeyStore::form(path)?, known.is_empty()) {
        (PanKeyForm::Clear, _) => {
            production::refuse_clear_pan_keys(config)?;
            (PanKeys::load(path)?, None)
        }
        (PanKeyForm::Missing, false) => bail!(
            "{}: there is no key file, but the database holds card numbers that only its keys can \
             open. Restore it from its backup, or set security.pan_key_file to where it is",
            path.display()
        ),
        (form, _) => {
            let file = pan_key_store(config)?;
            let keys =
                if form == PanKeyForm::Missing { create(&file, path)? } else { file.load()? };
            (keys, Some(file))
        }
    };
    if PanKeyStore::left_in_clear(path) {
        production::refuse_clear_pan_keys(config)?;
    }
    production::check_pan_keys(config, &keys)?;
    check_against(&vault, &known, &keys, path).await?;
    let module = SoftwareModule::new(&keys)?.with_keys(ring);
    let Some(file) = file else { return Ok(Arc::new(module)) };
    if !file.is_current()? {
        tracing::warn!(
            "card-number keys lie under the previous local master key: run `cardswitch keys rewrap`"
        );
    }
    Ok(Arc::new(module.with_pan_key_file(file)))
}

fn create(file: &PanKeyStore, path: &Path) -> anyhow::Result<PanKeys> {
    let now = clock::now();
    let keys = file.create(now)?;
    tracing::info!(path = %path.display(), "made new keys for card numbers; back them up");
    Ok(keys)
}

/// Every key that the database knows must be there, and be the one that it knows.
pub(crate) async fn check_against(
    vault: &Vault,
    known: &[String],
    keys: &PanKeys,
    path: &Path,
) -> anyhow::Result<()> {
    let keys = keys.list();
    let there = |id: &&String| keys.iter().any(|key| key.id.to_string() == **id);
    let missing: Vec<_> = known.iter().filter(|id| !there(id)).map(String::as_str).collect();
    if !missing.is_empty() {
        let found: Vec<_> = keys.iter().map(|key| key.id.to_string()).collect();
        bail!(
            "{}: these are not the keys that the database's card numbers were sealed with (it \
             knows {} besides; the file has {}). Set security.pan_key_file to the right file, or \
             restore its newest backup",
            path.display(),
            missing.join(", "),
            found.join(", ")
        );
    }
    for key in &keys {
        vault.set_key_check(&key.id.to_string(), key.check_value.as_str().as_bytes()).await?;
    }
    Ok(())
}

/// The file of card-number keys and what opens it.
pub(crate) fn pan_key_store(config: &Config) -> anyhow::Result<PanKeyStore> {
    let path = config.security.pan_key_file.clone();
    if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_private_directory(directory)?;
    }
    let components = development_components(&path);
    let made = components.iter().all(|component| component.exists());
    let masters = match master_keys(config)? {
        None => development_master(config, &path, &components)?,
        Some(masters) => {
            let alone = config.security.previous_lmk_components.is_empty();
            // So that a system that was only tried out moves to a real one by `keys rewrap` alone.
            if made && alone && config.mode == Mode::Development {
                masters.with_previous(LocalMasterKey::load(&components)?)
            } else {
                masters
            }
        }
    };
    Ok(PanKeyStore::new(path, masters))
}

/// Where the components lie that development makes for itself.
fn development_components(path: &Path) -> [PathBuf; 2] {
    ["lmk-1", "lmk-2"].map(|end| {
        let mut name = path.as_os_str().to_owned();
        name.push(".");
        name.push(end);
        PathBuf::from(name)
    })
}

/// A local master key for who tries the switch out: its components lie beside what they protect,
/// and so they protect nothing. Production has no such thing.
fn development_master(
    config: &Config,
    path: &Path,
    components: &[PathBuf; 2],
) -> anyhow::Result<LocalMasterKeys> {
    if config.mode == Mode::Production {
        bail!("security.lmk_components names no files: make them with `cardswitch keys ceremony`");
    }
    let is_there = PanKeyStore::form(path)? == PanKeyForm::Blocks;
    for component in components.iter().filter(|component| !component.exists()) {
        if is_there {
            bail!(
                "{}: its keys lie under a local master key whose components are not there: name \
                 them in security.lmk_components, or restore {}",
                path.display(),
                component.display()
            );
        }
        Component::generate()?.save(component)?;
    }
    Ok(LocalMasterKeys::new(LocalMasterKey::load(components)?))
}
