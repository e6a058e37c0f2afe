//! The table at the end of a run. Must show counts only.

use std::fmt::Write as _;

use super::tally::Outcome;

/// Answers by kind of request and DE39, latencies, rates and faults, for people.
#[must_use]
pub fn table(outcome: &Outcome) -> String {
    let Outcome { report, answers, latency } = outcome;
    let mut out = format!("{:<24}{:>6}{:>12}\n", "request", "DE39", "answers");
    let mut previous = "";
    for ((row, code), count) in answers {
        let name = if *row == previous { "" } else { row };
        let _ = writeln!(out, "{name:<24}{code:>6}{count:>12}");
        previous = row;
    }
    let _ = writeln!(
        out,
        "\nsent {}, answered {}, approved {}, reversed {}, completed {}, others {}, repeated {}, \
         unexpected {}, unanswered {}",
        report.sent,
        report.answered,
        report.approved,
        report.reversed,
        report.completed,
        report.others.values().sum::<u64>(),
        report.repeated,
        report.unexpected,
        report.unanswered
    );
    let _ = writeln!(
        out,
        "latency from the intended time: p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, max {:.2} ms",
        latency.p50_ms, latency.p99_ms, latency.p999_ms, latency.max_ms
    );
    let _ =
        writeln!(out, "{} approvals a second, seed {}", report.approvals_per_second, report.seed);
    for sample in &report.unexpected_samples {
        let _ = writeln!(out, "! {sample}");
    }
    out
}
