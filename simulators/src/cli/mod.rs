//! The command line of `cardswitch-sim`. Must only read arguments, call the library and print.

mod bureau;
mod drive;
mod hsm;
mod kyc;
mod network;
mod one_shot;
mod processor;
mod sandbox;
mod verified;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};

use simulators::acquirer::Channel;

/// Terminals and networks to try a running `cardswitch` with.
///
/// Every command but `network`, `hsm`, `kyc`, `processor`, `sandbox` and `bureau work` reads
/// `demo.json`, which `cardswitch demo` writes when it starts, for the address, the framing and the
/// test cards.
#[derive(Debug, Parser)]
#[command(name = "cardswitch-sim", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run demo traffic at a fixed rate and check every answer; exit code 1 if one is wrong or
    /// missing.
    Drive(drive::Args),
    /// Cards that are verified: chips sign, holders enter PINs, and a share of it is wrong on
    /// purpose; prints what they were answered as JSON; exit code 1 if an answer is wrong or
    /// missing.
    Verified(verified::Args),
    /// The bureau that makes cards.
    #[command(subcommand)]
    Bureau(verified::Bureau),
    /// A payment network that an issuer's link dials, or that dials the issuer; prints what it
    /// counted as JSON.
    Network(Box<network::Args>),
    /// A payment HSM that speaks host commands and fails when told to; prints its key blocks and
    /// what it counted as JSON.
    Hsm(Box<hsm::Args>),
    /// A provider that verifies customers over HTTPS and fails when told to; prints what it counted
    /// as JSON.
    Kyc(Box<kyc::Args>),
    /// A processor elsewhere that makes cards over HTTPS and fails when told to; prints what it
    /// counted as JSON.
    Processor(Box<processor::Args>),
    /// What the switch's sandbox calls are done by (api.sandbox): plays authorizations and what
    /// follows them over its link, and the bureau.
    Sandbox(Box<sandbox::Args>),
    /// A chip card in a shop terminal.
    Pos(one_shot::TerminalArgs),
    /// Cash from a machine.
    Atm(one_shot::TerminalArgs),
    /// A web shop.
    Ecom(one_shot::TerminalArgs),
    /// Take a purchase back; without --original, makes the purchase first.
    Reverse(one_shot::ReverseArgs),
    /// Network management: are you there (0800, DE70 301)?
    Echo(one_shot::LinkArgs),
    /// Network management: sign on (0800, DE70 001).
    SignOn(one_shot::LinkArgs),
}

/// Where a one-shot's table goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Output {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// Nowhere.
    None,
}

impl Cli {
    pub(crate) async fn run(self) -> Result<ExitCode> {
        match self.command {
            Command::Drive(args) => return args.run().await,
            Command::Verified(args) => return args.run().await,
            Command::Network(args) => return args.run().await,
            Command::Bureau(act) => return act.run().await,
            Command::Hsm(args) => return args.run().await,
            Command::Kyc(args) => return args.run().await,
            Command::Processor(args) => return args.run().await,
            Command::Sandbox(args) => return args.run().await,
            Command::Pos(args) => args.run(Channel::Pos).await?,
            Command::Atm(args) => args.run(Channel::Atm).await?,
            Command::Ecom(args) => args.run(Channel::Ecommerce).await?,
            Command::Reverse(args) => args.run().await?,
            Command::Echo(args) => args.echo().await?,
            Command::SignOn(args) => args.sign_on().await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
