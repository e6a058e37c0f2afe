//! When a processor that fails is asked no more, and when it is tried again. It owns the rule, and
//! reads no clock.

use std::time::Duration;

use tokio::time::Instant;

/// Failures in a row, and what follows from them.
#[derive(Clone, Debug)]
pub(super) struct Breaker {
    most: u32,
    pause: Duration,
    failures: u32,
    /// Until when nothing is asked; then one question is let through for each pause.
    open_until: Option<Instant>,
}

impl Breaker {
    pub(super) const fn new(most: u32, pause: Duration) -> Self {
        Self { most, pause, failures: 0, open_until: None }
    }

    /// Whether a question may go to the processor now. Of one that goes to find out, whose asker
    /// may leave, nothing is remembered but when the next one may.
    pub(super) fn admits(&mut self, now: Instant) -> bool {
        match self.open_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                self.open_until = Some(self.later(now));
                true
            }
        }
    }

    /// There was an answer; true where that closes it.
    pub(super) const fn answered(&mut self) -> bool {
        self.failures = 0;
        self.open_until.take().is_some()
    }

    /// There was none, or one that is none; true where that opens it.
    pub(super) fn failed(&mut self, now: Instant) -> bool {
        self.failures = self.failures.saturating_add(1);
        if self.failures < self.most {
            return false;
        }
        let opens = self.open_until.is_none();
        self.open_until = Some(self.later(now));
        opens
    }

    fn later(&self, now: Instant) -> Instant {
        now.checked_add(self.pause).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(2);

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_open_it_and_one_question_a_pause_finds_out() {
        let now = Instant::now();
        let mut breaker = Breaker::new(3, PAUSE);
        for _ in 0..10 {
            assert!(breaker.admits(now) && !breaker.failed(now) && !breaker.failed(now));
            assert!(!breaker.answered(), "it was never open");
        }
        assert!(!breaker.failed(now) && !breaker.failed(now) && breaker.failed(now));
        assert!(!breaker.admits(now) && !breaker.admits(now + PAUSE / 2));
        assert!(breaker.admits(now + PAUSE), "one finds out");
        assert!(!breaker.admits(now + PAUSE), "and no other");
        assert!(!breaker.failed(now + PAUSE), "it is open already");
        assert!(!breaker.admits(now + PAUSE * 2 - Duration::from_millis(1)));
        assert!(breaker.admits(now + PAUSE * 2));
        // Whoever asked went away: the next one finds out.
        assert!(breaker.admits(now + PAUSE * 3));
        assert!(breaker.answered() && breaker.admits(now + PAUSE * 3));
        assert!(!breaker.failed(now), "counted from the beginning");
    }
}
