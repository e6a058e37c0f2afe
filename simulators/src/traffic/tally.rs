//! Counts of a run while it goes on. Must count each request once, whatever comes back.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::latency::{Latencies, Latency};
use super::report::Report;

/// Most samples of faults kept.
const SAMPLES: usize = 20;

/// The result of a run: the report, and answers by row and DE39 for the table.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// For programs.
    pub report: Report,
    /// Answers by kind of request and DE39.
    pub answers: BTreeMap<(&'static str, String), u64>,
    /// The longest latency in milliseconds, and the rest.
    pub latency: Latency,
}

/// Counts so far.
#[derive(Debug)]
pub(super) struct Tally {
    pub report: Report,
    pub answers: BTreeMap<(&'static str, String), u64>,
    pub latencies: Latencies,
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Tally {
    pub(super) fn new(seed: u64) -> Tally {
        Tally {
            report: Report { seed, ..Report::default() },
            answers: BTreeMap::new(),
            latencies: Latencies::default(),
            first: None,
            last: None,
        }
    }

    pub(super) fn sent(&mut self, intended: Instant) {
        self.report.sent += 1;
        self.first.get_or_insert(intended);
    }

    /// An answer in time, good or not.
    pub(super) fn answered(
        &mut self,
        row: &'static str,
        code: &str,
        intended: Instant,
        at: Instant,
    ) {
        self.report.answered += 1;
        *self.answers.entry((row, code.to_owned())).or_default() += 1;
        self.latencies.record(at.saturating_duration_since(intended));
        self.last = Some(at);
    }

    pub(super) fn unexpected(&mut self, what: String) {
        self.report.unexpected += 1;
        self.sample(what);
    }

    pub(super) fn unanswered(&mut self, what: String) {
        self.report.unanswered += 1;
        self.sample(what);
    }

    fn sample(&mut self, what: String) {
        if self.report.unexpected_samples.len() < SAMPLES {
            self.report.unexpected_samples.push(what);
        }
    }

    pub(super) fn finish(mut self) -> Outcome {
        let latency = self.latencies.percentiles();
        let report = &mut self.report;
        (report.p50_ms, report.p99_ms, report.p999_ms) =
            (latency.p50_ms, latency.p99_ms, latency.p999_ms);
        if let (Some(first), Some(last)) = (self.first, self.last) {
            let seconds = last.saturating_duration_since(first).as_secs_f64().max(0.001);
            let approved = f64::from(u32::try_from(report.approved).unwrap_or(u32::MAX));
            report.approvals_per_second = (approved / seconds * 10.0).round() / 10.0;
        }
        Outcome { report: self.report, answers: self.answers, latency }
    }
}
