//! `cardswitch operator`: people at the panel. It owns the arguments; each becomes one operation of
//! a running switch. A one-time password and the secret of a second factor are printed once, to the
//! terminal of who asked, and kept nowhere.

use std::process::ExitCode;

use admin_api::operator_operation::OperatorOperation;
use clap::{Args, Subcommand, ValueEnum};

use super::manage::send;
use crate::cli::SocketArgs;

/// What an operator may do.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum RoleArg {
    /// Read, and work on single customers
    Employee,
    /// Also make things, and decide on verifications
    Manager,
    /// Everything, operators included
    Admin,
}

impl RoleArg {
    fn name(self) -> String {
        match self {
            Self::Employee => "EMPLOYEE",
            Self::Manager => "MANAGER",
            Self::Admin => "ADMIN",
        }
        .to_owned()
    }
}

/// One operator, and the switch.
#[derive(Debug, Args)]
pub struct Name {
    /// The name that they sign in with
    #[arg(long)]
    name: String,
    /// How the switch is reached
    #[command(flatten)]
    socket: SocketArgs,
}

/// Operators.
#[derive(Debug, Subcommand)]
pub enum OperatorCommand {
    /// Add an operator: prints a one-time password, and a URI for an authenticator application.
    /// Hand them over by different ways; neither can be shown again
    Add {
        /// What they may do
        #[arg(long)]
        role: RoleArg,
        /// Who
        #[command(flatten)]
        operator: Name,
    },
    /// All operators, by name
    List(SocketArgs),
    /// Let an operator in no more, and end what they have open
    Block(Name),
    /// Let an operator in again who was blocked, locked, or not here for too long
    Unblock(Name),
    /// Give an operator a new one-time password and a new second factor
    Reset(Name),
    /// Give an operator another role, and end what they have open
    Role {
        /// What they may do from now on
        #[arg(long)]
        role: RoleArg,
        /// Who
        #[command(flatten)]
        operator: Name,
    },
}

pub(super) async fn run(command: OperatorCommand) -> anyhow::Result<ExitCode> {
    let (socket, operation) = match command {
        OperatorCommand::Add { role, operator: Name { name, socket } } => {
            (socket, OperatorOperation::OperatorAdd { name, role: role.name() })
        }
        OperatorCommand::List(socket) => (socket, OperatorOperation::OperatorList {}),
        OperatorCommand::Block(Name { name, socket }) => {
            (socket, OperatorOperation::OperatorBlock { name })
        }
        OperatorCommand::Unblock(Name { name, socket }) => {
            (socket, OperatorOperation::OperatorUnblock { name })
        }
        OperatorCommand::Reset(Name { name, socket }) => {
            (socket, OperatorOperation::OperatorReset { name })
        }
        OperatorCommand::Role { role, operator: Name { name, socket } } => {
            (socket, OperatorOperation::OperatorRole { name, role: role.name() })
        }
    };
    send(socket, operation).await
}
