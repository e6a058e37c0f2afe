//! When will the disk be full? It owns the arithmetic of that forecast: the pace of the last hour,
//! and the room that is left. It measures nothing by itself.

use std::collections::VecDeque;
use std::time::Duration;

/// How far back the pace is looked at.
const WINDOW: Duration = Duration::from_secs(3_600);

/// What was used at a moment, counted from any start.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Duration,
    used: u64,
}

/// The measures of the last hour.
#[derive(Debug, Default)]
pub(crate) struct Forecast {
    samples: VecDeque<Sample>,
}

impl Forecast {
    /// Notes what is used at `at`.
    pub(crate) fn note(&mut self, at: Duration, used: u64) {
        self.samples.push_back(Sample { at, used });
        // One sample older than the window stays, so that the pace is always that of an hour.
        while self.samples.get(1).is_some_and(|second| at.saturating_sub(second.at) >= WINDOW) {
            self.samples.pop_front();
        }
    }

    /// Bytes a second; negative while more is let go than comes.
    pub(crate) fn pace(&self) -> Option<f64> {
        let (first, last) = (self.samples.front()?, self.samples.back()?);
        let seconds = last.at.saturating_sub(first.at).as_secs_f64();
        (seconds > 0.0).then(|| (last.used as f64 - first.used as f64) / seconds)
    }

    /// Seconds until `free` bytes are used up; infinite while nothing grows, and 0 once
    /// nothing is free.
    pub(crate) fn full_in(&self, free: u64) -> f64 {
        match self.pace() {
            _ if free == 0 => 0.0,
            Some(pace) if pace > 0.0 => free as f64 / pace,
            _ => f64::INFINITY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_disk_is_full_when_the_pace_of_the_last_hour_says() {
        let mut forecast = Forecast::default();
        assert_eq!(forecast.pace(), None);
        assert!(forecast.full_in(10).is_infinite());
        assert_eq!(forecast.full_in(0), 0.0);
        forecast.note(seconds(0), 1_000);
        assert_eq!(forecast.pace(), None, "one sample has no pace");
        forecast.note(seconds(100), 3_000);
        assert_eq!(forecast.pace(), Some(20.0));
        assert!((forecast.full_in(2_000) - 100.0).abs() < 1e-9);
        forecast.note(seconds(200), 500);
        assert!(forecast.pace().is_some_and(|pace| pace < 0.0));
        assert!(forecast.full_in(2_000).is_infinite(), "an archive made room");
    }

    #[test]
    fn what_is_older_than_an_hour_does_not_count() {
        let mut forecast = Forecast::default();
        for minute in 0..=180_u64 {
            // An hour of much, then two of little.
            let used = minute.min(60) * 1_000_000 + minute * 60;
            forecast.note(seconds(minute * 60), used);
        }
        assert_eq!(forecast.pace(), Some(1.0));
        assert!(forecast.samples.len() <= 62);
    }
}
