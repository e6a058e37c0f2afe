//! What a load came to, window by window. Must charge an answer to the window in which its request
//! ought to have been sent, and count it in the one in which it came.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::faults::Faults;

/// Latencies from 1 microsecond to 10 minutes, in microseconds, at three digits.
pub(crate) type Latencies = Histogram<u64>;

/// An empty histogram.
pub(crate) fn latencies() -> Latencies {
    Histogram::new_with_bounds(1, 600_000_000, 3)
        .unwrap_or_else(|_| unreachable!("the bounds are constants in range"))
}

/// One measured window.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    /// Answers that came in it.
    pub(crate) answered: u64,
    /// Of the requests that ought to have been sent in it.
    pub(crate) latencies: Latencies,
    /// Processor time of the generator in it.
    pub(crate) generator_cpu: Duration,
}

/// A load that has ended.
#[derive(Clone, Debug)]
pub(crate) struct LoadResult {
    pub(crate) windows: Vec<Window>,
    pub(crate) window_time: Duration,
    pub(crate) faults: Faults,
    /// Where the numbers of the next load begin.
    pub(crate) next_number: u64,
}

impl LoadResult {
    /// Answers a second in a window.
    pub(crate) fn per_second(&self, window: usize) -> f64 {
        let answered = self.windows.get(window).map_or(0, |window| window.answered);
        answered as f64 / self.window_time.as_secs_f64()
    }
}

/// A load in progress.
pub(crate) struct Tally {
    warm_up: Duration,
    window_time: Duration,
    windows: Vec<Window>,
}

impl Tally {
    pub(crate) fn new(warm_up: Duration, window_time: Duration, windows: usize) -> Tally {
        let empty = Window { answered: 0, latencies: latencies(), generator_cpu: Duration::ZERO };
        Tally { warm_up, window_time, windows: vec![empty; windows] }
    }

    /// Where window `index` begins; where the last ends, for the number of windows.
    pub(crate) fn begins(&self, index: usize) -> Duration {
        self.warm_up + self.window_time * u32::try_from(index).unwrap_or(u32::MAX)
    }

    /// When the last window ends.
    pub(crate) fn ends(&self) -> Duration {
        self.begins(self.windows.len())
    }

    /// An answer came at `now` to what ought to have been sent at `intended`.
    pub(crate) fn answered(&mut self, intended: Duration, now: Duration) {
        if let Some(window) = self.window(now) {
            window.answered += 1;
        }
        let micros = u64::try_from(now.saturating_sub(intended).as_micros()).unwrap_or(u64::MAX);
        if let Some(window) = self.window(intended) {
            window.latencies.saturating_record(micros.max(1));
        }
    }

    /// What the generator used in a window.
    pub(crate) fn used(&mut self, window: usize, cpu: Duration) {
        if let Some(window) = self.windows.get_mut(window) {
            window.generator_cpu = cpu;
        }
    }

    pub(crate) fn finish(self, faults: Faults, next_number: u64) -> LoadResult {
        LoadResult { windows: self.windows, window_time: self.window_time, faults, next_number }
    }

    fn window(&mut self, at: Duration) -> Option<&mut Window> {
        let since = at.checked_sub(self.warm_up)?;
        let index = since.as_nanos() / self.window_time.as_nanos().max(1);
        self.windows.get_mut(usize::try_from(index).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_where_it_came_and_is_charged_where_it_was_due() {
        let ms = Duration::from_millis;
        let mut tally = Tally::new(ms(100), ms(1_000), 2);
        tally.answered(ms(50), ms(99)); // before anything counts
        tally.answered(ms(50), ms(150)); // sent before, answered in the first
        tally.answered(ms(1_000), ms(1_500)); // due in the first, answered in the second
        tally.answered(ms(2_000), ms(9_000)); // due in the second, answered after the end
        assert_eq!(tally.ends(), ms(2_100));
        let result = tally.finish(Faults::default(), 7);
        let answered: Vec<u64> = result.windows.iter().map(|window| window.answered).collect();
        assert_eq!(answered, [1, 1]);
        let charged: Vec<u64> = result.windows.iter().map(|w| w.latencies.len()).collect();
        assert_eq!(charged, [1, 1]);
        assert!(result.windows[0].latencies.max().abs_diff(500_000) < 1_000);
        assert!(result.windows[1].latencies.max().abs_diff(7_000_000) < 10_000);
    }
}
