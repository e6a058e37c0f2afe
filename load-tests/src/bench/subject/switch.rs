//! The switch as it is released: its own binary, its own configuration, ports given by the system.
//! Must set nothing that an operator would not, apart from where everything lies.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use switch_store::private_postgres::DatabaseUrl;

use super::child::Server;

/// A switch that serves.
pub(crate) struct Switch {
    server: Server,
    pub(crate) address: SocketAddr,
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

impl Switch {
    /// Starts it and waits until it serves.
    pub(crate) fn start(starting: &Starting<'_>) -> Result<Switch> {
        let Starting { binary, directory, database, settings, take_over } = starting;
        let binary = binary.map_or_else(beside, |binary| Ok(binary.to_owned()))?;
        ensure!(binary.exists(), "{} is not built", binary.display());
        std::fs::create_dir_all(directory)?;
        let socket = directory.join("control.sock");
        let mut command = Command::new(binary);
        command
            .arg("serve")
            .args(take_over.then_some("--take-over"))
            .env("CARDSWITCH_DATABASE__URL", database.expose())
            .env("CARDSWITCH_LINKS__BENCH__ID", "1")
            .env("CARDSWITCH_LINKS__BENCH__LISTEN", "127.0.0.1:0")
            .env("CARDSWITCH_HTTP__LISTEN", "127.0.0.1:0")
            .env("CARDSWITCH_CONTROL__SOCKET", &socket)
            .env("CARDSWITCH_SECURITY__PAN_KEY_FILE", directory.join("pan.key"))
            .env("CARDSWITCH_JOURNAL__ARCHIVE_DIR", directory.join("archive"))
            .env("CARDSWITCH_JOURNAL__LOST_DIR", directory.join("lost"))
            .env("CARDSWITCH_LOG__FILTER", "warn");
        for (name, value) in *settings {
            command.env(name, value);
        }
        let (server, said) = Server::start(command)?;
        let address = |place: &serde_json::Value| -> Result<SocketAddr> {
            Ok(place.as_str().context("the switch names no address")?.parse()?)
        };
        let serving = &said["serving"];
        Ok(Switch {
            server,
            address: address(&serving["links"]["bench"])?,
            socket,
            http: address(&serving["http"])?,
        })
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
