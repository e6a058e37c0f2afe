//! What happened in a run, in order, with virtual time. It owns the words; two runs of one seed
//! have the same, byte for byte.

use std::fmt;
use std::fmt::Write as _;

use switch_shard::{Admission, ManageError, ReplyOutcome};
use switch_store::StoreEvent;
use tokio::time::Instant;

/// One thing that happened.
#[derive(Debug)]
pub(crate) enum Entry {
    /// The schedule did something to the world.
    Step(String),
    /// A copy of a request went to a process.
    Sent { token: u64, request: usize, process: u8, marked: bool },
    /// What the process said of it at once.
    Admitted { token: u64, admission: Admission },
    /// Its reply.
    Replied { token: u64, process: u8, heard: bool, outcome: ReplyOutcome },
    /// A command went to a process.
    Ordered { command: usize, process: u8 },
    /// Its result.
    Done { command: usize, result: Result<Option<i64>, ManageError> },
    /// Something in the database.
    Store(StoreEvent),
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(StoreEvent::Committed(row)) => write!(
                f,
                "row {}/{} of process {} epoch {}: {}",
                row.shard, row.seq, row.owner.0[0], row.epoch.0, row.hash
            ),
            Self::Step(what) => write!(f, "-- {what}"),
            Self::Sent { token, request, process, marked } => {
                let marked = if *marked { ", marked" } else { "" };
                write!(f, "copy {token} of request {request} to process {process}{marked}")
            }
            Self::Admitted { token, admission } => write!(f, "copy {token}: {admission:?}"),
            Self::Replied { token, process, heard, outcome } => {
                let heard = if *heard { "" } else { ", unheard" };
                write!(f, "reply to copy {token} of process {process}{heard}: {outcome:?}")
            }
            Self::Ordered { command, process } => {
                write!(f, "command {command} to process {process}")
            }
            Self::Done { command, result } => write!(f, "command {command}: {result:?}"),
            Self::Store(event) => write!(f, "{event:?}"),
        }
    }
}

/// Everything that happened, with the time since the run began.
#[derive(Debug)]
pub(crate) struct History {
    begun: Instant,
    entries: Vec<(u128, Entry)>,
}

impl History {
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), entries: Vec::new() }
    }

    pub(crate) fn add(&mut self, entry: Entry) {
        self.entries.push((self.begun.elapsed().as_micros(), entry));
    }

    /// One line for each thing.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (at, entry) in &self.entries {
            let _ = writeln!(text, "{at:>12} {entry}");
        }
        text
    }

    /// What concerns one request: its copies and their replies.
    pub(crate) fn of_request(&self, wanted: usize) -> String {
        let mut tokens = Vec::new();
        let mut text = String::new();
        for (at, entry) in &self.entries {
            let concerns = match entry {
                Entry::Sent { token, request, .. } if *request == wanted => {
                    tokens.push(*token);
                    true
                }
                Entry::Admitted { token, .. } | Entry::Replied { token, .. } => {
                    tokens.contains(token)
                }
                _ => false,
            };
            if concerns {
                let _ = writeln!(text, "{at:>12} {entry}");
            }
        }
        text
    }
}
