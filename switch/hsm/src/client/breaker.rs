//! When a unit gets no more calls, and when it gets them again. It owns the rule, and reads no
//! clock.

use std::time::Duration;

use tokio::time::Instant;

/// Failures in a row, and what follows from them.
#[derive(Clone, Debug)]
pub(super) struct Breaker {
    most: u32,
    open_for: Duration,
    failures: u32,
    /// Until when there are no calls; then a trial decides.
    open_until: Option<Instant>,
}

impl Breaker {
    pub(super) const fn new(most: u32, open_for: Duration) -> Self {
        Self { most, open_for, failures: 0, open_until: None }
    }

    /// Whether calls may go to the unit.
    pub(super) const fn is_closed(&self) -> bool {
        self.open_until.is_none()
    }

    /// When a trial is due.
    pub(super) const fn trial_at(&self) -> Option<Instant> {
        self.open_until
    }

    /// A call was answered.
    pub(super) const fn answered(&mut self) {
        self.failures = 0;
    }

    /// A call failed, or a trial; true where that opens it.
    pub(super) fn failed(&mut self, now: Instant) -> bool {
        self.failures = self.failures.saturating_add(1);
        let opens = self.open_until.is_none() && self.failures >= self.most;
        if opens || self.open_until.is_some_and(|until| until <= now) {
            self.open_until = Some(now.checked_add(self.open_for).unwrap_or(now));
        }
        opens
    }

    /// The unit answered a trial; true where that closes it. One that comes before its time, asked
    /// for before it opened, says nothing.
    pub(super) fn trial_passed(&mut self, now: Instant) -> bool {
        let due = self.open_until.is_some_and(|until| until <= now);
        if due {
            self.open_until = None;
            self.failures = 0;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Duration = Duration::from_secs(2);

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_open_it_and_a_trial_closes_it() {
        let now = Instant::now();
        let mut breaker = Breaker::new(3, OPEN);
        for _ in 0..10 {
            assert!(!breaker.failed(now) && !breaker.failed(now));
            breaker.answered();
        }
        assert!(!breaker.failed(now) && !breaker.failed(now) && breaker.failed(now));
        assert!(!breaker.is_closed());
        assert_eq!(breaker.trial_at(), Some(now + OPEN));
        assert!(!breaker.failed(now), "it opens once");
        assert!(!breaker.trial_passed(now + OPEN / 2), "not before its time");
        assert!(!breaker.failed(now + OPEN), "a trial that fails");
        assert_eq!(breaker.trial_at(), Some(now + OPEN * 2));
        breaker.answered();
        assert!(!breaker.is_closed(), "a late answer closes nothing");
        assert!(breaker.trial_passed(now + OPEN * 2));
        assert!(breaker.is_closed() && !breaker.failed(now));
        assert!(!breaker.trial_passed(now), "there is nothing to close");
    }
}
