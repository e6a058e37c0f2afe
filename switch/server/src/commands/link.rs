//! `cardswitch link`: how the links of a running switch stand, and what they are told to do. It
//! owns the arguments; each command goes through the control socket and prints what comes back.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::cli::SocketArgs;
use crate::control_socket;
use crate::link_control::{Asked, LinkOperation};

/// One link, and the switch.
#[derive(Debug, Args)]
pub struct Named {
    /// The link's name, as in [links.NAME]
    link: String,
    /// How the switch is reached
    #[command(flatten)]
    socket: SocketArgs,
}

/// Links.
#[derive(Debug, Subcommand)]
pub enum LinkCommand {
    /// How every link stands
    List {
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// How one link stands: state, peers, what is in flight, counts
    Show(Named),
    /// Take no new authorizations (answer 91, 907, 9107); reversals are taken, connections stay
    Pause(Named),
    /// Serve again, after a pause or a drain
    Resume(Named),
    /// Send the answers that are owed, close, and accept or dial no more until `resume`
    Drain(Named),
    /// Ask the peer whether it is there (0800 with DE70 301, or DE24 831)
    Echo(Named),
    /// Sign on (001, 801)
    SignOn(Named),
    /// Sign off (002, 802)
    SignOff(Named),
    /// Say that the business day ends (201, 821)
    CutOver {
        /// The link's name, as in [links.NAME]
        link: String,
        /// The day that begins, as DE15 of the dialect has it: MMDD in 1987
        #[arg(long)]
        settlement_date: Option<String>,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
    /// Make a new key and send it to the peer (101, 811); the one before is still taken for a while
    ExchangeKey(Named),
    /// Read certificates, keys and CAs again; what cannot be used is named, and changes nothing
    Reload {
        /// One link alone [default: every link that has any]
        link: Option<String>,
        /// How the switch is reached
        #[command(flatten)]
        socket: SocketArgs,
    },
}

pub(super) async fn run(command: LinkCommand) -> anyhow::Result<ExitCode> {
    let (socket, operation) = match command {
        LinkCommand::List { socket } => (socket, LinkOperation::List),
        LinkCommand::Show(Named { link, socket }) => (socket, LinkOperation::Show { link }),
        LinkCommand::Pause(Named { link, socket }) => (socket, LinkOperation::Pause { link }),
        LinkCommand::Resume(Named { link, socket }) => (socket, LinkOperation::Resume { link }),
        LinkCommand::Drain(Named { link, socket }) => (socket, LinkOperation::Drain { link }),
        LinkCommand::Echo(named) => ask(named, Asked::Echo),
        LinkCommand::SignOn(named) => ask(named, Asked::SignOn),
        LinkCommand::SignOff(named) => ask(named, Asked::SignOff),
        LinkCommand::CutOver { link, settlement_date, socket } => {
            let request = Asked::CutOver;
            (socket, LinkOperation::Request { link, request, settlement_date })
        }
        LinkCommand::ExchangeKey(Named { link, socket }) => {
            (socket, LinkOperation::ExchangeKey { link })
        }
        LinkCommand::Reload { link, socket } => (socket, LinkOperation::Reload { link }),
    };
    let key = socket.key.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    let result = control_socket::call(&socket.socket, key, operation).await?;
    println!("{}", serde_json::to_string_pretty(&result)?);
    Ok(ExitCode::SUCCESS)
}

fn ask(named: Named, request: Asked) -> (SocketArgs, LinkOperation) {
    let Named { link, socket } = named;
    (socket, LinkOperation::Request { link, request, settlement_date: None })
}
