//! What went wrong in a load, by what it was. Must never be empty when an answer was not as wanted.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// Counts of faults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Faults(BTreeMap<String, u64>);

impl Faults {
    /// One more.
    pub(crate) fn count(&mut self, what: &str) {
        self.add(what, 1);
    }

    /// So many more.
    pub(crate) fn add(&mut self, what: &str, count: u64) {
        if count == 0 {
            return;
        }
        match self.0.get_mut(what) {
            Some(known) => *known += count,
            None => {
                self.0.insert(what.to_owned(), count);
            }
        }
    }

    /// All of another's.
    pub(crate) fn add_all(&mut self, other: &Faults) {
        other.0.iter().for_each(|(what, count)| self.add(what, *count));
    }

    /// How many in all.
    pub(crate) fn total(&self) -> u64 {
        self.0.values().sum()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = self.0.iter().map(|(what, count)| format!("{what}: {count}")).collect();
        f.write_str(&parts.join(", "))
    }
}
