//! A private cluster that lives as long as one process and leaves nothing behind, however that
//! process ends. It is for tests and for commands under test, never for data worth keeping.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::{DatabaseUrl, MAINTENANCE_DATABASE, Options, PrivatePostgres, PrivatePostgresError};

/// Waits for its standard input to close, which happens when the owner has ended in whatever way;
/// then ends the server (SIGQUIT: at once, the data is thrown away) and removes the directory.
const WATCHDOG: &str = r#"
cat >/dev/null
pid=$(head -n 1 "$1/pgdata/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ]; then
    kill -QUIT "$pid" 2>/dev/null
    tries=0
    while [ -e "$1/pgdata/postmaster.pid" ] && [ "$tries" -lt 100 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
fi
rm -rf -- "$1"
"#;

/// A running cluster in a new directory below the system's temporary directory.
#[derive(Debug)]
pub(super) struct TemporaryCluster {
    postgres: PrivatePostgres,
    directory: PathBuf,
    /// Holds the pipe whose closing sets the watchdog to work.
    watchdog: Child,
}

impl TemporaryCluster {
    pub(super) async fn start() -> Result<Self, PrivatePostgresError> {
        let unique = uuid::Uuid::new_v4().simple();
        let directory = std::env::temp_dir().join(format!("cardswitch-temporary-{unique}"));
        super::layout::make_directory(&directory, 0o711)?;
        // Before the server: from here on nothing can be left behind.
        let watchdog = watch(&directory)?;
        let options = Options {
            shared_buffers_mb: 128,
            max_connections: 400, // many tests, each with pools of its own
            temporary: true,
            ..Options::new(&directory)
        };
        let postgres = PrivatePostgres::start(&options).await?;
        Ok(Self { postgres, directory, watchdog })
    }

    /// The superuser's way in.
    pub(super) fn url(&self) -> Result<DatabaseUrl, PrivatePostgresError> {
        self.postgres.url(MAINTENANCE_DATABASE)
    }

    /// Ends the server and removes its directory.
    pub(super) async fn stop(mut self) -> Result<(), PrivatePostgresError> {
        let stopped = self.postgres.stop().await;
        drop(self.watchdog.stdin.take());
        let directory = self.directory;
        let mut watchdog = self.watchdog;
        let ended = tokio::task::spawn_blocking(move || watchdog.wait()).await;
        ended
            .map_err(std::io::Error::other)
            .and_then(|ended| ended.map(drop))
            .map_err(PrivatePostgresError::io("removing", &directory))?;
        stopped
    }
}

/// Starts the watchdog, in a process group that no terminal interrupts.
fn watch(directory: &std::path::Path) -> Result<Child, PrivatePostgresError> {
    Command::new("/bin/sh")
        .args(["-c", WATCHDOG, "cardswitch-watchdog"])
        .arg(directory)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(PrivatePostgresError::io("starting the watchdog of", directory))
}
