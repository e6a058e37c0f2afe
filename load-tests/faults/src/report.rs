//! The table of faults, runs and violations, and its last line as JSON. It owns the wording; it
//! judges nothing but whether all is well.

use serde_json::json;

use crate::kinds::Kind;

/// What came of one kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Runs that counted.
    pub(crate) runs: usize,
    /// Runs that did not: the fault did not fire, or under too little load.
    pub(crate) repeated: usize,
    /// Runs with a violation.
    pub(crate) violated: usize,
    pub(crate) violations: usize,
    pub(crate) unsupported: Option<String>,
    /// What went wrong with the harness itself.
    pub(crate) errors: Vec<String>,
}

/// The whole.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) rows: Vec<(Kind, Tally)>,
    pub(crate) seed: u64,
    pub(crate) wanted: usize,
    pub(crate) seconds: u64,
}

impl Report {
    /// Prints it; true when every kind ran as often as it should and nothing was violated.
    pub(crate) fn print(&self) -> bool {
        println!("\n{:<24} {:>5} {:>9} {:>11}  remarks", "fault", "runs", "repeated", "violations");
        for (kind, tally) in &self.rows {
            let Tally { runs, repeated, violations, .. } = tally;
            let remark = self.remark(tally);
            println!("{:<24} {runs:>5} {repeated:>9} {violations:>11}  {remark}", kind.name);
        }
        let sum = |figure: fn(&Tally) -> usize| -> usize {
            self.rows.iter().map(|(_, tally)| figure(tally)).sum()
        };
        let unsupported = self.rows.iter().filter(|(_, tally)| tally.unsupported.is_some()).count();
        let incomplete: Vec<&str> = self
            .rows
            .iter()
            .filter(|(_, tally)| tally.unsupported.is_none() && tally.runs < self.wanted)
            .map(|(kind, _)| kind.name)
            .collect();
        let violations = sum(|tally| tally.violations);
        println!(
            "{}",
            json!({
                "kinds": self.rows.len() - unsupported,
                "runs": sum(|tally| tally.runs),
                "violations": violations,
                "violated_runs": sum(|tally| tally.violated),
                "repeated": sum(|tally| tally.repeated),
                "unsupported": unsupported,
                "incomplete": incomplete,
                "seconds": self.seconds,
                "seed": self.seed,
            })
        );
        violations == 0 && incomplete.is_empty()
    }

    fn remark(&self, tally: &Tally) -> String {
        if let Some(why) = &tally.unsupported {
            return format!("UNSUPPORTED HERE, NOT RUN: {why}");
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
