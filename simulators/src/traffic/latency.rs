//! Latencies of a run and their percentiles. Must be given times that count from the intended
//! sending, and keep every one of them.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Percentiles of latency, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Median.
    pub p50_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
    /// 99.9th percentile.
    pub p999_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

/// Latencies from 1 microsecond to 10 minutes at three digits; longer ones count as the longest.
#[derive(Clone, Debug)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Latencies {
        let bounded = Histogram::new_with_bounds(1, 600_000_000, 3);
        Latencies(bounded.unwrap_or_else(|_| unreachable!("the bounds are constants in range")))
    }
}

impl Latencies {
    /// One more.
    pub fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_record(micros.max(1));
    }

    /// How many took at least so long.
    #[must_use]
    pub fn count_from(&self, least: Duration) -> u64 {
        let micros = u64::try_from(least.as_micros()).unwrap_or(u64::MAX);
        self.0.count_between(micros, self.0.high())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// True when there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The percentiles.
    #[must_use]
    pub fn percentiles(&self) -> Latency {
        let at = |quantile| millis(self.0.value_at_quantile(quantile));
        Latency {
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: millis(if self.0.is_empty() { 0 } else { self.0.max() }),
        }
    }
}

fn millis(micros: u64) -> f64 {
    f64::from(u32::try_from(micros).unwrap_or(u32::MAX)) / 1000.0
}
