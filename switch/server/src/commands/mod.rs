//! The commands, one file each. It owns which function runs for which, and their exit codes.

mod attacks;
mod audit;
mod ca;
mod charging;
mod clearing;
mod controls;
mod days;
mod dialect;
mod explain;
mod fees;
mod iso;
mod journal;
mod keys;
mod ledger;
mod link;
mod manage;
mod migrate;
mod operator;
mod partner;
mod partner_choices;
mod processor;
mod rates;
mod reconcile;
mod reconciliation;
mod recorded;
mod reshard;
mod security;
mod serve;
mod vault;

pub(crate) use serve::stop_signal;

use std::path::Path;
use std::process::ExitCode;

use crate::cli::{Cli, Command, ConfigCommand};
use crate::config::{self, Config, ConfigError, Threads};
use crate::{demo, runtimes, telemetry};

pub use attacks::AttacksCommand;
pub use audit::AuditArgs;
pub use ca::CaCommand;
pub use charging::ChargingCommand;
pub use clearing::ClearingCommand;
pub use controls::ControlsCommand;
pub use dialect::DialectCommand;
pub use explain::ExplainArgs;
pub use iso::IsoCommand;
pub use journal::JournalCommand;
pub use keys::KeysCommand;
pub use ledger::LedgerCommand;
pub use link::LinkCommand;
pub use manage::{BalanceCommand, CardCommand, CustomerCommand, PoolCommand, ProgrammeCommand};
pub use operator::OperatorCommand;
pub use partner::PartnerCommand;
pub use rates::RatesCommand;
pub use reconciliation::ReconciliationCommand;
pub use security::SecurityCommand;
pub use vault::VaultCommand;

/// Runs the command that was asked for, on as many threads as its configuration says.
///
/// # Errors
/// The command failed; the message says what and what to do.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let threads = match &cli.command {
        Command::Serve { config, .. } => config::load(config.config.as_deref())?.threads,
        _ => Threads::default(),
    };
    runtimes::main(&threads)?.block_on(dispatch(cli.command))
}

async fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve { config, take_over } => {
            serve::run(&read(config.config.as_deref())?, take_over).await
        }
        Command::Demo(args) => demo::run(args).await,
        Command::Migrate { config } => migrate::run(&read(config.config.as_deref())?).await,
        Command::Audit(args) => audit::run(args).await,
        Command::Journal(command) => journal::run(command).await,
        Command::Explain(args) => explain::run(args).await,
        Command::Ledger(command) => ledger::run(command).await,
        Command::Config(ConfigCommand::Check { path }) => check(&path),
        Command::Dialect(command) => dialect::run(&command),
        Command::Iso(command) => iso::run(&command),
        Command::Keys(command) => keys::run(command),
        Command::Ca(command) => ca::run(&command),
        Command::Link(command) => link::run(command).await,
        Command::Partner(command) => partner::run(command).await,
        Command::Operator(command) => operator::run(command).await,
        Command::Pool(command) => manage::pool(command).await,
        Command::Programme(command) => manage::programme(command).await,
        Command::Customer(command) => manage::customer(command).await,
        Command::Balance(command) => manage::balance(command).await,
        Command::Card(command) => manage::card(command).await,
        Command::Controls(command) => controls::run(command).await,
        Command::Fees(command) => charging::run(command).await,
        Command::Rates(command) => rates::run(command).await,
        Command::Security(command) => security::run(command).await,
        Command::Attacks(command) => attacks::run(command).await,
        Command::Clearing(command) => clearing::run(command).await,
        Command::Reconciliation(command) => reconciliation::run(command).await,
        Command::Vault(command) => vault::run(command).await,
        Command::Status(socket) => manage::status(socket).await,
    }
}

/// 2 where the configuration is at fault, as for a wrong command line; else 1.
#[must_use]
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if error.downcast_ref::<ConfigError>().is_some() { 2 } else { 1 }
}

/// Reads the configuration and starts logging as it says.
fn read(path: Option<&Path>) -> anyhow::Result<Config> {
    let config = config::load(path)?;
    telemetry::start_logging(&config.log);
    Ok(config)
}

fn check(path: &Path) -> anyhow::Result<ExitCode> {
    let config = config::load(Some(path))?;
    println!(
        "{}: good. {} link(s), {} data shard(s).",
        path.display(),
        config.links.len(),
        config.shards.data_shards
    );
    Ok(ExitCode::SUCCESS)
}
