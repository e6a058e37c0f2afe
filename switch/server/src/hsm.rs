//! The hardware security modules of this process. It owns that they are connected to where the
//! configuration names any; what they are asked is card verification's affair.

use std::sync::Arc;

use switch_hsm::HsmModule;

use crate::config::Config;

/// Begins to connect to the units; `None` where there are none. It does not wait for them: without
/// a unit what needs one is declined, and nothing else.
pub(crate) fn connect(config: &Config) -> anyhow::Result<Option<Arc<HsmModule>>> {
    let settings = config.hsm.settings();
    let settings =
        settings.map_err(|(path, message)| anyhow::anyhow!("hsm.{}: {message}", path.join(".")))?;
    Ok(settings.map(|(settings, keys)| {
        tracing::info!(units = ?settings.units, "hardware security modules");
        switch_hsm::connect(settings, keys)
    }))
}
