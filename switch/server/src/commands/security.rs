//! Card security of a running switch, as commands through its control socket: terms of programmes
//! from a file, references of cards. It owns their arguments; digits of a PIN reference are read
//! from standard input, never from the command line, where every process could see them.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use admin_api::security_operation::{SecurityOperation, TermsSpec};
use anyhow::Context;
use clap::Subcommand;

use crate::cli::SocketArgs;
use crate::control_socket;

/// More digits than any reference has.
const MOST_DIGITS: u64 = 64;

/// What programmes verify, and what cards are compared with.
#[derive(Debug, Subcommand)]
pub enum SecurityCommand {
    /// Say how the cards of a programme are verified, by a file of terms; or that they are not
    Terms {
        /// The programme
        #[arg(long)]
        programme: i64,
        /// The terms, as TOML: docs/card-security.md
        #[arg(required_unless_present = "none")]
        file: Option<PathBuf>,
        /// Verify nothing
        #[arg(long, conflicts_with = "file")]
        none: bool,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// How the cards of a programme are verified
    Show {
        /// The programme
        #[arg(long)]
        programme: i64,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// What is known of a card: wrong PINs that count, and what became of the last command for its
    /// chip
    Card {
        /// The card
        card: i64,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Say what stripe and chip of a card have in them
    CardData {
        /// The card
        card: i64,
        /// Its service code, three digits [default: not known]
        #[arg(long)]
        service_code: Option<u16>,
        /// Its sequence number
        #[arg(long, default_value_t = 0)]
        sequence: u8,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Give a card what its PIN is compared with, read from standard input: four digits of a
    /// verification value, or an offset; wrong PINs are forgiven
    SetPinReference {
        /// The card
        card: i64,
        /// The index of the key of a verification value [default: it is an offset]
        #[arg(long)]
        key_index: Option<u8>,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Give a card another printed code; the old one is worth nothing from then on
    ResetCode {
        /// The card
        card: i64,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
}

pub(super) async fn run(command: SecurityCommand) -> anyhow::Result<ExitCode> {
    let (socket, operation) = match command {
        SecurityCommand::Terms { programme, file, none: _, socket } => {
            let terms = file.as_deref().map(read).transpose()?.map(Box::new);
            (socket, SecurityOperation::SecurityTerms { programme, terms })
        }
        SecurityCommand::Show { programme, socket } => {
            (socket, SecurityOperation::SecurityShow { programme })
        }
        SecurityCommand::Card { card, socket } => {
            (socket, SecurityOperation::SecurityCard { card })
        }
        SecurityCommand::CardData { card, service_code, sequence, socket } => {
            (socket, SecurityOperation::SecurityCardData { card, service_code, sequence })
        }
        SecurityCommand::SetPinReference { card, key_index, socket } => {
            let mut digits = String::new();
            std::io::stdin().take(MOST_DIGITS).read_to_string(&mut digits)?;
            let digits = digits.trim().to_owned();
            (socket, SecurityOperation::SecurityPinReference { card, key_index, digits })
        }
        SecurityCommand::ResetCode { card, socket } => {
            (socket, SecurityOperation::SecurityCodeReset { card })
        }
    };
    let key = socket.key.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    let result = control_socket::call(&socket.socket, key, operation).await?;
    println!("{}", serde_json::to_string_pretty(&result)?);
    Ok(ExitCode::SUCCESS)
}

fn read(file: &std::path::Path) -> anyhow::Result<TermsSpec> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    toml::from_str(&text).with_context(|| file.display().to_string())
}
