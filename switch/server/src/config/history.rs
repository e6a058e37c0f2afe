//! `[api.history]`: authorizations over the management API. It owns the names in the file and the
//! limits of what may be written; what is read stands in `admin-api`.

use std::time::Duration;

use admin_api::authorizations::HistorySettings;
use serde::Deserialize;

use super::check::Faults;

/// Reading what was decided.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiHistory {
    /// For one reading.
    pub patience_ms: u64,
    /// Readings at a time.
    pub at_once: u32,
    /// Events of one authorization that are told.
    pub events: u32,
}

impl Default for ApiHistory {
    fn default() -> Self {
        let usual = HistorySettings::default();
        let patience = u64::try_from(usual.patience.as_millis()).unwrap_or(u64::MAX);
        Self { patience_ms: patience, at_once: usual.at_once, events: usual.events }
    }
}

impl ApiHistory {
    /// As the service takes them.
    #[must_use]
    pub const fn settings(&self) -> HistorySettings {
        HistorySettings {
            patience: Duration::from_millis(self.patience_ms),
            at_once: self.at_once,
            events: self.events,
        }
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        let path = |key| ["api", "history", key];
        let patience = (50..=30_000).contains(&self.patience_ms);
        faults.require(patience, &path("patience_ms"), "from 50 to 30000");
        faults.require((1..=64).contains(&self.at_once), &path("at_once"), "from 1 to 64");
        faults.require((1..=1_000).contains(&self.events), &path("events"), "from 1 to 1000");
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::super::check::faults;

    #[test]
    fn every_limit_of_history_is_held() {
        let wrong = |line: &str| -> Vec<String> {
            let config: Config =
                toml::from_str(&format!("[api.history]\n{line}\n")).expect("its form");
            faults(&config).iter().map(|fault| fault.path.join(".")).collect()
        };
        assert_eq!(wrong(""), [""; 0]);
        for (line, key) in [
            ("patience_ms = 49", "patience_ms"),
            ("at_once = 0", "at_once"),
            ("events = 1001", "events"),
        ] {
            assert_eq!(wrong(line), [format!("api.history.{key}")], "{line}");
        }
    }
}
