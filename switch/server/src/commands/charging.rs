//! `cardswitch fees`: the run over what is due, and invoices, as commands to a running switch. It
//! owns their arguments.

use std::process::ExitCode;

use admin_api::charging_operation::ChargingOperation;
use clap::Subcommand;
use serde_json::Value;

use super::manage::send;
use crate::cli::SocketArgs;
use crate::control_socket;

/// Fees that are due, and months.
#[derive(Debug, Subcommand)]
pub enum ChargingCommand {
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

pub(super) async fn run(command: ChargingCommand) -> anyhow::Result<ExitCode> {
    match command {
        ChargingCommand::Run { on, socket } => {
            send(socket, ChargingOperation::ChargingRun { on }).await
        }
        ChargingCommand::Invoice { partner, month, csv: _, html, socket } => {
            let operation = ChargingOperation::ChargingInvoiceShow { partner, month, html };
            let key = socket.key.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
            let told = control_socket::call(&socket.socket, key, operation).await?;
            print!("{}", told.get("invoice").and_then(Value::as_str).unwrap_or_default());
            Ok(ExitCode::SUCCESS)
        }
    }
}
