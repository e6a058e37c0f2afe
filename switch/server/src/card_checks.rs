//! By what each link verifies cards: the module that the configuration chose, the names of its
//! keys, and what the configuration says of the link. It owns that a link does not open whose zone
//! key is not there, and that no module is asked but the one that was chosen.

use std::sync::Arc;

use admin_api::cards::{CardModule, KeyNames};
use anyhow::Context;
use switch_hsm::HsmModule;
use switch_network::{CardChecks, CardKeys, Waits};
use switch_security::{CardSecurity, KeyHandle, KeyRing, KeyState, KeyUsage, SoftwareModule};

use crate::config::{self, Config, Link, Module};

/// Who verifies, for all links.
pub(crate) struct Cards {
    module: Arc<dyn CardSecurity>,
    keys: Arc<dyn CardKeys>,
    ring: Option<KeyRing>,
    waits: Option<Waits>,
}

/// The same names, as the management services ask for them.
struct Names {
    keys: Arc<dyn CardKeys>,
    /// Those of this process: units do not say check values.
    ring: Option<KeyRing>,
}

impl KeyNames for Names {
    fn key(&self, name: &str, usage: KeyUsage) -> Option<KeyHandle> {
        self.keys.card_key(name, usage)
    }

    fn check_value(&self, name: &str, usage: KeyUsage) -> Option<String> {
        let mut keys = self.ring.as_ref()?.iter();
        let (.., versions) = keys.find(|(one, of, _)| one.as_str() == name && *of == usage)?;
        let active = versions.iter().find(|version| version.state() == KeyState::Active)?;
        Some(active.check_value().to_string())
    }
}

/// The keys of the units, by name.
struct UnitKeys(Arc<HsmModule>);

impl CardKeys for UnitKeys {
    fn card_key(&self, name: &str, usage: KeyUsage) -> Option<KeyHandle> {
        self.0.keys().find_named(name, usage)
    }
}

impl Cards {
    /// By the module that the configuration names.
    pub(crate) fn new(
        config: &Config,
        (software, ring): (&Arc<SoftwareModule>, KeyRing),
        hardware: Option<&Arc<HsmModule>>,
    ) -> anyhow::Result<Self> {
        if config.security.module == Module::Software {
            // The module is in this process: nothing of it is waited for.
            let module = Arc::clone(software) as _;
            let keys = Arc::new(ring.clone());
            return Ok(Self { module, keys, ring: Some(ring), waits: None });
        }
        let units = hardware.context("security.module is \"hardware\", and hsm.units is empty")?;
        Ok(Self {
            module: Arc::clone(units) as _,
            keys: Arc::new(UnitKeys(Arc::clone(units))),
            ring: None,
            waits: Some(config.hsm.waits()),
        })
    }

    /// For what is on cards: the module, and the names of its keys.
    pub(crate) fn module(&self) -> CardModule {
        CardModule {
            module: Arc::clone(&self.module),
            keys: Arc::new(Names { keys: Arc::clone(&self.keys), ring: self.ring.clone() }),
        }
    }

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
            self.keys
                .card_key(key, KeyUsage::P0)
                .with_context(|| format!("link {name}: pin: there is no zone PIN key {key}"))?;
        }
        Ok(CardChecks {
            module: Arc::clone(&self.module),
            keys: Arc::clone(&self.keys),
            waits: self.waits,
            rules,
        })
    }
}
