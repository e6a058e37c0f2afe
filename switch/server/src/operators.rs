//! Operators of a running switch: the key of their second factors, and the service over them. It
//! owns that there are none where nothing serves them; who they are is `admin-api`'s affair.

use admin_api::operators::{OperatorKeyFile, Operators};
use anyhow::Context;
use switch_store::Store;

use crate::config::Config;
use crate::keys::{make_private_directory, master_keys};

/// The service, where there is a listener at which operators sign in; the key is made where there
/// is no file.
pub(crate) async fn open(config: &Config, store: &Store) -> anyhow::Result<Option<Operators>> {
    if config.api.open_settings().is_none() {
        return Ok(None);
    }
    let settings = &config.api.operators;
    let masters = master_keys(config)?.context(
        "operators need a local master key, under which their key lies: make its components with \
         `cardswitch keys ceremony first.lmk second.lmk`, and name them in \
         security.lmk_components",
    )?;
    if let Some(directory) = settings.key_file.parent().filter(|it| !it.as_os_str().is_empty()) {
        make_private_directory(directory)?;
    }
    let seal = OperatorKeyFile::new(settings.key_file.clone()).load_or_make(&masters)?;
    let operators = Operators::new(store.pool().clone(), settings.settings(), seal)?;
    operators
        .require_our_key()
        .await
        .with_context(|| format!("the key of operators, in {}", settings.key_file.display()))?;
    Ok(Some(operators))
}
