//! `cardswitch partner settings` and `partner key`: what a partner chose, and the keys that its
//! answers are encrypted to. It owns the arguments; each becomes one operation of a running switch.

use std::path::PathBuf;
use std::process::ExitCode;

use admin_api::kyc::Mode;
use admin_api::partner_choice_operation::PartnerChoiceOperation;
use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};

use super::manage::send;
use super::partner::read;
use crate::cli::SocketArgs;

/// What a partner chose.
#[derive(Debug, Subcommand)]
pub enum SettingsCommand {
    /// Show what is in force for a partner
    Show(OfPartner),
    /// Choose for a partner, in force at once; what is not named stays
    #[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
    Set {
        /// The partner
        #[arg(long)]
        partner: i64,
        /// Who verifies its customers
        #[arg(long, group = "what")]
        kyc: Option<KycMode>,
        /// Whether answers are encrypted to its registered keys alone, not to a key in a request
        #[arg(long, group = "what")]
        registered_keys_only: Option<bool>,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
}

/// Registered keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Register a public key; a request that names none is answered with the newest
    Add {
        /// The partner
        #[arg(long)]
        partner: i64,
        /// The public key, as `openssl pkey -pubout` writes it
        #[arg(long = "in", value_name = "FILE")]
        file: PathBuf,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Its keys, the newest first
    List(OfPartner),
    /// Take a key out of use, for good and at once
    Retire {
        /// What tells it, as `list` shows it
        thumbprint: String,
        /// The partner
        #[arg(long)]
        partner: i64,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
}

/// Of which partner.
#[derive(Debug, Args)]
pub struct OfPartner {
    /// The partner
    #[arg(long)]
    partner: i64,
    /// How the switch is reached
    #[command(flatten)]
    socket: SocketArgs,
}

/// Who verifies customers.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum KycMode {
    /// The partner itself
    Own,
    /// An operator of the platform
    Manual,
    /// The provider that the platform asks
    Automated,
}

impl KycMode {
    const fn mode(self) -> Mode {
        match self {
            Self::Own => Mode::Own,
            Self::Manual => Mode::Manual,
            Self::Automated => Mode::Automated,
        }
    }
}

pub(super) async fn settings(command: SettingsCommand) -> anyhow::Result<ExitCode> {
    let (socket, operation) = match command {
        SettingsCommand::Show(OfPartner { partner, socket }) => {
            (socket, PartnerChoiceOperation::PartnerSettingsShow { partner })
        }
        SettingsCommand::Set { partner, kyc, registered_keys_only, socket } => {
            let kyc = kyc.map(KycMode::mode);
            let set =
                PartnerChoiceOperation::PartnerSettingsSet { partner, kyc, registered_keys_only };
            (socket, set)
        }
    };
    send(socket, operation).await
}

pub(super) async fn keys(command: KeyCommand) -> anyhow::Result<ExitCode> {
    let (socket, operation) = match command {
        KeyCommand::Add { partner, file, socket } => {
            let public_key = read(&file).with_context(|| file.display().to_string())?;
            (socket, PartnerChoiceOperation::PartnerKeyAdd { partner, public_key })
        }
        KeyCommand::List(OfPartner { partner, socket }) => {
            (socket, PartnerChoiceOperation::PartnerKeyList { partner })
        }
        KeyCommand::Retire { thumbprint, partner, socket } => {
            (socket, PartnerChoiceOperation::PartnerKeyRetire { partner, thumbprint })
        }
    };
    send(socket, operation).await
}
