//! How long is waited before another attempt to connect. It owns the doubling; chance is handed in.

use std::time::Duration;

/// Attempts in a row that failed.
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    pub(super) const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0 }
    }

    pub(super) const fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// The wait after one more failure: half of the longest one of its turn and any part of the
    /// other half, so that connections do not all come back in the same moment.
    pub(super) fn failed(&mut self, chance: f64) -> Duration {
        let times = 1u32.checked_shl(self.failures.min(31)).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        let most = self.first.saturating_mul(times).min(self.longest);
        most.mul_f64(chance.clamp(0.0, 1.0).mul_add(0.5, 0.5))
    }
}

#[test]
fn waits_double_up_to_the_longest_and_begin_again() {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(1000));
    let waits: Vec<u128> = (0..6).map(|_| backoff.failed(1.0).as_millis()).collect();
    assert_eq!(waits, [100, 200, 400, 800, 1000, 1000]);
    backoff.succeeded();
    assert_eq!(backoff.failed(0.0).as_millis(), 50);
    for _ in 0..100 {
        assert!(backoff.failed(1.0) <= Duration::from_secs(1));
    }
}
