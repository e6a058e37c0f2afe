//! The result of such traffic as JSON. Must hold counts and masked text only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::plan::Step;
use crate::chip::IssuerAnswer;

/// Most samples of faults kept.
const SAMPLES: usize = 20;

/// The result. Counts are of messages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Requests sent.
    pub sent: u64,
    /// Of these, approved as they had to be.
    pub approved: u64,
    /// Declined as they had to be, by what was wrong with them.
    pub declined: BTreeMap<String, u64>,
    /// Answers in which the chip found its issuer's approval.
    pub chip_approved: u64,
    /// Answers in which it found its issuer's decline.
    pub chip_declined: u64,
    /// Answers that were not as they had to be, for the terminal or for the chip.
    pub unexpected: u64,
    /// Requests that were not answered.
    pub unanswered: u64,
    /// The first of both, for people.
    pub samples: Vec<String>,
}

impl Report {
    /// Judges an answer to a step: DE39, and what the chip made of it, where one was there.
    pub(super) fn judge(&mut self, step: &Step, code: &str, chip: Option<IssuerAnswer>) {
        let name = step.wrong.map_or("nothing wrong", super::Wrong::name);
        if code != step.response_code() {
            let wanted = step.response_code();
            return self.fault(format!("{name}: DE39 {code} instead of {wanted}"));
        }
        let approved = step.wrong.is_none();
        match chip {
            Some(IssuerAnswer::Wrong) => {
                return self.fault(format!("{name}: tag 91 is not the issuer's"));
            }
            Some(IssuerAnswer::Right { approved: told }) if told != approved => {
                return self.fault(format!("{name}: the chip was told otherwise than DE39"));
            }
            Some(IssuerAnswer::Absent) if approved => {
                return self.fault(format!("{name}: the chip was told nothing"));
            }
            Some(IssuerAnswer::Right { approved: true }) => self.chip_approved += 1,
            Some(IssuerAnswer::Right { approved: false }) => self.chip_declined += 1,
            Some(IssuerAnswer::Absent) | None => {}
        }
        match step.wrong {
            None => self.approved += 1,
            Some(wrong) => *self.declined.entry(wrong.name().to_owned()).or_default() += 1,
        }
    }

    fn fault(&mut self, what: String) {
        self.unexpected += 1;
        self.sample(what);
    }

    pub(super) fn unanswered(&mut self, what: String) {
        self.unanswered += 1;
        self.sample(what);
    }

    fn sample(&mut self, what: String) {
        if self.samples.len() < SAMPLES {
            self.samples.push(what);
        }
    }

    /// Adds what another connection's cards came to.
    pub(super) fn add(&mut self, other: Report) {
        self.sent += other.sent;
        self.approved += other.approved;
        self.chip_approved += other.chip_approved;
        self.chip_declined += other.chip_declined;
        self.unexpected += other.unexpected;
        self.unanswered += other.unanswered;
        for (what, count) in other.declined {
            *self.declined.entry(what).or_default() += count;
        }
        other.samples.into_iter().for_each(|sample| self.sample(sample));
    }

    /// True when everything was answered as it had to be, and something was sent.
    #[must_use]
    pub const fn clean(&self) -> bool {
        self.unexpected == 0 && self.unanswered == 0 && self.sent > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chip::Flaw;
    use crate::verified::{Place, Wrong};

    #[test]
    fn an_answer_is_judged_by_its_code_and_by_the_chip() {
        let right = Step { place: Place::Shop, wrong: None };
        let pin = Step { place: Place::Shop, wrong: Some(Wrong::Flaw(Flaw::Pin)) };
        let says = |approved| Some(IssuerAnswer::Right { approved });
        for (step, code, chip, fault) in [
            (right, "00", says(true), false),
            (right, "00", None, false),
            (right, "00", Some(IssuerAnswer::Absent), true),
            (right, "00", says(false), true),
            (right, "55", says(false), true),
            (pin, "55", says(false), false),
            (pin, "55", Some(IssuerAnswer::Absent), false),
            (pin, "55", Some(IssuerAnswer::Wrong), true),
            (pin, "55", says(true), true),
            (pin, "00", says(true), true),
        ] {
            let mut report = Report::default();
            report.judge(&step, code, chip);
            assert_eq!(report.unexpected == 1, fault, "{step:?} {code} {chip:?}");
        }
    }
}
