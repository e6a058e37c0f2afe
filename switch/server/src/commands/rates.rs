//! Exchange rates of a running switch, and the terms on which programmes take other currencies, as
//! commands through its control socket. It owns their arguments, and how a file of rates is sent.

use std::io::BufRead;
use std::path::PathBuf;
use std::process::ExitCode;

use admin_api::rate_operation::{RateOperation, RateSpec, TermsSpec};
use anyhow::Context;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::cli::SocketArgs;
use crate::control_socket;

/// A longer line of a file of rates is refused by itself.
const LONGEST_LINE: usize = 1_024;
/// A file with more lines is not begun: there is room for as many pairs.
const MOST_LINES: usize = 1_024;

/// Exchange rates.
#[derive(Debug, Subcommand)]
pub enum RatesCommand {
    /// Put a rate in force, in place of an earlier one of its pair
    Set {
        /// What is converted, as USD
        #[arg(long)]
        from: String,
        /// Into what, as EUR
        #[arg(long)]
        to: String,
        /// What one major unit of it is worth, as 0.9234
        #[arg(long)]
        rate: String,
        /// Who quoted it
        #[arg(long)]
        source: String,
        /// When it was quoted, as 2026-11-27T16:00Z [default: now]
        #[arg(long)]
        at: Option<String>,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Take the rate of a pair out of force
    Remove {
        /// What is converted
        #[arg(long)]
        from: String,
        /// Into what
        #[arg(long)]
        to: String,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Put every rate of a file in force: a JSON object on each line, as {"from":"USD","to":"EUR",
    /// "rate":"0.9234","source":"ECB","at":"2026-11-27T16:00Z"}; exit code 1 if any is refused
    Import {
        /// The file
        file: PathBuf,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// The rates in force, and the programmes that take other currencies
    List {
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Say on which terms a programme takes amounts in other currencies, or that it declines them
    Terms {
        /// The programme
        #[arg(long)]
        programme: i64,
        /// What is added to what a purchase is worth, in basis points
        #[arg(long, default_value_t = 0)]
        markup_bp: u16,
        /// What is held above that until it is cleared, in basis points
        #[arg(long, default_value_t = 0)]
        margin_bp: u16,
        /// Add the mark-up to what the network converted as well
        #[arg(long)]
        marks_up_network: bool,
        /// Decline such amounts
        #[arg(long, conflicts_with_all = ["markup_bp", "margin_bp", "marks_up_network"])]
        decline: bool,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
}

pub(super) async fn run(command: RatesCommand) -> anyhow::Result<ExitCode> {
    let (socket, operation) = match command {
        RatesCommand::Set { from, to, rate, source, at, socket } => {
            let at = at.unwrap_or_else(|| jiff::Timestamp::now().to_string());
            (socket, RateOperation::RateSet(RateSpec { from, to, rate, source, at }))
        }
        RatesCommand::Remove { from, to, socket } => {
            (socket, RateOperation::RateRemove { from, to })
        }
        RatesCommand::List { socket } => (socket, RateOperation::RateList),
        RatesCommand::Terms {
            programme,
            markup_bp,
            margin_bp,
            marks_up_network,
            decline,
            socket,
        } => {
            let terms = TermsSpec { markup: markup_bp, margin: margin_bp, marks_up_network };
            let terms = (!decline).then_some(terms);
            (socket, RateOperation::RateTerms { programme, terms })
        }
        RatesCommand::Import { file, socket } => return import(&file, &socket).await,
    };
    let key = socket.key.unwrap_or_else(fresh_key);
    let result = control_socket::call(&socket.socket, key, operation).await?;
    println!("{}", serde_json::to_string_pretty(&result)?);
    Ok(ExitCode::SUCCESS)
}

fn fresh_key() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Sends a file line by line. What is in force already changes nothing, so that a file may be sent
/// again; a line that is refused stops no other.
async fn import(file: &std::path::Path, socket: &SocketArgs) -> anyhow::Result<ExitCode> {
    let opened = std::fs::File::open(file).with_context(|| file.display().to_string())?;
    let mut lines = Vec::new();
    for line in std::io::BufReader::new(opened).lines() {
        lines.push(line.with_context(|| file.display().to_string())?);
        anyhow::ensure!(lines.len() <= MOST_LINES, "over {MOST_LINES} lines: nothing was sent");
    }
    let (mut set, mut refused) = (0_usize, Vec::new());
    for (number, line) in (1..).zip(&lines) {
        if line.trim().is_empty() {
            continue;
        }
        match send(number, line, socket).await {
            Ok(()) => set = set.saturating_add(1),
            Err(why) => refused.push(json!({ "line": number, "why": why })),
        }
    }
    let code = if refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    let result: Value = json!({ "in_force": set, "refused": refused });
    println!("{}", serde_json::to_string_pretty(&result)?);
    Ok(code)
}

async fn send(number: usize, line: &str, socket: &SocketArgs) -> Result<(), String> {
    if line.len() > LONGEST_LINE {
        return Err(format!("over {LONGEST_LINE} bytes"));
    }
    let spec: RateSpec = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let key = socket.key.as_ref().map_or_else(fresh_key, |key| format!("{key}:{number}"));
    let sent = control_socket::call(&socket.socket, key, RateOperation::RateSet(spec)).await;
    sent.map(|_| ()).map_err(|error| error.to_string())
}
