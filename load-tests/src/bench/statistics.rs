//! Medians and spreads over runs. Must never give a number out without saying how far the runs
//! were apart.

use serde::Serialize;

use super::generator::Latencies;

/// The median of some runs, and the least and the most of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
    pub(crate) runs: usize,
}

impl Spread {
    /// Of these runs; zeros of none.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Spread {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_unstable_by(f64::total_cmp);
        let (Some(least), Some(most)) = (values.first(), values.last()) else {
            return Spread::default();
        };
        Spread { median: median(&values), least: *least, most: *most, runs: values.len() }
    }
}

/// The middle of sorted values; between the two middle ones of an even number.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
        _ => sorted[middle],
    }
}

/// The ratios of pairs, each taken within its pair: what drifts between pairs is in both.
pub(crate) fn paired_ratio(pairs: &[(f64, f64)]) -> Spread {
    Spread::of(pairs.iter().filter(|(_, below)| *below > 0.0).map(|(above, below)| above / below))
}

/// Percentiles of latency, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    pub(crate) max_ms: f64,
}

impl Percentiles {
    /// Of a histogram of microseconds.
    pub(crate) fn of(latencies: &Latencies) -> Percentiles {
        let at = |quantile| latencies.value_at_quantile(quantile) as f64 / 1000.0;
        Percentiles { p50_ms: at(0.5), p99_ms: at(0.99), p999_ms: at(0.999), max_ms: at(1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_and_between_two_middles() {
        let spread = Spread::of([5.0, 1.0, 3.0]);
        assert_eq!(spread, Spread { median: 3.0, least: 1.0, most: 5.0, runs: 3 });
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 3.0]).median, 2.5);
        assert_eq!(Spread::of([7.0]).median, 7.0);
        assert_eq!(Spread::of([]), Spread::default());
    }

    #[test]
    fn ratios_are_taken_within_pairs() {
        // The machine was twice as slow in the second pair; the ratio is not.
        let ratio = paired_ratio(&[(2.0, 1.0), (4.0, 2.0), (9.0, 3.0), (1.0, 0.0)]);
        assert_eq!((ratio.median, ratio.most, ratio.runs), (2.0, 3.0, 3));
    }

    #[test]
    fn percentiles_are_of_microseconds() {
        let mut latencies = super::super::generator::latencies();
        (1..=1_000).for_each(|micros| latencies.record(micros * 10).unwrap());
        let of = Percentiles::of(&latencies);
        assert!((of.p50_ms - 5.0).abs() < 0.01 && (of.p99_ms - 9.9).abs() < 0.02, "{of:?}");
    }
}
