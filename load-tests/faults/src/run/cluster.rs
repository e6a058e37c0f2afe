//! A PostgreSQL of the harness' own, killed and revived again and again. It owns the cluster and
//! its directory; a watchdog removes both when the harness ends in whatever way.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use switch_store::private_postgres::{DatabaseUrl, Options, PrivatePostgres};

use super::shim::Shim;
use super::{full_disk, signals};

/// Waits for the end of its input, which comes when the harness ends; then ends what still runs.
const WATCHDOG: &str = r#"
cat >/dev/null
for pid in $(cat "$1/children" 2>/dev/null); do
    grep -q cardswitch "/proc/$pid/cmdline" 2>/dev/null && kill -KILL "$pid" 2>/dev/null
done
pid=$(head -n 1 "$1/pgdata/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ]; then
    kill -CONT "$pid" 2>/dev/null; kill -QUIT "$pid" 2>/dev/null
    tries=0
    while [ -d "/proc/$pid" ] && [ "$tries" -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
fi
if mountpoint -q "$1" 2>/dev/null; then umount -l "$1" 2>/dev/null; fi
rm -rf -- "$1"
"#;

/// A cluster.
pub(crate) struct Cluster {
    directory: PathBuf,
    postgres: Option<PrivatePostgres>,
    options: Options,
    /// Preloaded into the server; or why there is none.
    shim: Result<Shim, String>,
    /// Holds the pipe whose closing sets the watchdog to work.
    _watchdog: Child,
}

impl Cluster {
    /// Makes one on a small volume of its own; `None` where none can be mounted.
    pub(crate) async fn start_on_small_volume(directory: &Path) -> Result<Option<Self>> {
        if !full_disk::mount(directory)? {
            return Ok(None);
        }
        Self::start(directory).await.map(Some)
    }

    /// Makes one and starts it.
    pub(crate) async fn start(directory: &Path) -> Result<Self> {
        make_open_directory(directory)?;
        let watchdog = watch(directory)?;
        let shim = Shim::make(directory).map_err(|error| format!("{error:#}"));
        let options = Options {
            environment: shim.as_ref().map(Shim::for_disk).unwrap_or_default(),
            shared_buffers_mb: 64,
            max_connections: 100,
            start_timeout: Duration::from_secs(60),
            temporary: true,
            ..Options::new(directory)
        };
        let directory = directory.into();
        let mut cluster = Self { directory, postgres: None, options, shim, _watchdog: watchdog };
        cluster.revive().await?;
        Ok(cluster)
    }

    /// Starts the server if it is dead, waits for it if it recovers. It may listen elsewhere.
    pub(crate) async fn revive(&mut self) -> Result<()> {
        // The lock on the directory is given back first.
        drop(self.postgres.take());
        let started = PrivatePostgres::start(&self.options).await;
        self.postgres = Some(started.context("starting PostgreSQL")?);
        Ok(())
    }

    pub(crate) fn port(&self) -> u16 {
        self.postgres.as_ref().map_or(0, PrivatePostgres::port)
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The shim in the server, or why there is none.
    pub(crate) fn shim(&self) -> Result<&Shim, &str> {
        self.shim.as_ref().map_err(String::as_str)
    }

    /// The log of the server.
    pub(crate) fn log(&self) -> PathBuf {
        self.directory.join("log").join("postgres.log")
    }

    pub(crate) fn url(&self, database: &str) -> Result<DatabaseUrl> {
        let postgres = self.postgres.as_ref().context("PostgreSQL is not started")?;
        Ok(postgres.url(database)?)
    }

    /// The same through another port.
    pub(crate) fn url_by(&self, port: u16, database: &str) -> Result<String> {
        let (ours, other) = (format!(":{}/", self.port()), format!(":{port}/"));
        Ok(self.url(database)?.expose().replacen(&ours, &other, 1))
    }

    /// A superuser's connection, by no proxy.
    pub(crate) async fn connect(&self, database: &str) -> Result<PgConnection> {
        let options = self.url(database)?.connect_options().application_name("cardswitch-faults");
        let options = options.disable_statement_logging();
        let connecting = options.connect();
        let connected = tokio::time::timeout(Duration::from_secs(20), connecting).await;
        Ok(connected.context("PostgreSQL does not answer")??)
    }

    /// Runs a statement in the maintenance database.
    pub(crate) async fn administer(&self, sql: String) -> Result<()> {
        let mut connection = self.connect("postgres").await?;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
        connection.close().await?;
        Ok(())
    }

    /// The postmaster, if there is one.
    pub(crate) fn postmaster(&self) -> Option<u32> {
        let file = std::fs::read_to_string(self.directory.join("pgdata/postmaster.pid")).ok()?;
        let pid = file.lines().next()?.trim().parse().ok()?;
        signals::is_alive(pid).then_some(pid)
    }

    /// Lets the watchdog know of a process that must not outlive the harness.
    pub(super) fn note_child(&self, pid: u32) -> Result<()> {
        use std::io::Write;
        let path = self.directory.join("children");
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
        writeln!(file, "{pid}")?;
        Ok(())
    }
}

/// A directory that PostgreSQL's own account can pass through.
pub(super) fn make_open_directory(directory: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let making = || format!("making {}", directory.display());
    std::fs::create_dir_all(directory).with_context(making)?;
    let mode = std::fs::Permissions::from_mode(0o711);
    std::fs::set_permissions(directory, mode).with_context(making)
}

/// In a process group that no terminal interrupts.
fn watch(directory: &Path) -> Result<Child> {
    Command::new("/bin/sh")
        .args(["-c", WATCHDOG, "cardswitch-faults-watchdog"])
        .arg(directory)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .context("starting the watchdog")
}
