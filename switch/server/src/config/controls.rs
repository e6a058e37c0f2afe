//! `[controls]`: how many spend controls there may be, and how much a back-test of one holds. It
//! owns their names in the file; what a control is, `cardswitch controls` says.

use serde::Deserialize;
use switch_shard::ControlLimits;

use super::check::Faults;

const MOST_OF_BACKTEST: usize = 10_000_000;

/// Limits of spend controls.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Controls {
    /// Controls of one card, balance or programme.
    pub per_subject: usize,
    /// Entries in a list of one.
    pub list: usize,
    /// Authorizations of one card or account that a back-test tells again: all of one holder are in
    /// memory at once.
    pub backtest_authorizations: usize,
}

impl Default for Controls {
    fn default() -> Self {
        let ControlLimits { per_subject, list } = ControlLimits::default();
        Self { per_subject, list, backtest_authorizations: 200_000 }
    }
}

impl Controls {
    /// As the shards take them.
    #[must_use]
    pub const fn limits(self) -> ControlLimits {
        ControlLimits { per_subject: self.per_subject, list: self.list }
    }

    pub(super) fn check(self, faults: &mut Faults) {
        let ControlLimits { per_subject, list } = ControlLimits::MOST;
        for (key, found, most) in
            [("per_subject", self.per_subject, per_subject), ("list", self.list, list)]
        {
            let message = format!("from 1 to {most}: each is judged with every purchase");
            faults.require((1..=most).contains(&found), &["controls", key], message);
        }
        let wanted = format!("from 1 to {MOST_OF_BACKTEST}: each takes over a kilobyte of memory");
        let found = (1..=MOST_OF_BACKTEST).contains(&self.backtest_authorizations);
        faults.require(found, &["controls", "backtest_authorizations"], wanted);
    }
}
