//! Makes, starts, adopts and stops the server by PostgreSQL's own programs. It must never pass a
//! setting that weakens durability, and never delete data.

use std::ffi::OsString;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use sqlx::{ConnectOptions, Connection};
use tokio::process::Command;

use super::account::Account;
use super::binaries::Binaries;
use super::layout::{Layout, Password, give, make_directory, remove_if_there, write_private};
use super::pid_file::PidFile;
use super::{
    DatabaseUrl, MAINTENANCE_DATABASE, Options, PrivatePostgresError, SUPERUSER, pid_file,
};

/// How often a start is tried again for one of the [`PASSING`] reasons.
const START_ATTEMPTS: u32 = 10;

/// What the log says when another try will do: the port was snatched between our finding it free
/// and the server's own bind; the children of a killed server have not all noticed yet.
const PASSING: [&str; 2] = ["Address already in use", "pre-existing shared memory block"];

/// How long a fast shutdown may take, in seconds: it writes a checkpoint.
const STOP_SECONDS: u64 = 120;

/// How often, and for how long, one looks whether a server that has stopped is still a process.
const GONE_LOOK: Duration = Duration::from_millis(2);
const GONE_LOOKS: u32 = 2_500;

/// How much of the server's log an error repeats.
const LOG_LINES: usize = 20;

/// One cluster on disk and the programs for it.
#[derive(Debug)]
pub(super) struct Cluster {
    layout: Layout,
    binaries: Binaries,
    account: Option<Account>,
    options: Options,
}

impl Cluster {
    pub(super) fn new(
        layout: Layout,
        binaries: Binaries,
        account: Option<Account>,
        options: Options,
    ) -> Self {
        Self { layout, binaries, account, options }
    }

    pub(super) fn directory(&self) -> &Path {
        self.layout.root()
    }

    /// Makes the cluster unless it exists; the superuser's password either way.
    pub(super) async fn ensure_made(&self) -> Result<Password, PrivatePostgresError> {
        if self.layout.cluster_version()?.is_some() {
            return self.layout.read_password();
        }
        // Made beside its place and renamed, so that a cluster is there whole or not at all.
        let unfinished = self.layout.unfinished();
        if unfinished.exists() {
            std::fs::remove_dir_all(&unfinished)
                .map_err(PrivatePostgresError::io("removing the unfinished", &unfinished))?;
        }
        make_directory(&unfinished, 0o700)?;
        give(&unfinished, self.account.as_ref())?;
        let password = self.layout.new_password()?;
        let copy = self.layout.initdb_password();
        write_private(&copy, &password)?;
        give(&copy, self.account.as_ref())?;
        let made = self.initdb(&unfinished, &copy).await;
        remove_if_there(&copy)?;
        made?;
        std::fs::rename(&unfinished, self.layout.pgdata())
            .and_then(|()| std::fs::File::open(self.layout.root())?.sync_all())
            .map_err(PrivatePostgresError::io("putting in place", &self.layout.pgdata()))?;
        Ok(password)
    }

    async fn initdb(&self, pgdata: &Path, password: &Path) -> Result<(), PrivatePostgresError> {
        let mut arguments: Vec<OsString> = vec!["-D".into(), pgdata.into()];
        let username = format!("--username={SUPERUSER}");
        arguments.extend(
            [
                "--encoding=UTF8",
                "--locale=C",
                "--auth=scram-sha-256",
                "--data-checksums",
                username.as_str(),
            ]
            .map(OsString::from),
        );
        let mut password_file = OsString::from("--pwfile=");
        password_file.push(password);
        arguments.push(password_file);
        if self.options.temporary {
            arguments.push("--no-sync".into());
        }
        self.run("initdb", &arguments).await.map(drop)
    }

    /// The port of a server that already runs on the cluster and knows our password.
    pub(super) async fn adopt(
        &self,
        password: &Password,
    ) -> Result<Option<u16>, PrivatePostgresError> {
        let pgdata = self.layout.pgdata();
        let began = Instant::now();
        let mut detail = "it has not opened its port".to_owned();
        loop {
            let Some(file) = pid_file::read(&pgdata)? else { return Ok(None) };
            if !pid_file::is_server_of(file.pid, &pgdata) {
                // Left by a crash. PostgreSQL clears it away itself, unless the number belongs to
                // another program by now. (Its shared memory guards against us being wrong.)
                if pid_file::is_number_taken(file.pid) {
                    remove_if_there(&pgdata.join("postmaster.pid"))?;
                }
                return Ok(None);
            }
            if let Some(port) = file.port {
                match serves(port, password, &pgdata).await {
                    Ok(true) => return Ok(Some(port)),
                    Ok(false) => detail = format!("port {port} serves another cluster"),
                    Err(error) => detail = error.to_string(),
                }
            }
            if began.elapsed() >= self.options.start_timeout {
                let seconds = self.options.start_timeout.as_secs();
                let pid = file.pid;
                return Err(PrivatePostgresError::NotAdoptable {
                    path: pgdata,
                    pid,
                    seconds,
                    detail,
                });
            }
            // It may be recovering, or stopping: look again.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Starts the server and waits until it answers; the port it listens on.
    pub(super) async fn start(&self) -> Result<u16, PrivatePostgresError> {
        let wal_compression = self.wal_compression().await?;
        let mut attempt = 1;
        loop {
            let port = free_port()?;
            let logged = std::fs::metadata(self.layout.log()).map_or(0, |log| log.len());
            let settings = self.settings(port, wal_compression);
            let seconds = self.options.start_timeout.as_secs().max(1).to_string();
            let mut arguments = self.pg_ctl("start", &seconds);
            arguments.extend(["-l".into(), self.layout.log().into()]);
            arguments.extend(["-o".into(), settings.into()]);
            let output = self.output("pg_ctl", &arguments).await?;
            if output.status.success() {
                return Ok(port);
            }
            let said = self.log_since(logged);
            if attempt < START_ATTEMPTS && PASSING.iter().any(|passing| said.contains(passing)) {
                attempt += 1;
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
            return Err(PrivatePostgresError::Program {
                program: "pg_ctl start",
                status: output.status,
                output: format!("{}\n{said}", printed(&output)),
            });
        }
    }

    /// Ends the server: no new connections, transactions rolled back, checkpoint, exit.
    pub(super) async fn stop(&self) -> Result<(), PrivatePostgresError> {
        let server = pid_file::read(&self.layout.pgdata())?;
        let mut arguments = self.pg_ctl("stop", &STOP_SECONDS.to_string());
        arguments.extend(["-m".into(), "fast".into()]);
        let output = self.output("pg_ctl", &arguments).await?;
        // Somebody else's stop is as good as ours.
        if output.status.success() || pid_file::read(&self.layout.pgdata())?.is_none() {
            self.until_gone(server).await;
            return Ok(());
        }
        Err(PrivatePostgresError::Program {
            program: "pg_ctl stop",
            status: output.status,
            output: printed(&output),
        })
    }

    /// A server takes its file away some moments before it ends, and `pg_ctl` waits for the file.
    async fn until_gone(&self, server: Option<PidFile>) {
        let Some(PidFile { pid, .. }) = server else { return };
        for _ in 0..GONE_LOOKS {
            if !pid_file::is_server_of(pid, &self.layout.pgdata()) {
                return;
            }
            tokio::time::sleep(GONE_LOOK).await;
        }
    }

    fn pg_ctl(&self, action: &str, seconds: &str) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec![action.into(), "-D".into()];
        arguments.push(self.layout.pgdata().into());
        arguments.extend(["-w", "-s", "-t", seconds].map(OsString::from));
        arguments
    }

    /// Given on the command line, where no configuration file can override them. TCP only: the
    /// path of a Unix socket may have 107 bytes, fewer than data directories do.
    fn settings(&self, port: u16, wal_compression: &str) -> String {
        let shared_buffers = format!("{}MB", self.options.shared_buffers_mb);
        let max_wal = format!("{}MB", self.options.max_wal_mb);
        let max_connections = self.options.max_connections.to_string();
        let port = port.to_string();
        let settings = [
            ("listen_addresses", "127.0.0.1"),
            ("port", &port),
            ("unix_socket_directories", ""),
            ("fsync", "on"),
            ("synchronous_commit", "on"),
            ("full_page_writes", "on"),
            ("wal_compression", wal_compression),
            ("shared_buffers", &shared_buffers),
            ("max_connections", &max_connections),
            ("max_wal_size", &max_wal),
            // Segments are used again for as long as they may be: a new one is written full of
            // zeros while a commit waits for it.
            ("min_wal_size", &max_wal),
            // Dirty pages go to the disk a few at a time, soon, and by the background writer. Left
            // to the kernel they go half a minute later and all at once, and commits wait behind
            // hundreds of megabytes.
            ("bgwriter_delay", "20ms"),
            ("bgwriter_lru_maxpages", "1000"),
            ("bgwriter_lru_multiplier", "4"),
            ("backend_flush_after", "256kB"),
            ("checkpoint_timeout", "15min"),
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
            ("logging_collector", "off"),
            // Without DETAIL lines: those repeat the values of rows.
            ("log_error_verbosity", "terse"),
        ];
        settings.map(|(name, value)| format!("-c {name}={value}")).join(" ")
    }

    /// lz4 where this PostgreSQL was built with it (an option of 15 and later).
    async fn wal_compression(&self) -> Result<&'static str, PrivatePostgresError> {
        let mut arguments: Vec<OsString> = vec!["-D".into(), self.layout.pgdata().into()];
        arguments.extend(["-C", "wal_compression", "-c", "wal_compression=lz4"].map(Into::into));
        let accepted = self.output("postgres", &arguments).await?.status.success();
        Ok(if accepted { "lz4" } else { "on" })
    }

    async fn run(
        &self,
        program: &'static str,
        arguments: &[OsString],
    ) -> Result<Output, PrivatePostgresError> {
        let output = self.output(program, arguments).await?;
        if output.status.success() {
            return Ok(output);
        }
        let status = output.status;
        Err(PrivatePostgresError::Program { program, status, output: printed(&output) })
    }

    /// Runs a program of PostgreSQL as the account it must have, away from our terminal's process
    /// group: an interrupt there is ours to handle. (`pg_ctl` gives the server its own session.)
    async fn output(
        &self,
        program: &'static str,
        arguments: &[OsString],
    ) -> Result<Output, PrivatePostgresError> {
        let path = self.binaries.program(program);
        let mut command = Command::new(&path);
        command.args(arguments).env("LC_ALL", "C").current_dir("/");
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PG") {
                command.env_remove(name);
            }
        }
        let environment = self.options.environment.iter();
        command.envs(environment.map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).process_group(0);
        if let Some(account) = &self.account {
            // std also drops supplementary groups when root sets a user id.
            command.gid(account.gid).uid(account.uid);
        }
        command.output().await.map_err(PrivatePostgresError::io("running", &path))
    }

    /// The end of what the server logged after its first `offset` bytes.
    fn log_since(&self, offset: u64) -> String {
        let bytes = std::fs::read(self.layout.log()).unwrap_or_default();
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let text = String::from_utf8_lossy(bytes.get(start..).unwrap_or_default());
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }
}

/// Whether the server on `port` takes our password and serves this very directory.
async fn serves(port: u16, password: &Password, pgdata: &Path) -> Result<bool, sqlx::Error> {
    let url = DatabaseUrl::local(port, password, MAINTENANCE_DATABASE)
        .map_err(|error| sqlx::Error::Configuration(error.into()))?;
    let mut connection = url.connect_options().connect().await?;
    let directory: String =
        sqlx::query_scalar("SHOW data_directory").fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(PathBuf::from(directory) == pgdata)
}

/// A port nobody has at this moment.
fn free_port() -> Result<u16, PrivatePostgresError> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(PrivatePostgresError::io("finding a free port on", Path::new("127.0.0.1")))
}

fn printed(output: &Output) -> String {
    let both = [&output.stderr, &output.stdout].map(|text| String::from_utf8_lossy(text));
    both.map(|text| text.trim().to_owned()).join("\n").trim().to_owned()
}
