//! What a run is to do, and what came of it. It owns when a run counts: the fault was seen to fire,
//! after enough approvals, with enough in flight.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::checker::Violation;
use crate::kinds::Kind;

/// Approvals that must have been received before the fault.
const APPROVALS: usize = 100;
/// Requests that must be in flight at it.
const IN_FLIGHT: usize = 20;

/// One run to be made.
pub(crate) struct RunPlan<'a> {
    pub(crate) kind: &'a Kind,
    pub(crate) seed: u64,
    /// Counts the runs of its kind, also those that did not count.
    pub(crate) number: usize,
    pub(crate) directory: PathBuf,
}

/// What came of a run.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) fired: bool,
    pub(crate) approvals_before: usize,
    pub(crate) in_flight: usize,
    pub(crate) violations: Vec<Violation>,
    /// Lines for people where there is a violation.
    pub(crate) told: Vec<String>,
    /// How many requests of each sort were answered.
    pub(crate) answered: BTreeMap<&'static str, usize>,
    /// How long each phase took, for whoever wonders what runs wait for.
    pub(crate) phases: Vec<(&'static str, Duration)>,
    /// Set where this machine cannot make this fault.
    pub(crate) unsupported: Option<String>,
}

impl Outcome {
    /// The phases in one line.
    pub(crate) fn tell_phases(&self) -> String {
        let phases = self.phases.iter();
        let told = phases.map(|(name, time)| format!("{name} {}", time.as_millis()));
        told.collect::<Vec<_>>().join(", ")
    }

    pub(crate) const fn counts(&self) -> bool {
        self.fired && self.approvals_before >= APPROVALS && self.in_flight >= IN_FLIGHT
    }
}
