//! `[api.fees]`: fees of acts and of periods. It owns the names in the file and the limits of what
//! may be written; what is done with them stands in `admin-api`.

use std::time::Duration;

use admin_api::fees::FeeSettings;
use serde::Deserialize;

use super::Mode;
use super::check::Faults;

/// Fees.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiFees {
    /// How often is looked for what is due.
    pub every_ms: u64,
    /// How many minutes after its end a period is looked through.
    pub settles_minutes: u32,
    /// Cards that are looked at in one transaction.
    pub cards_at_once: u32,
    /// Fees that are charged at a time.
    pub charges_at_once: u32,
    /// For how many days an account without money is waited for.
    pub waits_days: u32,
    /// Fees of one account that may wait.
    pub waiting: u32,
    /// After so many months without an approval a card is dormant.
    pub dormant_months: u32,
}

impl Default for ApiFees {
    fn default() -> Self {
        Self {
            every_ms: 5_000,
            settles_minutes: 60,
            cards_at_once: 500,
            charges_at_once: 16,
            waits_days: 30,
            waiting: 100,
            dormant_months: 6,
        }
    }
}

impl ApiFees {
    /// As the service takes them.
    #[must_use]
    pub fn settings(&self, mode: Mode) -> FeeSettings {
        FeeSettings {
            cards_at_once: self.cards_at_once,
            charges_at_once: self.charges_at_once,
            waits: Duration::from_secs(u64::from(self.waits_days).saturating_mul(86_400)),
            waiting_most: self.waiting,
            settles: Duration::from_secs(u64::from(self.settles_minutes).saturating_mul(60)),
            dormant_months: self.dormant_months,
            takes_days_to_come: mode == Mode::Development,
        }
    }

    /// How often is looked for what is due.
    #[must_use]
    pub const fn every(&self) -> Duration {
        Duration::from_millis(self.every_ms)
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        let path = |key| ["api", "fees", key];
        let every = (10..=600_000).contains(&self.every_ms);
        faults.require(every, &path("every_ms"), "from 10 to 600000");
        for (key, value, least, most) in [
            ("settles_minutes", self.settles_minutes, 1, 1_380),
            ("cards_at_once", self.cards_at_once, 1, 10_000),
            ("charges_at_once", self.charges_at_once, 1, 256),
            ("waits_days", self.waits_days, 0, 366),
            ("waiting", self.waiting, 1, 1_000),
            ("dormant_months", self.dormant_months, 1, 120),
        ] {
            let within = (least..=most).contains(&value);
            faults.require(within, &path(key), format!("from {least} to {most}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::super::check::faults;

    #[test]
    fn every_limit_of_fees_is_held() {
        let wrong = |line: &str| -> Vec<String> {
            let config: Config =
                toml::from_str(&format!("[api.fees]\n{line}\n")).expect("its form");
            faults(&config).iter().map(|fault| fault.path.join(".")).collect()
        };
        for good in ["", "waits_days = 0"] {
            assert_eq!(wrong(good), [""; 0], "{good}");
        }
        for (line, key) in [
            ("every_ms = 9", "every_ms"),
            ("settles_minutes = 0", "settles_minutes"),
            ("cards_at_once = 0", "cards_at_once"),
            ("charges_at_once = 257", "charges_at_once"),
            ("waits_days = 367", "waits_days"),
            ("waiting = 0", "waiting"),
            ("dormant_months = 0", "dormant_months"),
        ] {
            assert_eq!(wrong(line), [format!("api.fees.{key}")], "{line}");
        }
    }
}
