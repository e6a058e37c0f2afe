//! The switch as it is released: its own binary, its own configuration, ports given by the system.
//! Must set nothing that an operator would not, apart from where everything lies.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use switch_store::private_postgres::DatabaseUrl;

use super::child::Server;

/// A switch that serves.
pub(crate) struct Switch {
    server: Server,
    /// Of the link that every bench has.
    pub(crate) address: SocketAddr,
    links: serde_json::Value,
    api: serde_json::Value,
    pub(crate) socket: PathBuf,
    pub(crate) http: SocketAddr,
}

/// How one is started.
#[derive(Clone, Debug)]
pub(crate) struct Starting<'a> {
    /// The binary; `None`: the one beside this program.
    pub(crate) binary: Option<&'a Path>,
    /// Where its keys and its control socket lie.
    pub(crate) directory: &'a Path,
    pub(crate) database: &'a DatabaseUrl,
    /// More settings, as environment variables.
    pub(crate) settings: &'a [(&'a str, String)],
    /// End an owner of the shards that seems alive.
    pub(crate) take_over: bool,
}

impl Starting<'_> {
    /// The binary with what every command of it needs to know.
    fn command(&self, what: &str) -> Result<Command> {
        let Starting { binary, directory, database, settings, .. } = self;
        let binary = binary.map_or_else(beside, |binary| Ok(binary.to_owned()))?;
        ensure!(binary.exists(), "{} is not built", binary.display());
        std::fs::create_dir_all(directory)?;
        let mut command = Command::new(binary);
        command
            .arg(what)
            .env("CARDSWITCH_DATABASE__URL", database.expose())
            .env("CARDSWITCH_SECURITY__PAN_KEY_FILE", directory.join("pan.key"))
            .env("CARDSWITCH_JOURNAL__ARCHIVE_DIR", directory.join("archive"))
            .env("CARDSWITCH_JOURNAL__LOST_DIR", directory.join("lost"))
            .env("CARDSWITCH_LOG__FILTER", "warn");
        command.envs(settings.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }

    /// `cardswitch keys` with this to read.
    ///
    /// # Errors
    /// It refuses.
    pub(crate) fn keys(&self, arguments: &[&str], input: &str) -> Result<()> {
        let mut command = self.command("keys")?;
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.stderr(Stdio::piped()).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes())?;
        }
        let output = child.wait_with_output()?;
        let told = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cardswitch keys {}: {told}", arguments.join(" "));
        Ok(())
    }

    /// `cardswitch audit` of what a switch left that has stopped.
    ///
    /// # Errors
    /// It says nothing that can be read.
    pub(crate) fn audit(&self) -> Result<Audit> {
        let output = self.command("audit")?.arg("--json").output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let told = String::from_utf8_lossy(&output.stderr);
        serde_json::from_str(&said).with_context(|| format!("the audit: {}", told.trim()))
    }
}

/// What an audit found.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Audit {
    pub(crate) books: String,
    pub(crate) records: u64,
    pub(crate) open_authorizations: u64,
    pub(crate) findings: Vec<String>,
}

impl Switch {
    /// Starts it and waits until it serves.
    pub(crate) fn start(starting: &Starting<'_>) -> Result<Switch> {
        let Starting { directory, take_over, .. } = starting;
        let socket = directory.join("control.sock");
        let mut command = starting.command("serve")?;
        command
            .args(take_over.then_some("--take-over"))
            .env("CARDSWITCH_LINKS__BENCH__ID", "1")
            .env("CARDSWITCH_LINKS__BENCH__LISTEN", "127.0.0.1:0")
            .env("CARDSWITCH_HTTP__LISTEN", "127.0.0.1:0")
            .env("CARDSWITCH_CONTROL__SOCKET", &socket);
        let (server, said) = Server::start(command)?;
        let address = |place: &serde_json::Value| -> Result<SocketAddr> {
            Ok(place.as_str().context("the switch names no address")?.parse()?)
        };
        let serving = &said["serving"];
        Ok(Switch {
            server,
            address: address(&serving["links"]["bench"])?,
            links: serving["links"].clone(),
            api: serving["api"].clone(),
            socket,
            http: address(&serving["http"])?,
        })
    }

    /// Where another of its links listens.
    pub(crate) fn link(&self, name: &str) -> Result<SocketAddr> {
        let address = self.links[name].as_str();
        Ok(address.with_context(|| format!("there is no link {name}"))?.parse()?)
    }

    /// Where a listener of its management API is.
    pub(crate) fn api(&self, name: &str) -> Result<SocketAddr> {
        let address = self.api[name].as_str();
        Ok(address.with_context(|| format!("the API has no listener {name}"))?.parse()?)
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// Stops it as an operator would.
    pub(crate) fn stop(self) -> Result<()> {
        let status = self.server.stop()?;
        ensure!(status.success(), "the switch ended with {status}");
        Ok(())
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(self) -> Result<()> {
        self.server.kill()
    }
}

/// The switch's binary beside this program.
fn beside() -> Result<PathBuf> {
    Ok(std::env::current_exe().context("where this program is")?.with_file_name("cardswitch"))
}
