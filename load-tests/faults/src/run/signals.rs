//! Signals to processes that the harness started, by their ids. It must never signal a process by
//! name.

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

/// Sends a signal, as `KILL` or `STOP`.
pub(super) async fn send(signal: &str, pids: &[u32]) -> Result<()> {
    if pids.is_empty() {
        return Ok(());
    }
    let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
    let status = Command::new("kill").arg(format!("-{signal}")).args(&pids).output().await;
    let output = status.context("running kill")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "kill -{signal} {}: {}", pids.join(" "), said.trim());
    Ok(())
}

/// Whether a process is there and is no zombie.
pub(super) fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}
