//! What a simulated HSM counted. Must account for every command that came.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Counts since the start, and what is open now. As JSON it is what the command line prints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Connections that are open now.
    pub open: u64,
    /// Connections that were made.
    pub connected: u64,
    /// Commands, by their letters.
    pub commands: BTreeMap<String, u64>,
    /// Answers that were sent whole, by error code.
    pub answers: BTreeMap<String, u64>,
    /// Connections whose handshake of TLS failed.
    pub refused_handshakes: u64,
    /// Faults that were made.
    pub faults: u64,
}

impl Tally {
    /// How many commands of these letters came.
    #[must_use]
    pub fn commands_of(&self, letters: &str) -> u64 {
        self.commands.get(letters).copied().unwrap_or(0)
    }
}
