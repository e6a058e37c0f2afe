//! When a message that was not taken is tried again. It owns the schedule of tries and that
//! nobody's answer makes a pause longer than a day.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use switch_domain::Timestamp;

use crate::service::span::micros;

/// No pause is longer, whoever asks for it.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// Pauses before the second try and those after it; the first is made at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(Vec<Duration>);

impl Default for Schedule {
    /// As the Standard Webhooks recommend: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
    fn default() -> Self {
        let seconds = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
        Self(seconds.map(Duration::from_secs).to_vec())
    }
}

impl Schedule {
    /// Of these pauses; none is longer than a day.
    #[must_use]
    pub fn new(pauses: Vec<Duration>) -> Self {
        Self(pauses.into_iter().map(|pause| pause.min(LONGEST)).collect())
    }

    /// How often a message is tried.
    #[must_use]
    pub const fn tries(&self) -> usize {
        self.0.len().saturating_add(1)
    }

    /// The pause after so many tries that failed, up to a tenth longer by the fall of a die; none
    /// where it was the last.
    #[must_use]
    pub fn pause(&self, failed: u32, die: u8) -> Option<Duration> {
        let at = usize::try_from(failed).ok()?.checked_sub(1)?;
        let pause = *self.0.get(at)?;
        let tenth = pause.checked_div(10)?;
        // A die of 255 falls on the whole tenth.
        Some(pause.saturating_add(tenth.saturating_mul(u32::from(die)).checked_div(255)?))
    }
}

/// For how long somebody asks not to be called: `Retry-After`, in seconds or as a date.
#[must_use]
pub(super) fn asked_pause(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    let pause = if let Ok(seconds) = header.parse::<u32>() {
        Duration::from_secs(u64::from(seconds))
    } else {
        let date = DateTimeParser::new().parse_timestamp(header).ok()?;
        let ahead = date.as_microsecond().saturating_sub(now.0);
        Duration::from_micros(u64::try_from(ahead).ok()?)
    };
    Some(pause.min(LONGEST))
}

/// A moment so much later than another.
#[must_use]
pub(super) fn later(now: Timestamp, pause: Duration) -> Timestamp {
    Timestamp(now.0.saturating_add(micros(pause)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    // covers: API-18
    #[test]
    fn ten_tries_over_the_pauses_of_the_scheme() {
        let schedule = Schedule::default();
        assert_eq!(schedule.tries(), 10);
        let pauses: Vec<u64> =
            (1..10).map(|failed| schedule.pause(failed, 0).expect("a pause").as_secs()).collect();
        let hours = |hours: u64| hours * 3_600;
        let long = [2, 5, 10, 14, 20, 24].map(hours);
        assert_eq!(pauses, [&[5, 300, 1_800][..], &long].concat());
        assert_eq!((schedule.pause(0, 0), schedule.pause(10, 0)), (None, None));
        let longest = schedule.pause(1, 255).expect("a pause");
        assert_eq!(longest, Duration::from_millis(5_500));
        let none = Schedule::new(Vec::new());
        assert_eq!((none.tries(), none.pause(1, 9)), (1, None));
    }

    #[test]
    fn a_pause_that_is_asked_for_is_in_seconds_or_a_date_and_at_most_a_day() {
        let now = Timestamp::from_unix_seconds(1_795_780_800); // 27 November 2026, noon
        let asked = |text| asked_pause(text, now).map(|pause| pause.as_secs());
        assert_eq!(asked("120"), Some(120));
        assert_eq!(asked(" 0 "), Some(0));
        assert_eq!(asked("Fri, 27 Nov 2026 12:01:30 GMT"), Some(90));
        assert_eq!(asked("4000000000"), Some(86_400));
        assert_eq!(asked("Sat, 27 Nov 2027 12:01:30 GMT"), Some(86_400));
        for none in ["", "-1", "soon", "1.5", "Fri, 27 Nov 2026 11:59:59 GMT", "99999999999"] {
            assert_eq!(asked(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn jitter_adds_a_tenth_at_most(failed in 1..10_u32, die in any::<u8>()) {
            let schedule = Schedule::default();
            let least = schedule.pause(failed, 0).expect("a pause");
            let pause = schedule.pause(failed, die).expect("a pause");
            prop_assert!(pause >= least && pause <= least + least / 10);
        }
    }
}
