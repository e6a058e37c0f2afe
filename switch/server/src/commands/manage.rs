//! Commands to a running switch, sent through its control socket. It owns their arguments; each
//! becomes one operation, and its result is printed as JSON.

use std::process::ExitCode;

use admin_api::operation::{Kind, Operation};
use admin_api::setup_operation::SetupOperation;
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use super::fees::{self, FeesCommand};
use super::processor::{self, ProcessorCommand};
use crate::cli::SocketArgs;
use crate::control_socket;

/// One identifier, and the switch.
#[derive(Debug, Args)]
pub struct Id {
    /// The identifier
    pub(super) id: i64,
    /// How the switch is reached
    #[command(flatten)]
    pub(super) socket: SocketArgs,
}

/// What a pool is for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum KindArg {
    /// Topping up a customer charges it
    Credit,
    /// Each authorization charges it
    Deposit,
}

/// Pools.
#[derive(Debug, Subcommand)]
pub enum PoolCommand {
    /// Make an empty pool
    Open {
        /// Whose
        #[arg(long)]
        partner: i64,
        /// For what
        #[arg(long)]
        kind: KindArg,
        /// Of what, as EUR
        #[arg(long)]
        currency: String,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Book money that came into it
    Reload {
        /// The pool
        #[arg(long)]
        pool: i64,
        /// How much, in major units
        #[arg(long)]
        amount: String,
        /// The bank's reference
        #[arg(long)]
        reference: String,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Its level, holds and what is left
    Show(Id),
}

/// Programmes.
#[derive(Debug, Subcommand)]
pub enum ProgrammeCommand {
    /// Make a programme
    Create {
        /// Whose
        #[arg(long)]
        partner: i64,
        /// Its name for people
        #[arg(long)]
        name: String,
        /// First eight-digit BIN
        #[arg(long)]
        bin_low: u32,
        /// Last eight-digit BIN [default: the first]
        #[arg(long)]
        bin_high: Option<u32>,
        /// Digits of a card number
        #[arg(long, default_value_t = 16)]
        pan_length: u8,
        /// Its currency, as EUR
        #[arg(long)]
        currency: String,
        /// The pool that funds it: credit or deposit, as it was opened
        #[arg(long)]
        pool: i64,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// How it is set up: names of keys and their users, never a key
    Show(Id),
    /// How all of them are, or those of a partner
    List {
        /// Whose
        #[arg(long)]
        partner: Option<i64>,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Change it, in force for the next order; what is not named stays, what is empty is no more
    #[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
    Set {
        /// The programme
        #[arg(long)]
        programme: i64,
        /// Its name for people
        #[arg(long, group = "what")]
        name: Option<String>,
        /// What the processor calls the place where its cards are made
        #[arg(long, group = "what")]
        terminal: Option<String>,
        /// By which its partner names it where it orders cards
        #[arg(long, group = "what")]
        configuration_id: Option<String>,
        /// Where its cards are at home, as AT
        #[arg(long, group = "what")]
        home_country: Option<String>,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Who makes its cards
    #[command(subcommand)]
    Processor(ProcessorCommand),
    /// What its cards and accounts cost
    #[command(subcommand)]
    Fees(FeesCommand),
}

/// Customers.
#[derive(Debug, Subcommand)]
pub enum CustomerCommand {
    /// Register a customer; the same reference gives the same customer again
    Create {
        /// Whose customer
        #[arg(long)]
        partner: i64,
        /// The partner's own name for the customer
        #[arg(long)]
        reference: String,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Decline every authorization of the customer
    Block(Id),
    /// Let the customer spend again
    Unblock(Id),
}

/// Balances.
#[derive(Debug, Subcommand)]
pub enum BalanceCommand {
    /// Open an account
    Open {
        /// Under which programme
        #[arg(long)]
        programme: i64,
        /// For whom
        #[arg(long)]
        customer: i64,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Give the customer money
    Credit {
        /// The account
        #[arg(long)]
        balance: i64,
        /// How much, in major units
        #[arg(long)]
        amount: String,
        /// A reference of yours
        #[arg(long)]
        reference: String,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Send money from one account to another of the same partner
    Transfer {
        /// The account that pays
        #[arg(long)]
        from: i64,
        /// The account that gets it
        #[arg(long)]
        to: i64,
        /// How much, in major units
        #[arg(long)]
        amount: String,
        /// A reference of yours
        #[arg(long)]
        reference: String,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// What became of a transfer: in transit, credited, or why it was given back
    TransferShow(Id),
    /// Decline every authorization of it (1041)
    Block(Id),
    /// Let it be spent from again
    Unblock(Id),
    /// Close it for good; it must be empty
    Close(Id),
    /// Its amounts
    Show(Id),
}

/// Cards.
#[derive(Debug, Subcommand)]
pub enum CardCommand {
    /// Issue a card
    Issue {
        /// The account it spends from
        #[arg(long)]
        balance: i64,
        /// Last month of validity, YYMM
        #[arg(long)]
        expiry: u16,
        /// Awaiting activation, as a card in the post is
        #[arg(long)]
        inactive: bool,
        /// Print the number, which is done for numbers that begin with 9999 only
        #[arg(long)]
        reveal_test_pan: bool,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Activate a card
    Activate(Id),
    /// Lock a card
    Lock {
        /// The card
        id: i64,
        /// 1 lost, 2 stolen, 3 query, 4 consolidation, 5 retired, 6 PIN tries, 7 fraud,
        /// 8 replaced, 11 offline PIN tries; 1, 2, 5 and 8 are for ever
        #[arg(long)]
        code: u8,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Unlock a card
    Unlock(Id),
    /// Lock a card at the request of a network or an acquirer, as its file action would
    LockOutside {
        /// The card
        id: i64,
        /// Who asks for it, as visa; it stands in the audit trail beside you
        #[arg(long)]
        source: String,
        /// The lock code; with --unlock the one that the card must have
        #[arg(long, required_unless_present = "unlock")]
        code: Option<u8>,
        /// Unlock it instead; never from 1, 2, 5 or 8
        #[arg(long)]
        unlock: bool,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Remove a card for good
    Remove(Id),
    /// Its status and lock
    Show(Id),
}

/// Sends an operation and prints its result.
pub(super) async fn send(
    socket: SocketArgs,
    operation: impl Serialize,
) -> anyhow::Result<ExitCode> {
    let key = socket.key.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    let result = control_socket::call(&socket.socket, key, operation).await?;
    println!("{}", serde_json::to_string_pretty(&result)?);
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn pool(command: PoolCommand) -> anyhow::Result<ExitCode> {
    let (socket, operation) = match command {
        PoolCommand::Open { partner, kind, currency, socket } => {
            let kind = match kind {
                KindArg::Credit => Kind::Credit,
                KindArg::Deposit => Kind::Deposit,
            };
            (socket, Operation::PoolOpen { partner, kind, currency })
        }
        PoolCommand::Reload { pool, amount, reference, socket } => {
            (socket, Operation::PoolReload { pool, amount, reference })
        }
        PoolCommand::Show(Id { id, socket }) => (socket, Operation::PoolShow { pool: id }),
    };
    send(socket, operation).await
}

pub(super) async fn programme(command: ProgrammeCommand) -> anyhow::Result<ExitCode> {
    match command {
        ProgrammeCommand::Create {
            partner,
            name,
            bin_low,
            bin_high,
            pan_length,
            currency,
            pool,
            socket,
        } => {
            let bin_high = bin_high.unwrap_or(bin_low);
            let operation = Operation::ProgrammeCreate {
                partner,
                name,
                bin_low,
                bin_high,
                pan_length,
                currency,
                pool,
            };
            send(socket, operation).await
        }
        ProgrammeCommand::Show(Id { id, socket }) => {
            send(socket, SetupOperation::SetupProgrammeShow { programme: id }).await
        }
        ProgrammeCommand::List { partner, socket } => {
            send(socket, SetupOperation::SetupProgrammeList { partner }).await
        }
        ProgrammeCommand::Set {
            programme,
            name,
            terminal,
            configuration_id,
            home_country,
            socket,
        } => {
            let operation = SetupOperation::SetupProgrammeSet {
                programme,
                name,
                terminal,
                configuration_id,
                home_country,
            };
            send(socket, operation).await
        }
        ProgrammeCommand::Processor(command) => processor::run(command).await,
        ProgrammeCommand::Fees(command) => fees::run(command).await,
    }
}

pub(super) async fn customer(command: CustomerCommand) -> anyhow::Result<ExitCode> {
    let (socket, operation) = match command {
        CustomerCommand::Create { partner, reference, socket } => {
            (socket, Operation::CustomerCreate { partner, reference })
        }
        CustomerCommand::Block(Id { id, socket }) => {
            (socket, Operation::CustomerBlock { customer: id })
        }
        CustomerCommand::Unblock(Id { id, socket }) => {
            (socket, Operation::CustomerUnblock { customer: id })
        }
    };
    send(socket, operation).await
}

pub(super) async fn balance(command: BalanceCommand) -> anyhow::Result<ExitCode> {
    let (socket, operation) = match command {
        BalanceCommand::Open { programme, customer, socket } => {
            (socket, Operation::BalanceOpen { programme, customer })
        }
        BalanceCommand::Credit { balance, amount, reference, socket } => {
            (socket, Operation::BalanceCredit { balance, amount, reference })
        }
        BalanceCommand::Transfer { from, to, amount, reference, socket } => {
            (socket, Operation::BalanceTransfer { from, to, amount, reference })
        }
        BalanceCommand::TransferShow(Id { id, socket }) => {
            (socket, Operation::TransferShow { transfer: id })
        }
        BalanceCommand::Block(Id { id, socket }) => {
            (socket, Operation::BalanceBlock { balance: id })
        }
        BalanceCommand::Unblock(Id { id, socket }) => {
            (socket, Operation::BalanceUnblock { balance: id })
        }
        BalanceCommand::Close(Id { id, socket }) => {
            (socket, Operation::BalanceClose { balance: id })
        }
        BalanceCommand::Show(Id { id, socket }) => (socket, Operation::BalanceShow { balance: id }),
    };
    send(socket, operation).await
}

pub(super) async fn card(command: CardCommand) -> anyhow::Result<ExitCode> {
    let (socket, operation) = match command {
        CardCommand::Issue { balance, expiry, inactive, reveal_test_pan, socket } => {
            let active = !inactive;
            (socket, Operation::CardIssue { balance, expiry, active, reveal_test_pan })
        }
        CardCommand::Activate(Id { id, socket }) => (socket, Operation::CardActivate { card: id }),
        CardCommand::Lock { id, code, socket } => (socket, Operation::CardLock { card: id, code }),
        CardCommand::Unlock(Id { id, socket }) => (socket, Operation::CardUnlock { card: id }),
        CardCommand::LockOutside { id, source, code, unlock, socket } => {
            (socket, Operation::CardLockOutside { card: id, source, code, unlock })
        }
        CardCommand::Remove(Id { id, socket }) => (socket, Operation::CardRemove { card: id }),
        CardCommand::Show(Id { id, socket }) => (socket, Operation::CardShow { card: id }),
    };
    send(socket, operation).await
}

pub(super) async fn status(socket: SocketArgs) -> anyhow::Result<ExitCode> {
    send(socket, Operation::Status).await
}
