//! By what each link verifies cards: the module, the names of its keys, and what the configuration
//! says of the link. It owns that a link does not open whose zone key is not there.

use std::sync::Arc;

use anyhow::Context;
use switch_network::{CardChecks, CardKeys};
use switch_security::{KeyRing, KeyUsage, SoftwareModule};

use crate::config::{self, Config, Link};

/// Who verifies, for all links.
pub(crate) struct Cards {
    pub(crate) module: Arc<SoftwareModule>,
    pub(crate) ring: KeyRing,
}

impl Cards {
    /// For one of them.
    pub(crate) fn checks(
        &self,
        name: &str,
        link: &Link,
        config: &Config,
    ) -> anyhow::Result<CardChecks> {
        let dialect = config::dialect(&link.dialect).map_err(anyhow::Error::msg)?;
        let rules = link
            .card_rules(&config.security, &dialect)
            .map_err(|(key, fault)| anyhow::anyhow!("link {name}: {key}: {fault}"))?;
        for key in rules.pin.keys() {
            self.ring
                .card_key(key, KeyUsage::P0)
                .with_context(|| format!("link {name}: pin: there is no zone PIN key {key}"))?;
        }
        Ok(CardChecks {
            module: Arc::clone(&self.module) as _,
            keys: Arc::new(self.ring.clone()),
            // The module is in this process: nothing of it is waited for.
            waits: None,
            rules,
        })
    }
}
