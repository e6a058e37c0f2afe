//! The result of a run as JSON. Must hold counts and masked text only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The result. Counts are of messages; times are in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Requests sent that expect an answer: authorizations, reversals, repeats.
    pub sent: u64,
    /// Of these, answered in time.
    pub answered: u64,
    /// Purchases approved, repeats not counted.
    pub approved: u64,
    /// Purchases declined, by DE39.
    pub declined_by_de39: BTreeMap<String, u64>,
    /// Purchases declined, by the state of the card.
    pub declined_by_kind: BTreeMap<String, u64>,
    /// Reversals of approved purchases that were accepted, repeats not counted.
    pub reversed: u64,
    /// Increments of approved purchases that were approved.
    #[serde(default)]
    pub incremented: u64,
    /// Authorizations that were settled by a completion.
    #[serde(default)]
    pub completed: u64,
    /// Requests and advices of other kinds, by kind; repeats not counted.
    #[serde(default)]
    pub others: BTreeMap<String, u64>,
    /// Repeats answered as their request was at first.
    pub repeated: u64,
    /// Answers with a fault, answers that nobody waits for, and connections that ended.
    pub unexpected: u64,
    /// Requests not answered, or so late that their sender had given up.
    pub unanswered: u64,
    /// The first twenty of the unexpected and unanswered, for people.
    pub unexpected_samples: Vec<String>,
    /// Median latency from the intended time of sending.
    pub p50_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
    /// 99.9th percentile.
    pub p999_ms: f64,
    /// Approved purchases a second, from the first intended sending to the last answer.
    pub approvals_per_second: f64,
    /// What the random choices came from.
    pub seed: u64,
}

impl Report {
    /// True when nothing was unexpected or unanswered, and something was sent.
    #[must_use]
    pub const fn clean(&self) -> bool {
        self.unexpected == 0 && self.unanswered == 0 && self.sent > 0
    }
}
