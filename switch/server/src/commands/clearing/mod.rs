//! `cardswitch clearing import`: sends the lines of a clearing file to a running switch, some at a
//! time, and tells what they came to. It owns the reading of the file and the list of what people
//! should look at; a line is understood by the switch alone, and is printed nowhere.

mod file;
mod rejects;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use admin_api::clearing_operation::{ClearingLimits, ClearingOperation};
use admin_api::{ClearingLine, FileId};
use anyhow::{Context, bail};
use clap::Subcommand;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::SocketArgs;
use crate::control_socket::{self, LINE_LIMIT};
use file::{Line, Lines};
use rejects::{Listed, Rejects};

/// Of a request, what is left for what stands around the lines.
const AROUND: usize = 4_096;

/// Clearing files.
#[derive(Debug, Subcommand)]
pub enum ClearingCommand {
    /// Post the records of a file (docs/clearing.md); again, or after any end, it posts what is
    /// missing and nothing twice. What people should look at goes to FILE.rejects. The last line
    /// printed says what became of all records; exit code 1 if any should be looked at
    Import {
        /// The file: one JSON object a line
        file: PathBuf,
        /// Lines between two reports of how far it is
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
        progress: u64,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
}

pub(super) async fn run(command: ClearingCommand) -> anyhow::Result<ExitCode> {
    let ClearingCommand::Import { file, progress, socket } = command;
    let limits = send(&socket.socket, ClearingOperation::Begin).await?;
    let limits: ClearingLimits = serde_json::from_value(limits)?;
    let mut lines = Lines::open(&file, &limits)?;
    let id = lines.header()?;
    let rejects = Rejects::beside(&file)?;
    let mut import = Import { socket: socket.socket, id, limits, rejects, told: Told::default() };
    let done = import.carry(&mut lines, progress).await;
    let rejected = import.rejects.close()?;
    println!("{}", import.told.summary(&import.id, done.is_ok(), rejected.as_deref()));
    done.with_context(|| format!("{}: not all of it was read; import it again", file.display()))?;
    Ok(if rejected.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn send(socket: &Path, operation: ClearingOperation) -> anyhow::Result<Value> {
    let key = uuid::Uuid::new_v4().to_string();
    control_socket::call(socket, key, operation).await
}

/// What the switch says to some lines.
#[derive(Deserialize)]
struct Cleared {
    counts: BTreeMap<String, u64>,
    listed: Vec<Listed>,
}

/// An import on its way.
struct Import {
    socket: PathBuf,
    id: FileId,
    limits: ClearingLimits,
    rejects: Rejects,
    told: Told,
}

impl Import {
    async fn carry(&mut self, lines: &mut Lines, progress: u64) -> anyhow::Result<()> {
        let (mut some, mut bytes, mut next) = (Vec::new(), 0usize, progress);
        while let Some(line) = lines.next_line()? {
            let (line, length) = match line {
                Line::Text(line, length) => (line, length),
                Line::Bad(line, reason) => {
                    self.told.count("rejected", 1);
                    let advice = "correct the line and import the file again".to_owned();
                    let (record, outcome) = (None, "rejected".to_owned());
                    self.rejects.add(&Listed { line, record, outcome, reason, advice })?;
                    continue;
                }
            };
            let room = usize::try_from(LINE_LIMIT)?.saturating_sub(AROUND);
            let full = some.len() >= self.limits.in_flight || bytes.saturating_add(length) > room;
            if full {
                self.send(std::mem::take(&mut some)).await?;
                bytes = 0;
                if self.told.records() >= next {
                    println!("{}", json!({ "progress": self.told.counts(&self.id) }));
                    next = self.told.records().saturating_add(progress);
                }
            }
            bytes = bytes.saturating_add(length);
            some.push(line);
        }
        if some.is_empty() { Ok(()) } else { self.send(some).await }
    }

    async fn send(&mut self, lines: Vec<ClearingLine>) -> anyhow::Result<()> {
        let file = self.id.as_str().to_owned();
        let said = send(&self.socket, ClearingOperation::Lines { file, lines }).await?;
        let Cleared { counts, listed } = serde_json::from_value(said)?;
        for (name, count) in counts {
            self.told.count(&name, count);
        }
        listed.iter().try_for_each(|listed| self.rejects.add(listed))
    }
}

/// What records came to, by name.
struct Told(BTreeMap<String, u64>);

/// All that a record can come to.
const OUTCOMES: [&str; 10] = [
    "posted",
    "completed",
    "refunds",
    "reversed",
    "unmatched",
    "reversed_before",
    "duplicates",
    "refused",
    "suspense",
    "rejected",
];

impl Default for Told {
    fn default() -> Self {
        Self(OUTCOMES.map(|name| (name.to_owned(), 0)).into())
    }
}

impl Told {
    fn count(&mut self, name: &str, count: u64) {
        let known = self.0.entry(name.to_owned()).or_default();
        *known = known.saturating_add(count);
    }

    fn records(&self) -> u64 {
        self.0.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    fn counts(&self, file: &FileId) -> Value {
        let mut counts = json!(self.0);
        counts["file"] = json!(file.as_str());
        counts["records"] = json!(self.records());
        counts
    }

    /// The last line that is printed.
    fn summary(&self, file: &FileId, complete: bool, rejects: Option<&Path>) -> Value {
        let mut summary = self.counts(file);
        summary["complete"] = json!(complete);
        summary["rejects"] = json!(rejects);
        summary
    }
}

/// Refuses what is no clearing file before anything of it is sent.
fn not_one(path: &Path, reason: &str) -> anyhow::Error {
    anyhow::anyhow!("{}: {reason}; docs/clearing.md says what stands in a file", path.display())
}

/// A file that is larger than it may be.
fn too_large<T>(path: &Path, most: u64) -> anyhow::Result<T> {
    bail!(
        "{}: more than the {most} bytes of max_file_bytes in [clearing]; split it: each part with \
         the same first line, and the numbers of its records as they are",
        path.display()
    )
}
