//! `[reconciliation]`: how much of what peers reconcile is kept. It owns the names in the file;
//! when a link's day ends stands with the link.

use std::collections::BTreeMap;

use admin_api::ReconciliationSettings;
use serde::Deserialize;

use super::check::Faults;
use super::{Link, Retention};

/// Limits of reconciliations.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reconciliation {
    /// So many of one link and day are kept; one more is told that there are no totals.
    pub a_day: u32,
    /// For how many days they are kept.
    pub keep_days: u32,
}

impl Default for Reconciliation {
    fn default() -> Self {
        Self { a_day: 100, keep_days: 400 }
    }
}

impl Reconciliation {
    /// As the service takes them. A day of which history may have left is not told.
    #[must_use]
    pub fn settings(
        &self,
        links: &BTreeMap<String, Link>,
        retention: &Retention,
    ) -> ReconciliationSettings {
        let days = [retention.card_authorization_days, retention.authorization_event_days];
        // A business day may begin on the day before its own, and go on into the one after.
        let whole = |days: u32| i64::from(days).saturating_sub(2).max(0);
        let kept = days.into_iter().filter(|days| *days > 0).map(whole).min();
        ReconciliationSettings {
            day_begins_s: links.values().map(|link| (link.id, link.cutover.begins_s())).collect(),
            days_back: kept.unwrap_or(i64::MAX),
            a_day: i64::from(self.a_day),
            keep_days: i32::try_from(self.keep_days).unwrap_or(i32::MAX),
        }
    }

    /// What cannot work.
    pub(super) fn check(&self, faults: &mut Faults) {
        let path = |key| ["reconciliation", key];
        faults.require((1..=100_000).contains(&self.a_day), &path("a_day"), "from 1 to 100000");
        faults.require((1..=3_660).contains(&self.keep_days), &path("keep_days"), "from 1 to 3660");
    }
}
