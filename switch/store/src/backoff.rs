//! How long to wait before trying again: doubling, capped, with full jitter, so that many who
//! failed together do not come back together. It never gives up; its caller may.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

const FIRST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(2);

/// The waits of one series of attempts.
#[derive(Debug)]
pub(crate) struct BackOff {
    ceiling: Duration,
    chance: SmallRng,
}

impl BackOff {
    /// A new series.
    pub(crate) fn new() -> Self {
        Self::seeded(None)
    }

    /// A new series that is the same for the same seed, where there is one.
    pub(crate) fn seeded(seed: Option<u64>) -> Self {
        let seed = seed.unwrap_or_else(rand::random);
        Self { ceiling: FIRST, chance: SmallRng::seed_from_u64(seed) }
    }

    /// The next wait: anything up to a ceiling that doubles.
    pub(crate) fn next_wait(&mut self) -> Duration {
        let wait = self.ceiling.mul_f64(self.chance.random::<f64>());
        self.ceiling = (self.ceiling * 2).min(LONGEST);
        wait
    }
}
