//! `[rates]`: limits of exchange rates. It owns their names in the file; docs/currency.md says what
//! is converted by them.

use std::time::Duration;

use serde::Deserialize;

use super::check::Faults;

/// Limits of exchange rates.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rates {
    /// How old a rate may be when an amount is converted by it, in seconds.
    pub life_s: u64,
}

impl Default for Rates {
    fn default() -> Self {
        Self { life_s: switch_shard::ShardSettings::default().rate_life.as_secs() }
    }
}

impl Rates {
    /// As the shards take it.
    #[must_use]
    pub const fn life(self) -> Duration {
        Duration::from_secs(self.life_s)
    }

    pub(super) fn check(self, faults: &mut Faults) {
        faults.require(
            (60..=31_622_400).contains(&self.life_s),
            &["rates", "life_s"],
            "from 60 to 31622400: a minute to a year",
        );
    }
}
