//! The keys of the card numbers and of authentication codes. It owns when the key file of the card
//! numbers is made (over an empty database only), and that one which does not fit the database is
//! refused before anything is served.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use switch_security::{MacKeys, PanKeys, SecurityModule, SoftwareModule};
use switch_store::Store;

use crate::config::Config;

/// The security module over the configured key files.
pub(crate) async fn security_module(
    config: &Config,
    store: &Store,
) -> anyhow::Result<Arc<dyn SecurityModule>> {
    let path = config.security.pan_key_file.as_path();
    let vault = store.vault();
    let known = vault.known_keys().await?;
    let keys = match (path.exists(), known.is_empty()) {
        (true, _) => PanKeys::load(path)?,
        (false, true) => {
            if let Some(directory) = path.parent() {
                make_private_directory(directory)?;
            }
            tracing::info!(path = %path.display(), "made new keys for card numbers; back them up");
            PanKeys::generate_file(path)?
        }
        (false, false) => bail!(
            "{}: there is no key file, but the database holds card numbers that only its keys can \
             open. Restore it from its backup, or set security.pan_key_file to where it is",
            path.display()
        ),
    };
    let module = SoftwareModule::new(&keys)?.with_mac_keys(mac_keys(config)?);
    let key_id = keys.id().to_string();
    if !known.is_empty() && !known.contains(&key_id) {
        bail!(
            "{}: these are not the keys that the database's card numbers were sealed with (it \
             knows {}; the file has {key_id}). Set security.pan_key_file to the right file",
            path.display(),
            known.join(", ")
        );
    }
    vault.set_key_check(&key_id, module.check_value().as_str().as_bytes()).await?;
    Ok(Arc::new(module))
}

/// None where no link has codes and no key was ever imported.
fn mac_keys(config: &Config) -> anyhow::Result<MacKeys> {
    let path = &config.security.mac_key_file;
    let wanted = config.links.values().any(|link| link.mac.is_some());
    if !wanted && !path.exists() {
        return Ok(MacKeys::default());
    }
    let keys = MacKeys::load(path)?;
    for key in keys.iter() {
        let (name, check_value) = (&key.name, key.key.check_value());
        tracing::info!(%name, %check_value, "MAC key");
    }
    Ok(keys)
}

pub(crate) fn make_private_directory(directory: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .with_context(|| format!("making {}", directory.display()))
}
