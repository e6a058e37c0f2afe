//! `cardswitch attacks`: which merchants are refused which BINs since somebody tries cards there,
//! and taking that back. It owns the arguments; each command goes through the control socket and
//! prints what comes back.

use std::process::ExitCode;

use clap::Subcommand;

use crate::attack_control::AttackOperation;
use crate::cli::SocketArgs;
use crate::control_socket;

/// Attempts at guessing cards.
#[derive(Debug, Subcommand)]
pub enum AttacksCommand {
    /// The limits, and who is blocked
    List {
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Block a merchant no longer; what was counted of it begins anew
    Lift {
        /// The BIN, as `list` has it
        #[arg(long)]
        bin: u32,
        /// The merchant's acquirer (DE32)
        #[arg(long, conflicts_with = "link", required_unless_present = "link")]
        acquirer: Option<String>,
        /// The link, where its messages name no acquirer
        #[arg(long)]
        link: Option<u16>,
        /// The merchant (DE42)
        #[arg(long)]
        merchant: String,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Alarms and blocks, and who took one back; the latest first
    Events {
        /// How many
        #[arg(long, default_value_t = 100)]
        most: u32,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
}

pub(super) async fn run(command: AttacksCommand) -> anyhow::Result<ExitCode> {
    let (socket, operation) = match command {
        AttacksCommand::List { socket } => (socket, AttackOperation::List),
        AttacksCommand::Lift { bin, acquirer, link, merchant, socket } => {
            (socket, AttackOperation::Lift { bin, acquirer, link, merchant })
        }
        AttacksCommand::Events { most, socket } => (socket, AttackOperation::Events { most }),
    };
    let key = socket.key.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    let result = control_socket::call(&socket.socket, key, operation).await?;
    println!("{}", serde_json::to_string_pretty(&result)?);
    Ok(ExitCode::SUCCESS)
}
