//! When the requests of an open loop ought to be sent. Must depend on nothing but the rate, so that
//! a late request stays late.

use std::time::Duration;

/// Evenly spread moments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    rate: u32,
    sent: u64,
}

impl Schedule {
    /// So many a second.
    pub(crate) fn new(rate: u32) -> Schedule {
        Schedule { rate: rate.max(1), sent: 0 }
    }

    /// When the next request is due, counted from the start.
    pub(crate) fn due(&self) -> Duration {
        let rate = u64::from(self.rate);
        let part = (self.sent % rate) * 1_000_000_000 / rate;
        Duration::from_secs(self.sent / rate) + Duration::from_nanos(part)
    }

    /// The due time of the next request, if that has come.
    pub(crate) fn take(&mut self, now: Duration) -> Option<Duration> {
        let due = self.due();
        (due <= now).then(|| {
            self.sent += 1;
            due
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_evenly_spread_and_never_drift() {
        let mut schedule = Schedule::new(3);
        let mut due = Vec::new();
        while let Some(at) = schedule.take(Duration::from_secs(1_000)) {
            due.push(at);
        }
        assert_eq!(due.len(), 3_001);
        assert_eq!(due[1], Duration::from_nanos(333_333_333));
        assert_eq!(due[3_000], Duration::from_secs(1_000));
        assert!(due.is_sorted());
    }

    #[test]
    fn a_late_look_finds_all_that_was_due_with_its_own_time() {
        let mut schedule = Schedule::new(1_000);
        assert_eq!(schedule.take(Duration::ZERO), Some(Duration::ZERO));
        assert_eq!(schedule.take(Duration::ZERO), None);
        let late = Duration::from_millis(5);
        let due: Vec<_> = std::iter::from_fn(|| schedule.take(late)).collect();
        assert_eq!(due, [1, 2, 3, 4, 5].map(Duration::from_millis));
    }
}
