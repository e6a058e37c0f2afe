//! The command line. It owns names, arguments and help; what a command does stands in `commands`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// A real-time card authorization host: ISO 8583 over TCP, decided in memory, written through to
/// PostgreSQL before every answer.
#[derive(Debug, Parser)]
#[command(name = "cardswitch", version, about, long_about = LONG_ABOUT, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const LONG_ABOUT: &str = "\
A real-time card authorization host. Networks and processors connect over TCP and speak ISO 8583; \
each authorization is decided from memory, written through to PostgreSQL, and only then answered.

First steps:
  cardswitch demo                      everything at once, on a private PostgreSQL
  cardswitch config check my.toml      is this configuration right?
  cardswitch iso decode --dialect iso87-ascii message.hex
                                       what is in these bytes?
  cardswitch serve --config my.toml    serve until Ctrl-C
  cardswitch partner create --name Acme   (and pool, programme, customer, balance, card):
                                       commands to a running switch, through its control socket
  cardswitch explain 1099511627781     why was this declined?
  cardswitch audit --config my.toml    is every hold, every coin and every row accounted for?

The configuration is one TOML file; any key can be set from the environment, as in
CARDSWITCH_HTTP__LISTEN=127.0.0.1:9000. DATABASE_URL names a PostgreSQL server; without one a \
private server is run in a data directory.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve until Ctrl-C or SIGTERM
    Serve {
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
        /// End the process that owns the shards now, even if it seems alive
        #[arg(long)]
        take_over: bool,
    },
    /// Show the whole thing: private PostgreSQL, 1,000 cards, simulated traffic, checked books
    Demo(DemoArgs),
    /// Bring the database to this version, and stop
    Migrate {
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Check chain, books and tables against the journal; exit code 1 if anything is wrong.
    /// `audit verify` follows the records of the management API instead
    Audit(super::commands::AuditArgs),
    /// The journal: archive what is past, change the number of shards, reconcile what was lost
    #[command(subcommand)]
    Journal(super::commands::JournalCommand),
    /// The ledger: trial balance, statement of an account, what waits in suspense
    #[command(subcommand)]
    Ledger(super::commands::LedgerCommand),
    /// Why an authorization was answered as it was, and what came of it
    Explain(super::commands::ExplainArgs),
    /// Work on configurations
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Dialects: forms of ISO 8583 as files
    #[command(subcommand)]
    Dialect(super::commands::DialectCommand),
    /// Single messages: what is in these bytes?
    #[command(subcommand)]
    Iso(super::commands::IsoCommand),
    /// Keys: the ceremony of the local master key, making, taking in and replacing keys
    #[command(subcommand)]
    Keys(super::commands::KeysCommand),
    /// The vault: the keys that card numbers are encrypted with, and their rotation
    #[command(subcommand)]
    Vault(super::commands::VaultCommand),
    /// The certificate authority that signs client certificates of partners
    #[command(subcommand)]
    Ca(super::commands::CaCommand),
    /// Links: how they stand; pause, resume and drain them, read their certificates again
    #[command(subcommand)]
    Link(super::commands::LinkCommand),
    /// Partners: institutions whose cards are served
    #[command(subcommand)]
    Partner(super::commands::PartnerCommand),
    /// Operators: people at the panel, by password and authenticator application
    #[command(subcommand)]
    Operator(super::commands::OperatorCommand),
    /// Pools: partners' credit and deposit money
    #[command(subcommand)]
    Pool(super::commands::PoolCommand),
    /// Programmes: card products
    #[command(subcommand)]
    Programme(super::commands::ProgrammeCommand),
    /// Customers: end users
    #[command(subcommand)]
    Customer(super::commands::CustomerCommand),
    /// Balances: customers' accounts
    #[command(subcommand)]
    Balance(super::commands::BalanceCommand),
    /// Cards
    #[command(subcommand)]
    Card(super::commands::CardCommand),
    /// Spend controls: limits, toggles, lists of what a card may be used for
    #[command(subcommand)]
    Controls(super::commands::ControlsCommand),
    /// Fees: what is due is charged, and what was charged in a month
    #[command(subcommand)]
    Fees(super::commands::ChargingCommand),
    /// Exchange rates, and which programmes take other currencies than their own
    #[command(subcommand)]
    Rates(super::commands::RatesCommand),
    /// Card security: what programmes verify, what cards are compared with
    #[command(subcommand)]
    Security(super::commands::SecurityCommand),
    /// Attempts at guessing cards: which merchants are blocked for it, and taking that back
    #[command(subcommand)]
    Attacks(super::commands::AttacksCommand),
    /// Clearing files: settle what a network or a processor says was cleared
    #[command(subcommand)]
    Clearing(super::commands::ClearingCommand),
    /// Reconciliations: what peers said was settled, beside what was
    #[command(subcommand)]
    Reconciliation(super::commands::ReconciliationCommand),
    /// What a running switch serves
    Status(SocketArgs),
}

/// Where the configuration is.
#[derive(Clone, Debug, Args)]
pub struct ConfigArgs {
    /// The configuration file; without one the defaults and the environment hold
    #[arg(long, short, env = "CARDSWITCH_CONFIG")]
    pub config: Option<PathBuf>,
}

/// Work on configurations.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check a configuration and name every fault with its line; exit code 2 if there is one
    Check {
        /// The file
        path: PathBuf,
    },
}

/// How a running switch is reached.
#[derive(Clone, Debug, Args)]
pub struct SocketArgs {
    /// The switch's control socket
    #[arg(long, env = "CARDSWITCH_CONTROL__SOCKET", default_value = "data/cardswitch.sock")]
    pub socket: PathBuf,
    /// Idempotency key: send the same again and it is done once [default: a new one]
    #[arg(long)]
    pub key: Option<String>,
}

/// How the demo runs.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Seconds of traffic; 0 serves until Ctrl-C
    #[arg(long, default_value_t = 20)]
    pub seconds: u64,
    /// Messages a second
    #[arg(long, default_value_t = 500)]
    pub rate: u64,
    /// Where demo.json and the demo's data go
    #[arg(long, default_value = "target/demo")]
    pub dir: PathBuf,
    /// Cards to make
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(40..))]
    pub cards: u32,
    /// The simulator [default: cardswitch-sim beside this program]
    #[arg(long)]
    pub simulator: Option<PathBuf>,
}
