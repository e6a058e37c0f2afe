//! The configuration: its shape, its defaults, where it is read from. It owns the meaning of every
//! key; a file that is wrong in any place is refused before a port opens, with the line named.

mod api;
mod attacks;
mod audit;
mod cards;
mod check;
mod check_links;
mod clearing;
mod controls;
mod corporations;
mod cutover;
mod encryption;
mod fees;
mod growth;
mod history;
mod holds;
mod hsm;
mod hsm_pins;
mod link_cards;
mod link_key_change;
mod link_locks;
mod link_mac;
mod link_requests;
mod link_sides;
mod links;
mod locate;
mod mail;
mod mini_statement;
mod operators;
mod overlay;
mod personalisation;
mod pools;
mod processors;
mod programmes;
mod rates;
mod read;
mod reconciliation;
mod sandbox;
mod security;
mod sessions;
mod shards;
mod tolerance;
mod users;
mod webhooks;

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

pub use api::{Api, ApiCertificates, ApiLimits, ApiListener};
pub use attacks::{AttackLimits, AttackMode, Attacks};
pub use audit::ApiAudit;
pub use cards::ApiCards;
pub use check::Fault;
pub use clearing::Clearing;
pub use controls::Controls;
pub use corporations::ApiCorporations;
pub use cutover::Cutover;
pub use fees::ApiFees;
pub use growth::{Disk, JournalFiles, Retention};
pub use history::ApiHistory;
pub use holds::{Holds, Mcc, Rule as HoldRule};
pub use hsm::{Hsm, KeyEntry as HsmKeyEntry};
pub use hsm_pins::HsmTls;
pub use link_cards::{LinkPin, UnusableChipData};
pub use link_key_change::{KeyForm, LinkKeyChange};
pub use link_mac::{Algorithm, LinkMac};
pub use link_sides::{AskClients, LinkTls, OldestVersion};
pub use links::{Link, dialect, read_dialect};
pub use mail::{ApiMail, MailWay};
pub use mini_statement::MiniStatements;
pub use operators::{ApiOperators, PasswordProfile};
pub use personalisation::ApiPersonalisation;
pub use pools::ApiPools;
pub use processors::ApiProcessor;
pub use programmes::ApiProgrammes;
pub use rates::Rates;
pub use read::{ConfigError, Source, load, parse};
pub use reconciliation::Reconciliation;
pub use sandbox::ApiSandbox;
pub use security::{Mode, Module, Security};
pub use sessions::ApiSessions;
pub use shards::Shards;
pub use tolerance::{ClearingTolerance, Rule as ToleranceRule};
pub use users::{ApiCustomers, ApiKyc};
pub use webhooks::ApiWebhooks;

/// The whole configuration. Every key has a default: an empty file is a working one, without links.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How much is refused.
    pub mode: Mode,
    /// PostgreSQL.
    pub database: Database,
    /// Keys.
    pub security: Security,
    /// Hardware security modules.
    pub hsm: Hsm,
    /// The engine's shards.
    pub shards: Shards,
    /// Threads of the process.
    pub threads: Threads,
    /// Files of the journal outside the database.
    pub journal: JournalFiles,
    /// How long holds live.
    pub holds: Holds,
    /// How far what is settled may go above what was authorized.
    pub tolerance: ClearingTolerance,
    /// Imports of clearing files.
    pub clearing: Clearing,
    /// Reconciliations with peers.
    pub reconciliation: Reconciliation,
    /// Exchange rates.
    pub rates: Rates,
    /// What holders of accounts are told by links.
    pub mini_statement: MiniStatements,
    /// How many spend controls there may be.
    pub controls: Controls,
    /// Attempts at guessing cards.
    pub attacks: Attacks,
    /// For how long history is kept.
    pub retention: Retention,
    /// The forecast of a full disk.
    pub disk: Disk,
    /// The HTTP service.
    pub http: Http,
    /// The management API.
    pub api: Api,
    /// The control socket.
    pub control: Control,
    /// The system's clock.
    pub clock: Clock,
    /// Logs.
    pub log: Log,
    /// Stopping.
    pub shutdown: Shutdown,
    /// ISO 8583 links, by name.
    pub links: std::collections::BTreeMap<String, Link>,
}

/// PostgreSQL: a server by URL, or a private one in a directory.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// A server: `postgres://user:password@host:port/database`. Without it a private one is run.
    pub url: Option<String>,
    /// Where the private server keeps everything.
    pub data_dir: PathBuf,
    /// Database in the private server.
    pub name: String,
    /// Connections for management and reports; each shard has two more of its own.
    pub max_connections: u32,
    /// Start although the server would forget commits that it acknowledged (fsync off and such).
    pub allow_settings_that_lose_money: bool,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: None,
            data_dir: PathBuf::from("data/postgres"),
            name: "cardswitch".into(),
            max_connections: 8,
            allow_settings_that_lose_money: false,
        }
    }
}

impl std::fmt::Debug for Database {
    /// Without the URL: it holds a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database")
            .field("url", &self.url.as_ref().map(|_| "hidden"))
            .field("data_dir", &self.data_dir)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Threads of the process.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Threads {
    /// For links and shards; 0: half as many as there are processors, and at least one.
    pub links: u16,
    /// For HTTP, commands and upkeep, apart from the others.
    pub management: u16,
    /// For the rows behind the answers, apart from the others.
    pub projection: u16,
}

impl Default for Threads {
    fn default() -> Self {
        Self { links: 0, management: 1, projection: 1 }
    }
}

/// The HTTP service: health and metrics.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Where it listens. Keep it on a private network: it has no authentication yet.
    pub listen: SocketAddr,
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8080)) }
    }
}

/// The control socket: how commands reach a running switch.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Control {
    /// A Unix socket that only the switch's own user can use.
    pub socket: PathBuf,
}

impl Default for Control {
    fn default() -> Self {
        Self { socket: PathBuf::from("data/cardswitch.sock") }
    }
}

/// The system's clock.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clock {
    /// The program that says whether it is synchronised, called as `timedatectl` is.
    pub asks: PathBuf,
}

impl Default for Clock {
    fn default() -> Self {
        Self { asks: "/usr/bin/timedatectl".into() }
    }
}

/// Logs, on standard error.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// How a line looks.
    pub format: LogFormat,
    /// What is logged: `info`, or `switch_shard=debug,info`.
    pub filter: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".into() }
    }
}

/// Stopping.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shutdown {
    /// How long what was taken may take to finish, in milliseconds.
    pub within_ms: u64,
}

impl Shutdown {
    pub(crate) const fn within(&self) -> std::time::Duration {
        std::time::Duration::from_millis(self.within_ms)
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self { within_ms: 10_000 }
    }
}
