//! `cardswitch programme fees`: the schedule of fees of a programme as a file and as a command
//! through the control socket. It owns the arguments and how much of a file is read.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use admin_api::fee_operation::{FeeOperation, ScheduleSpec};
use anyhow::{Context, ensure};
use clap::Subcommand;

use super::manage::send;
use crate::cli::SocketArgs;

/// A longer file is not read: a schedule of the most rules is far shorter.
const LONGEST_FILE: u64 = 256 * 1_024;

/// The fees of a programme.
#[derive(Debug, Subcommand)]
pub enum FeesCommand {
    /// The schedule that is in force
    Show {
        /// The programme
        programme: i64,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Put a schedule in force, in place of the one before
    Set {
        /// The programme
        programme: i64,
        /// The whole of it, as TOML
        #[arg(long)]
        file: PathBuf,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Charge nothing any longer
    Clear {
        /// The programme
        programme: i64,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
}

pub(super) async fn run(command: FeesCommand) -> anyhow::Result<ExitCode> {
    match command {
        FeesCommand::Show { programme, socket } => {
            send(socket, FeeOperation::FeesShow { programme }).await
        }
        FeesCommand::Set { programme, file, socket } => {
            let schedule = read(&file).with_context(|| file.display().to_string())?;
            send(socket, FeeOperation::FeesSet { programme, schedule }).await
        }
        FeesCommand::Clear { programme, socket } => {
            send(socket, FeeOperation::FeesClear { programme }).await
        }
    }
}

fn read(path: &Path) -> anyhow::Result<ScheduleSpec> {
    let mut text = String::new();
    let limit = LONGEST_FILE.saturating_add(1);
    let length = std::fs::File::open(path)?.take(limit).read_to_string(&mut text)?;
    ensure!(length < usize::try_from(limit)?, "longer than {LONGEST_FILE} bytes");
    Ok(toml::from_str(&text)?)
}
