//! `cardswitch fees` and `cardswitch programme fees`: what programmes charge, the run over periods,
//! and invoices, as commands to a running switch. It owns their arguments, and how a file of fees
//! is read: the members that the API has, as TOML.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use admin_api::fee_operation::FeeOperation;
use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use serde_json::Value;

use super::manage::send;
use crate::cli::SocketArgs;
use crate::control_socket;

/// The longest file of fees: a schedule has far less to say.
const LONGEST: u64 = 32 * 1_024;

/// Fees.
#[derive(Debug, Subcommand)]
pub enum FeesCommand {
    /// Charge what is due: of acts, and of periods that are over
    Run {
        /// As if this day had just begun, as 2026-12-01 [default: today]; one that has not come is
        /// taken in development alone
        #[arg(long)]
        on: Option<String>,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// What a partner's customers were charged in a month, by programme and kind
    Invoice {
        /// Whose
        partner: i64,
        /// The month, as 2026-11
        month: String,
        /// As a table for programs [default]
        #[arg(long, conflicts_with = "html")]
        csv: bool,
        /// As a page to be printed
        #[arg(long)]
        html: bool,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
}

/// What a programme charges.
#[derive(Debug, Subcommand)]
pub enum ProgrammeFeesCommand {
    /// What it charges now
    Show(OfProgramme),
    /// Have it charge what a file says and nothing else: in force for the next act, authorization
    /// and period that is over
    Set {
        /// The programme
        #[arg(long)]
        programme: i64,
        /// TOML with the members that the API takes: chargedBy = "PLATFORM", and for each fee
        /// [[rules]] with event, fixed, taken and so on
        #[arg(long)]
        file: PathBuf,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Have it charge nothing
    Clear(OfProgramme),
}

/// Of which programme.
#[derive(Debug, Args)]
pub struct OfProgramme {
    /// The programme
    #[arg(long)]
    programme: i64,
    /// How the switch is reached
    #[command(flatten)]
    socket: SocketArgs,
}

pub(super) async fn run(command: FeesCommand) -> anyhow::Result<ExitCode> {
    match command {
        FeesCommand::Run { on, socket } => send(socket, FeeOperation::FeesRun { on }).await,
        FeesCommand::Invoice { partner, month, csv: _, html, socket } => {
            let operation = FeeOperation::FeesInvoiceShow { partner, month, html };
            let key = socket.key.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
            let told = control_socket::call(&socket.socket, key, operation).await?;
            print!("{}", told.get("invoice").and_then(Value::as_str).unwrap_or_default());
            Ok(ExitCode::SUCCESS)
        }
    }
}

pub(super) async fn of_programme(command: ProgrammeFeesCommand) -> anyhow::Result<ExitCode> {
    match command {
        ProgrammeFeesCommand::Show(OfProgramme { programme, socket }) => {
            send(socket, FeeOperation::FeesShow { programme }).await
        }
        ProgrammeFeesCommand::Clear(OfProgramme { programme, socket }) => {
            send(socket, FeeOperation::FeesClear { programme }).await
        }
        ProgrammeFeesCommand::Set { programme, file, socket } => {
            let fees = read(&file).with_context(|| file.display().to_string())?;
            send(socket, FeeOperation::FeesSet { programme, fees }).await
        }
    }
}

fn read(path: &Path) -> anyhow::Result<Value> {
    let mut text = String::new();
    let file = std::fs::File::open(path)?.take(LONGEST.saturating_add(1));
    let length = std::io::BufReader::new(file).read_to_string(&mut text)?;
    ensure!(u64::try_from(length)? <= LONGEST, "longer than {LONGEST} bytes");
    Ok(toml::from_str(&text)?)
}
