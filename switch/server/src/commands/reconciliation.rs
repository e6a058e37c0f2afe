//! `cardswitch reconciliation list`: what peers said was settled over their links, beside what the
//! switch had. It owns the arguments; a running switch reads the table.

use std::process::ExitCode;

use admin_api::operation::Operation;
use clap::Subcommand;

use crate::cli::SocketArgs;
use crate::control_socket;

/// Reconciliations.
#[derive(Debug, Subcommand)]
pub enum ReconciliationCommand {
    /// Those that were answered, the latest first
    List {
        /// The `id` of one link [default: of all]
        #[arg(long)]
        link: Option<u16>,
        /// So many at most
        #[arg(long, default_value_t = 100)]
        #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000))]
        most: u32,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
}

pub(super) async fn run(command: ReconciliationCommand) -> anyhow::Result<ExitCode> {
    let ReconciliationCommand::List { link, most, socket } = command;
    let key = socket.key.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    let operation = Operation::ReconciliationList { link, most };
    let listed = control_socket::call(&socket.socket, key, operation).await?;
    println!("{}", serde_json::to_string_pretty(&listed)?);
    Ok(ExitCode::SUCCESS)
}
