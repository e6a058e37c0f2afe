//! Runs a command with a temporary cluster around it. It adds nothing to the command's output.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitCode, ExitStatus};

use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use super::temporary::TemporaryCluster;
use super::{PrivatePostgresError, TEST_DATABASE_VARIABLE};

/// Starts a throw-away cluster, runs `command` with `CARDSWITCH_TEST_DATABASE_URL` set to a
/// superuser URL of it, stops the cluster and says how the command ended. If the variable is set
/// already, that server is used and none is started.
///
/// Ctrl-C goes to the command, which shares our terminal; SIGTERM to us kills it. The cluster goes
/// away in every case, even after `kill -9` of this process.
///
/// # Errors
/// An empty or unknown command, or a cluster that does not start or stop.
pub async fn run_with_cluster(command: Vec<OsString>) -> Result<ExitStatus, PrivatePostgresError> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(PrivatePostgresError::NoCommand);
    };
    let mut child = Command::new(program);
    child.args(arguments).kill_on_drop(true);
    if std::env::var_os(TEST_DATABASE_VARIABLE).is_some_and(|url| !url.is_empty()) {
        return wait_for(child, Path::new(program)).await;
    }
    let cluster = TemporaryCluster::start().await?;
    child.env(TEST_DATABASE_VARIABLE, cluster.url()?.expose());
    let ended = wait_for(child, Path::new(program)).await;
    let stopped = cluster.stop().await;
    let status = ended?;
    stopped.map(|()| status)
}

/// The status as a shell would pass it on: 128 and the signal's number for one killed.
#[must_use]
pub fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX))
}

async fn wait_for(
    mut command: Command,
    program: &Path,
) -> Result<ExitStatus, PrivatePostgresError> {
    let running = PrivatePostgresError::io("running", program);
    let attempt = async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut child = command.spawn()?;
        loop {
            tokio::select! {
                ended = child.wait() => return ended,
                // The terminal has sent it to the command too: wait for what that makes of it.
                _ = interrupt.recv() => {}
                _ = terminate.recv() => child.start_kill()?,
            }
        }
    };
    attempt.await.map_err(running)
}
