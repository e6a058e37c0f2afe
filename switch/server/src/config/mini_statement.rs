//! `[mini_statement]`: limits of what the holder of an account is told by a link. It owns their
//! names in the file; how an answer looks is the dialect's affair.

use serde::Deserialize;

use super::check::Faults;

/// Limits of mini-statement inquiries.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MiniStatements {
    /// For how many days movements are told.
    pub days: u32,
    /// Inquiries of all links that wait for the tables at a time.
    pub waiting: usize,
}

impl Default for MiniStatements {
    fn default() -> Self {
        Self { days: 90, waiting: 64 }
    }
}

impl MiniStatements {
    pub(super) fn check(&self, faults: &mut Faults) {
        let path = |key| ["mini_statement", key];
        faults.require(
            (1..=3_660).contains(&self.days),
            &path("days"),
            "from 1 to 3660: each day is a table of its own that is asked",
        );
        faults.require((1..=4_096).contains(&self.waiting), &path("waiting"), "from 1 to 4096");
    }
}
