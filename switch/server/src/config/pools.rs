//! `[api.pools]`: pools of partners' money over the management API. It owns the names in the file
//! and the limits of what may be written; what is done with them stands in `admin-api`.

use std::collections::BTreeMap;
use std::time::Duration;

use admin_api::pools::{FourEyes, PoolSettings};
use serde::Deserialize;

use super::check::Faults;

/// Pools.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiPools {
    /// Above what a reload waits for a second operator: major units by the code of the currency.
    pub four_eyes_above: BTreeMap<String, String>,
    /// For how many hours it waits.
    pub waits_hours: u32,
    /// Reloads of one pool that may wait.
    pub waiting: u32,
    /// Pools of a partner.
    pub of_partner: u32,
    /// Addresses that are told of one pool.
    pub addresses: u32,
    /// How often is looked for what was cut off or is over, and at the levels.
    pub every_ms: u64,
    /// Summaries at a time.
    pub summaries: u32,
    /// For one of them.
    pub summary_ms: u64,
}

impl Default for ApiPools {
    fn default() -> Self {
        Self {
            four_eyes_above: BTreeMap::new(),
            waits_hours: 72,
            waiting: 100,
            of_partner: 50,
            addresses: 10,
            every_ms: 1_000,
            summaries: 2,
            summary_ms: 5_000,
        }
    }
}

impl ApiPools {
    /// As the service takes them.
    #[must_use]
    pub fn settings(&self) -> PoolSettings {
        PoolSettings {
            // What is wrong was refused before; without limits every reload needs two.
            four_eyes: FourEyes::parse(&self.four_eyes_above).unwrap_or_default(),
            waits: Duration::from_secs(u64::from(self.waits_hours).saturating_mul(3_600)),
            waiting_most: self.waiting,
            pools_most: self.of_partner,
            addresses_most: self.addresses,
            summaries_most: self.summaries,
            summary_within: Duration::from_millis(self.summary_ms),
        }
    }

    /// How often is looked for what is to be done.
    #[must_use]
    pub const fn every(&self) -> Duration {
        Duration::from_millis(self.every_ms)
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        let path = |key| ["api", "pools", key];
        let wrong = FourEyes::parse(&self.four_eyes_above).err();
        faults.require(
            wrong.is_none(),
            &path("four_eyes_above"),
            format!(
                "amounts in major units by currency, as {{ EUR = \"10000\" }}: {}",
                wrong.as_deref().unwrap_or_default()
            ),
        );
        for (key, value, least, most) in [
            ("waits_hours", self.waits_hours, 1, 8_784),
            ("waiting", self.waiting, 1, 10_000),
            ("of_partner", self.of_partner, 1, 1_000),
            ("addresses", self.addresses, 1, 10),
            ("summaries", self.summaries, 1, 64),
        ] {
            let within = (least..=most).contains(&value);
            faults.require(within, &path(key), format!("from {least} to {most}"));
        }
        let every = (10..=60_000).contains(&self.every_ms);
        faults.require(every, &path("every_ms"), "from 10 to 60000");
        let within = (50..=60_000).contains(&self.summary_ms);
        faults.require(within, &path("summary_ms"), "from 50 to 60000");
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::super::check::faults;

    #[test]
    fn every_limit_of_pools_is_held() {
        let wrong = |line: &str| -> Vec<String> {
            let config: Config =
                toml::from_str(&format!("[api.pools]\n{line}\n")).expect("its form");
            faults(&config).iter().map(|fault| fault.path.join(".")).collect()
        };
        for good in ["", "four_eyes_above = { EUR = \"0\", JPY = \"1000000\" }"] {
            assert_eq!(wrong(good), [""; 0], "{good}");
        }
        for (line, key) in [
            ("four_eyes_above = { EUX = \"1\" }", "four_eyes_above"),
            ("four_eyes_above = { JPY = \"1.5\" }", "four_eyes_above"),
            ("four_eyes_above = { EUR = \"-1\" }", "four_eyes_above"),
            ("waits_hours = 0", "waits_hours"),
            ("waiting = 0", "waiting"),
            ("of_partner = 1001", "of_partner"),
            ("addresses = 11", "addresses"),
            ("every_ms = 9", "every_ms"),
            ("summaries = 65", "summaries"),
            ("summary_ms = 49", "summary_ms"),
        ] {
            assert_eq!(wrong(line), [format!("api.pools.{key}")], "{line}");
        }
    }
}
