//! The hardware security modules of this process. It owns that they are connected to where the
//! configuration names any; what they are asked is card verification's affair.

use std::sync::Arc;

use anyhow::Context;
use switch_hsm::HsmModule;

use crate::config::{Config, HsmTls};

/// Begins to connect to the units; `None` where there are none. It does not wait for them: without
/// a unit what needs one is declined, and nothing else.
pub(crate) fn connect(config: &Config) -> anyhow::Result<Option<Arc<HsmModule>>> {
    let settings = config.hsm.settings();
    let settings =
        settings.map_err(|(path, message)| anyhow::anyhow!("hsm.{}: {message}", path.join(".")))?;
    let Some((mut settings, keys)) = settings else { return Ok(None) };
    settings.tls = config.hsm.tls.as_ref().map(HsmTls::read).transpose().context("hsm.tls")?;
    let (clear_pins, tls) = (config.hsm.pins_in_clear(), settings.tls.is_some());
    tracing::info!(units = ?settings.units, tls, ?clear_pins, "hardware security modules");
    Ok(Some(switch_hsm::connect(settings, keys, clear_pins)))
}
