//! `cardswitch audit`: of the journal, or of the records of the management API. It owns which of
//! the two is asked for.

mod journal;
mod records;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::cli::ConfigArgs;
use crate::commands::read;

/// What is audited.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AuditArgs {
    /// Something else than the journal.
    #[command(subcommand)]
    records: Option<AuditCommand>,
    /// The configuration
    #[command(flatten)]
    config: ConfigArgs,
    /// Follow the journal from its first row on, through this archive, and check every file of
    /// it [default: begin at the last snapshot in the configured directory]
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

/// The records of the management API.
#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Follow the chain of the records of the management API; exit code 1 if one was changed, taken
    /// out or moved. Keep the head that it prints elsewhere: with it, the next run notices an end
    /// that was cut off, and a chain that was written anew
    Verify {
        /// The head that an earlier run printed
        #[arg(long, value_name = "NUMBER:DIGEST")]
        head: Option<String>,
        /// Print the result as one JSON object
        #[arg(long)]
        json: bool,
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Print the head of the chain, without following it: for another system to keep
    Head {
        /// Print the result as one JSON object
        #[arg(long)]
        json: bool,
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
    },
}

pub(super) async fn run(args: AuditArgs) -> anyhow::Result<ExitCode> {
    let AuditArgs { records, config, archive, json } = args;
    match records {
        None => journal::run(&read(config.config.as_deref())?, archive, json).await,
        Some(AuditCommand::Verify { head, json, config }) => {
            records::verify(&read(config.config.as_deref())?, head.as_deref(), json).await
        }
        Some(AuditCommand::Head { json, config }) => {
            records::head(&read(config.config.as_deref())?, json).await
        }
    }
}
