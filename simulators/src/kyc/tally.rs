//! What a simulated provider counted. Must account for every question that came, and name nobody.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Inquiries that are told apart; past it they are counted and no more.
const INQUIRIES_MOST: usize = 100_000;

/// Counts since the start. As JSON it is what the command line prints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Connections whose handshake was done.
    pub connections: u64,
    /// Handshakes that failed.
    pub refused: u64,
    /// Questions in the agreed form, from somebody who may ask.
    pub questions: u64,
    /// The others: of no form, or from nobody known.
    pub wrong: u64,
    /// Answers, by what they say: an outcome, or what was done instead.
    pub answers: BTreeMap<String, u64>,
    /// How often each inquiry came.
    pub inquiries: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts a question; how often the same came before.
    pub(super) fn asked(&mut self, inquiry: &str) -> u64 {
        self.questions += 1;
        if self.inquiries.len() >= INQUIRIES_MOST && !self.inquiries.contains_key(inquiry) {
            return 0;
        }
        let times = self.inquiries.entry(inquiry.to_owned()).or_default();
        let before = *times;
        *times += 1;
        before
    }

    pub(super) fn answered(&mut self, what: &str) {
        *self.answers.entry(what.to_owned()).or_default() += 1;
    }

    /// How many answers said so.
    #[must_use]
    pub fn answers_of(&self, what: &str) -> u64 {
        self.answers.get(what).copied().unwrap_or(0)
    }
}
