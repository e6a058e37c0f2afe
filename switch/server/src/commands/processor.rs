//! `cardswitch programme processor`: who makes the cards of a programme. It owns the arguments;
//! each becomes one operation of a running switch, and is in force for the next order.

use std::process::ExitCode;

use admin_api::processor_operation::ProcessorOperation;
use clap::{Args, Subcommand};

use super::manage::send;
use crate::cli::SocketArgs;

/// Who makes the cards of a programme.
#[derive(Debug, Subcommand)]
pub enum ProcessorCommand {
    /// Who makes them now, and who chose that when
    Show(OfProgramme),
    /// Have the cards that are ordered from now on made by a processor of the configuration
    Set {
        /// The programme
        #[arg(long)]
        programme: i64,
        /// Its name: [api.processors.NAME]
        #[arg(long)]
        processor: String,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Have them made by the switch itself again; those that were made elsewhere stay there
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

pub(super) async fn run(command: ProcessorCommand) -> anyhow::Result<ExitCode> {
    let (socket, operation) = match command {
        ProcessorCommand::Show(OfProgramme { programme, socket }) => {
            (socket, ProcessorOperation::ProgrammeProcessorShow { programme })
        }
        ProcessorCommand::Set { programme, processor, socket } => {
            (socket, ProcessorOperation::ProgrammeProcessorSet { programme, processor })
        }
        ProcessorCommand::Clear(OfProgramme { programme, socket }) => {
            (socket, ProcessorOperation::ProgrammeProcessorClear { programme })
        }
    };
    send(socket, operation).await
}
