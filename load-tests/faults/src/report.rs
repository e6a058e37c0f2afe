//! The table of faults, runs and violations, and its last line as JSON. It owns the wording; it
//! judges nothing but whether all is well.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use crate::kinds::Kind;

/// What came of one kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Runs that counted.
    pub(crate) runs: usize,
    /// Runs that did not: the fault did not fire, or under too little load.
    pub(crate) repeated: usize,
    /// All runs, also those that did not count, and how long they took together.
    pub(crate) made: usize,
    pub(crate) took: Duration,
    /// Runs with a violation.
    pub(crate) violated: usize,
    pub(crate) violations: usize,
    pub(crate) unsupported: Option<String>,
    /// Runs in which the checker caught the bug that was put in, and by which rules.
    pub(crate) caught: usize,
    pub(crate) caught_by: std::collections::BTreeSet<String>,
    /// Requests that were answered in all runs, by what they are.
    pub(crate) answered: BTreeMap<&'static str, usize>,
    /// What went wrong with the harness itself.
    pub(crate) errors: Vec<String>,
}

impl Tally {
    fn seconds_a_run(&self) -> f64 {
        self.took.as_secs_f64() / self.made.max(1) as f64
    }
}

type Row = (Kind, Tally);

/// The whole.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
    pub(crate) seed: u64,
    pub(crate) wanted: usize,
    pub(crate) seconds: u64,
}

impl Report {
    /// Prints it; true when every kind ran as often as it should, nothing was violated, and every
    /// bug that was put in was caught.
    pub(crate) fn print(&self) -> bool {
        let (bugs, faults): (Vec<&Row>, Vec<&Row>) =
            self.rows.iter().partition(|(kind, _)| kind.must_break().is_some());
        println!(
            "\n{:<28} {:>5} {:>9} {:>11} {:>9}  remarks",
            "fault", "runs", "repeated", "violations", "s a run"
        );
        for (kind, tally) in &faults {
            let Tally { runs, repeated, violations, .. } = tally;
            let remark = self.remark(tally);
            let (name, seconds) = (kind.name, tally.seconds_a_run());
            println!(
                "{name:<28} {runs:>5} {repeated:>9} {violations:>11} {seconds:>9.1}  {remark}"
            );
        }
        if !bugs.is_empty() {
            println!(
                "\n{:<28} {:>5} {:>9} {:>21}  caught by",
                "bug put in", "runs", "caught", "s a run"
            );
        }
        for (kind, tally) in &bugs {
            let by: Vec<_> = tally.caught_by.iter().cloned().collect();
            let remark = tally.unsupported.as_ref().map_or(by.join(", "), |why| unsupported(why));
            let (runs, caught, seconds) = (tally.runs, tally.caught, tally.seconds_a_run());
            println!("{:<28} {runs:>5} {caught:>9} {seconds:>21.1}  {remark}", kind.name);
        }
        self.conclude(&faults, &bugs)
    }

    fn conclude(&self, faults: &[&Row], bugs: &[&Row]) -> bool {
        let sum = |figure: fn(&Tally) -> usize| -> usize {
            faults.iter().map(|(_, tally)| figure(tally)).sum()
        };
        let is_supported = |row: &&&Row| row.1.unsupported.is_none();
        let kinds = faults.iter().filter(is_supported).count();
        let incomplete: Vec<&str> = faults
            .iter()
            .filter(is_supported)
            .filter(|(_, tally)| tally.runs < self.wanted)
            .map(|(kind, _)| kind.name)
            .collect();
        let tried: Vec<&&Row> = bugs.iter().filter(is_supported).collect();
        let caught = tried.iter().filter(|(_, tally)| tally.caught > 0).count();
        let violations = sum(|tally| tally.violations);
        let mut answered: BTreeMap<&str, usize> = BTreeMap::new();
        for (name, count) in faults.iter().flat_map(|(_, tally)| &tally.answered) {
            *answered.entry(name).or_default() += count;
        }
        println!(
            "{}",
            json!({
                "kinds": kinds,
                "runs": sum(|tally| tally.runs),
                "violations": violations,
                "violated_runs": sum(|tally| tally.violated),
                "repeated": sum(|tally| tally.repeated),
                "unsupported": self.rows.len() - kinds - tried.len(),
                "incomplete": incomplete,
                "bugs": tried.len(),
                "bugs_caught": caught,
                "answered": answered,
                "seconds": self.seconds,
                "seed": self.seed,
            })
        );
        violations == 0 && incomplete.is_empty() && caught == tried.len()
    }

    fn remark(&self, tally: &Tally) -> String {
        if let Some(why) = &tally.unsupported {
            return unsupported(why);
        }
        let short = tally.runs < self.wanted;
        let mut remarks = Vec::new();
        if short {
            remarks.push(format!("{} runs wanted", self.wanted));
        }
        if tally.violated > 0 {
            remarks.push(format!("in {} runs", tally.violated));
        }
        remarks.extend(tally.errors.iter().take(1).cloned());
        remarks.join("; ")
    }
}

fn unsupported(why: &str) -> String {
    format!("UNSUPPORTED HERE, NOT RUN: {why}")
}
