//! `[api.audit]`: the records of what was done over the management API. It owns for how long they
//! are kept at least.

use std::time::Duration;

use serde::Deserialize;

use super::check::Faults;

/// Records of what was done.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiAudit {
    /// For how many days a record is kept.
    pub keep_days: u32,
    /// How often the head of the chain is logged.
    pub head_s: u64,
}

impl Default for ApiAudit {
    fn default() -> Self {
        Self { keep_days: 397, head_s: 3_600 }
    }
}

impl ApiAudit {
    /// For how long records are kept.
    #[must_use]
    pub fn keep(&self) -> Duration {
        Duration::from_secs(u64::from(self.keep_days).saturating_mul(86_400))
    }

    /// How often the head is logged.
    #[must_use]
    pub const fn head_every(&self) -> Duration {
        Duration::from_secs(self.head_s)
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        let path = |key| ["api", "audit", key];
        faults.require(
            (366..=36_600).contains(&self.keep_days),
            &path("keep_days"),
            "from 366 to 36600: a year at least, which the database holds too",
        );
        let head = (60..=86_400).contains(&self.head_s);
        faults.require(head, &path("head_s"), "from 60 to 86400");
    }
}
