//! What a load run came to, for people and for programs. Must keep faults apart from declines.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use simulators::traffic::{Latencies, Latency};
use tokio::time::Instant;

/// Counts and latencies of a run.
#[derive(Debug, Default)]
pub struct LoadResult {
    /// Requests sent.
    pub sent: u64,
    /// Answers with DE39 00.
    pub approved: u64,
    /// Answers with another DE39, by it.
    pub declined: BTreeMap<String, u64>,
    /// What went wrong, by what it was: unanswered, late, unmatched, duplicate, unreadable, closed.
    pub errors: BTreeMap<&'static str, u64>,
    /// Of every answer in time, from the intended sending.
    pub latencies: Latencies,
    first: Option<Instant>,
    last: Option<Instant>,
}

/// The result as one JSON object. Times are in milliseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Requests sent.
    pub sent: u64,
    /// Answers in time.
    pub answered: u64,
    /// Answers with DE39 00.
    pub approved: u64,
    /// Answers with another DE39, by it.
    pub declined: BTreeMap<String, u64>,
    /// What went wrong.
    pub errors: BTreeMap<&'static str, u64>,
    /// From the first intended sending to the last answer.
    pub seconds: f64,
    /// Answers a second.
    pub throughput: f64,
    /// Percentiles.
    #[serde(flatten)]
    pub latency: Latency,
}

impl LoadResult {
    pub(crate) fn sent(&mut self, intended: Instant) {
        self.sent += 1;
        self.first.get_or_insert(intended);
    }

    pub(crate) fn answered(&mut self, code: Option<&str>, intended: Instant, at: Instant) {
        match code {
            Some("00") => self.approved += 1,
            code => *self.declined.entry(code.unwrap_or("none").to_owned()).or_default() += 1,
        }
        self.latencies.record(at.saturating_duration_since(intended));
        self.last = Some(at);
    }

    pub(crate) fn error(&mut self, what: &'static str, count: u64) {
        if count > 0 {
            *self.errors.entry(what).or_default() += count;
        }
    }

    /// The result in numbers.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let seconds = match (self.first, self.last) {
            (Some(first), Some(last)) => last.saturating_duration_since(first).as_secs_f64(),
            _ => 0.0,
        };
        let answered = self.latencies.len();
        let count = f64::from(u32::try_from(answered).unwrap_or(u32::MAX));
        Summary {
            sent: self.sent,
            answered,
            approved: self.approved,
            declined: self.declined.clone(),
            errors: self.errors.clone(),
            seconds,
            throughput: if seconds > 0.0 { count / seconds } else { 0.0 },
            latency: self.latencies.percentiles(),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { sent, answered, approved, seconds, throughput, latency, .. } = self;
        writeln!(f, "sent {sent}, answered {answered}, approved {approved} in {seconds:.1} s")?;
        for (code, count) in &self.declined {
            writeln!(f, "declined with DE39 {code}: {count}")?;
        }
        for (what, count) in &self.errors {
            writeln!(f, "error, {what}: {count}")?;
        }
        writeln!(f, "throughput {throughput:.0} answers a second")?;
        let Latency { p50_ms, p99_ms, p999_ms, max_ms } = latency;
        writeln!(
            f,
            "latency from the intended sending: p50 {p50_ms:.2} ms, p99 {p99_ms:.2} ms, \
             p99.9 {p999_ms:.2} ms, max {max_ms:.2} ms"
        )
    }
}
