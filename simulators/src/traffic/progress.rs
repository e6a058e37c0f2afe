//! What is shown while a run goes on, on standard error. Must not slow the run down, nor write
//! control sequences to anything but a terminal.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::report::Report;

/// How progress is shown.
#[derive(Debug)]
pub enum Progress {
    /// Not at all.
    Silent,
    /// A line each second.
    Lines,
    /// A line that is written over.
    Live(ProgressBar),
}

impl Progress {
    /// Live on a terminal, otherwise a line a second. `count`: requests in all.
    #[must_use]
    pub fn on_stderr(count: u64) -> Progress {
        if !std::io::stderr().is_terminal() {
            return Progress::Lines;
        }
        let bar = ProgressBar::new(count);
        let style = ProgressStyle::with_template("{elapsed_precise} {bar:30} {pos}/{len} {msg}");
        Progress::Live(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }

    /// How often to show.
    pub(super) const fn interval(&self) -> Duration {
        match self {
            Progress::Live(_) => Duration::from_millis(200),
            Progress::Silent | Progress::Lines => Duration::from_secs(1),
        }
    }

    pub(super) fn show(&self, report: &Report, in_flight: usize, p99_ms: f64) {
        let declined: u64 = report.declined_by_de39.values().sum();
        let Report { sent, approved, reversed, repeated, unexpected, .. } = report;
        let text = format!(
            "{approved} approved, {declined} declined, {reversed} reversed, {repeated} repeated, \
             {in_flight} in flight, {unexpected} unexpected, p99 {p99_ms:.1} ms"
        );
        match self {
            Progress::Silent => {}
            Progress::Lines => eprintln!("{sent} sent: {text}"),
            Progress::Live(bar) => {
                bar.set_position(*sent);
                bar.set_message(text);
            }
        }
    }

    pub(super) fn done(&self) {
        if let Progress::Live(bar) = self {
            bar.finish();
        }
    }
}
