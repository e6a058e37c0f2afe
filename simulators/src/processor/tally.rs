//! What a simulated processor counted, and what it heard of its cards. Must name cards by its own
//! names alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What was heard that is kept in order; past it, it is counted and no more.
const HEARD_MOST: usize = 10_000;

/// What was done to a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// What: `create`, `activate`, `renew`, `pin`, `stop`, `unstop`, `retire`.
    pub act: String,
    /// The card, by its name here.
    pub card: String,
    /// The reason of a lock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u8>,
}

/// Counts since the start. As JSON it is what the command line prints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Connections whose handshake was done.
    pub connections: u64,
    /// Handshakes that failed.
    pub refused: u64,
    /// Questions in the agreed form.
    pub questions: u64,
    /// The others.
    pub wrong: u64,
    /// Answers, by what they say: `DONE`, `REFUSED`, or `FAULT` for what was done instead.
    pub answers: BTreeMap<String, u64>,
    /// Cards that were made.
    pub made: u64,
    /// Questions that came again under their reference, and were answered as before.
    pub repeated: u64,
    /// Acts that came after what followed them, and changed nothing.
    pub overtaken: u64,
    /// What was done, in order.
    pub heard: Vec<Heard>,
}

impl Tally {
    pub(super) fn answered(&mut self, what: &str) {
        *self.answers.entry(what.to_owned()).or_default() += 1;
    }

    pub(super) fn hears(&mut self, act: &str, card: &str, code: Option<u8>) {
        if self.heard.len() < HEARD_MOST {
            self.heard.push(Heard { act: act.to_owned(), card: card.to_owned(), code });
        }
    }

    /// How many answers said so.
    #[must_use]
    pub fn answers_of(&self, what: &str) -> u64 {
        self.answers.get(what).copied().unwrap_or(0)
    }

    /// What was done to a card, in order: `stop 3`, `unstop`.
    #[must_use]
    pub fn of(&self, card: &str) -> Vec<String> {
        let its = self.heard.iter().filter(|heard| heard.card == card);
        its.map(|heard| match heard.code {
            Some(code) => format!("{} {code}", heard.act),
            None => heard.act.clone(),
        })
        .collect()
    }
}
