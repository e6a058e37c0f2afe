//! How long to wait before trying again: doubling, capped, with full jitter, so that many who
//! failed together do not come back together. It never gives up; its caller may.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(2);

/// The waits of one series of attempts.
#[derive(Debug)]
pub(crate) struct BackOff {
    ceiling: Duration,
}

impl BackOff {
    /// A new series.
    pub(crate) const fn new() -> Self {
        Self { ceiling: FIRST }
    }

    /// The next wait: anything up to a ceiling that doubles.
    pub(crate) fn next_wait(&mut self) -> Duration {
        let wait = self.ceiling.mul_f64(rand::random::<f64>());
        self.ceiling = (self.ceiling * 2).min(LONGEST);
        wait
    }
}
