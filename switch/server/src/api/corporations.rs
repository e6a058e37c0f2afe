//! Corporations of a running switch: the key of their documents, and the service over it. It owns
//! that the key lies under the local master key, and is made where there is no file.

use admin_api::Services;
use admin_api::corporations::{Corporations, DocumentKeyFile};
use anyhow::Context;

use crate::config::Config;
use crate::keys::{make_private_directory, master_keys};

/// The service; the key is made where there is no file.
pub(super) async fn open(config: &Config, services: Services) -> anyhow::Result<Corporations> {
    let settings = &config.api.corporations;
    let masters = master_keys(config)?.context(
        "documents of corporations need a local master key, under which their key lies: make its \
         components with `cardswitch keys ceremony first.lmk second.lmk`, and name them in \
         security.lmk_components",
    )?;
    if let Some(directory) = settings.key_file.parent().filter(|it| !it.as_os_str().is_empty()) {
        make_private_directory(directory)?;
    }
    let seal = DocumentKeyFile::new(settings.key_file.clone()).load_or_make(&masters)?;
    let corporations = Corporations::new(services, seal, settings.settings());
    corporations
        .require_our_key()
        .await
        .with_context(|| format!("the key of documents, in {}", settings.key_file.display()))?;
    Ok(corporations)
}
