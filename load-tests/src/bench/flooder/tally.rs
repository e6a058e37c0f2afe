//! What a flood came to. Must count every request once: by its answer, or as a fault.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use serde::Serialize;

use super::ask::Kind;
use crate::bench::generator::Faults;

/// What a caller may save up for a burst is spent by then, at ten times the rate.
const SETTLED: Duration = Duration::from_secs(1);

/// A flood that has ended, or several.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Flooded {
    /// Requests that were due, and in which time.
    pub(crate) due: u64,
    pub(crate) seconds: f64,
    /// Those that were not too many, once the burst was spent, and in which time.
    pub(crate) through: u64,
    pub(crate) through_seconds: f64,
    /// Answers by kind and status.
    answers: BTreeMap<&'static str, BTreeMap<u16, u64>>,
    pub(crate) faults: Faults,
}

impl Flooded {
    /// An answer to what was due then.
    pub(super) fn answered(&mut self, (kind, due): (Kind, Duration), status: u16) {
        *self.answers.entry(kind.name()).or_default().entry(status).or_default() += 1;
        if status != 429 && due >= SETTLED {
            self.through += 1;
        }
        if !kind.may_be_answered(status) {
            self.faults.count(&format!("{}: {status}", kind.name()));
        }
    }

    /// It lasted so long.
    pub(super) fn lasted(&mut self, time: Duration) {
        self.seconds = time.as_secs_f64();
        self.through_seconds = time.saturating_sub(SETTLED).as_secs_f64();
    }

    /// With another.
    pub(crate) fn add_all(&mut self, other: &Flooded) {
        self.due += other.due;
        self.seconds += other.seconds;
        self.through += other.through;
        self.through_seconds += other.through_seconds;
        for (kind, statuses) in &other.answers {
            let of_kind = self.answers.entry(kind).or_default();
            statuses.iter().for_each(|(status, n)| *of_kind.entry(*status).or_default() += n);
        }
        self.faults.add_all(&other.faults);
    }

    /// Requests that were due in a second.
    pub(crate) fn per_second(&self) -> f64 {
        self.due as f64 / self.seconds.max(f64::MIN_POSITIVE)
    }

    /// Requests that were let through in a second.
    pub(crate) fn through_per_second(&self) -> f64 {
        self.through as f64 / self.through_seconds.max(f64::MIN_POSITIVE)
    }

    /// Kinds of which not one was heard: the flood was not the one that is meant.
    pub(crate) fn unheard(&self) -> Vec<&'static str> {
        let heard = |kind: &Kind| {
            let statuses = self.answers.get(kind.name());
            statuses.is_some_and(|statuses| statuses.contains_key(&kind.heard()))
        };
        Kind::ALL.iter().filter(|kind| !heard(kind)).map(|kind| kind.name()).collect()
    }

    /// A line of answers for each kind.
    pub(crate) fn lines(&self) -> String {
        let mut text = String::new();
        for (kind, statuses) in &self.answers {
            let counts: Vec<_> =
                statuses.iter().map(|(status, count)| format!("{status}: {count}")).collect();
            let _ = writeln!(text, "  {kind:14} {}", counts.join(", "));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_got_through_is_counted_once_the_burst_is_spent() {
        let at = Duration::from_millis;
        let mut one = Flooded { due: 5, ..Flooded::default() };
        one.answered((Kind::Profile, at(10)), 200);
        one.answered((Kind::Profile, at(1_500)), 429);
        one.answered((Kind::SignIn, at(1_600)), 503);
        one.answered((Kind::SignIn, at(1_700)), 500);
        one.faults.count("unanswered");
        one.lasted(at(3_000));
        assert_eq!((one.through, one.through_per_second()), (2, 1.0));
        assert_eq!(one.faults.to_string(), "session: 500: 1, unanswered: 1");
        let mut both = one.clone();
        both.add_all(&one);
        assert_eq!((both.through, both.due, both.through_per_second()), (4, 10, 1.0));
        assert_eq!(
            both.lines(),
            "  profile        200: 2, 429: 2\n  session        500: 2, 503: 2\n"
        );
        let unheard = both.unheard();
        assert!(unheard.contains(&"session") && !unheard.contains(&"profile"));
    }
}
