//! The real binary as a child: started, watched, told to end. It owns the child's environment and
//! its log; whether it should be alive is the stage's affair.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::signals;
use crate::kinds::FAIL_POINT;

/// A start may take so long: it waits for a lock, and reads a tail.
const START: Duration = Duration::from_secs(30);

/// How a switch is started.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) binary: PathBuf,
    pub(crate) directory: PathBuf,
    pub(crate) keys: PathBuf,
    pub(crate) database_url: String,
    /// A number of its own within the run.
    pub(crate) generation: u32,
    pub(crate) take_over: bool,
    /// Fail points and the like.
    pub(crate) more: Vec<(String, String)>,
}

/// A running switch.
pub(crate) struct Switch {
    child: Child,
    pub(crate) pid: u32,
    pub(crate) generation: u32,
    pub(crate) link: SocketAddr,
    pub(crate) socket: PathBuf,
    pub(crate) log: PathBuf,
}

/// A start that did not come to serving.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: ExitStatus,
    pub(crate) log: PathBuf,
}

/// What became of a start.
pub(crate) enum Started {
    Serving(Box<Switch>),
    Ended(Refused),
}

impl Launch {
    /// Starts it and waits until it serves or ends.
    pub(crate) async fn start(&self, started: impl FnOnce(u32) -> Result<()>) -> Result<Started> {
        let log = self.directory.join(format!("switch-{}.log", self.generation));
        let socket = self.directory.join(format!("control-{}.sock", self.generation));
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&log)?;
        let mut command = self.command("serve", &socket);
        if self.take_over {
            command.arg("--take-over");
        }
        command.stdout(Stdio::piped()).stderr(file).kill_on_drop(true);
        let mut child = command.spawn().context("starting the switch")?;
        let pid = child.id().context("a process id")?;
        started(pid)?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("its standard output")?;
        let read = tokio::time::timeout(START, BufReader::new(stdout).read_line(&mut line)).await;
        read.with_context(|| format!("the switch says nothing: see {}", log.display()))??;
        let Ok(said) = serde_json::from_str::<Value>(&line) else {
            let status = tokio::time::timeout(START, child.wait()).await;
            let status = status.context("a switch that neither serves nor ends")??;
            return Ok(Started::Ended(Refused { status, log }));
        };
        let link = said.pointer("/serving/links/test").and_then(Value::as_str);
        let link = link.and_then(|link| link.parse().ok()).context("the address of the link")?;
        let generation = self.generation;
        let switch = Switch { child, pid, generation, link, socket, log };
        Ok(Started::Serving(Box::new(switch)))
    }

    fn command(&self, what: &str, socket: &Path) -> Command {
        let mut command = clean_command(&self.binary);
        command
            .arg(what)
            .current_dir(&self.directory)
            .env("DATABASE_URL", &self.database_url)
            .env("CARDSWITCH_DATABASE__MAX_CONNECTIONS", "3")
            .env("CARDSWITCH_LINKS__TEST__ID", "1")
            .env("CARDSWITCH_LINKS__TEST__LISTEN", "127.0.0.1:0")
            .env("CARDSWITCH_LINKS__TEST__ANSWER_DEADLINE_MS", "1500")
            .env("CARDSWITCH_LINKS__TEST__FRAME_DEADLINE_MS", "1000")
            .env("CARDSWITCH_HTTP__LISTEN", "127.0.0.1:0")
            .env("CARDSWITCH_CONTROL__SOCKET", socket)
            .env("CARDSWITCH_SECURITY__PAN_KEY_FILE", &self.keys)
            .env("CARDSWITCH_SHARDS__DATA_SHARDS", "2")
            .env("CARDSWITCH_SHARDS__FLUSH_INTERVAL_MS", "200")
            .env("CARDSWITCH_LOG__FILTER", "info");
        command.envs(self.more.iter().map(|(name, value)| (name, value)));
        command
    }

    /// `cardswitch vault` beside the switch, one row a batch, to its end: whether it went well, and
    /// all that it said.
    pub(crate) async fn vault(
        &self,
        arguments: &[&str],
        fail_point: Option<String>,
    ) -> Result<(bool, String)> {
        let mut command = self.command("vault", &self.directory.join("none.sock"));
        command.args(arguments).env("CARDSWITCH_SECURITY__REENCRYPT_BATCH_ROWS", "1");
        command.env("CARDSWITCH_LOG__FILTER", "warn");
        command.envs(fail_point.map(|point| (FAIL_POINT, point)));
        let output = command.output().await.context("running the vault's command")?;
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
    }

    /// `cardswitch audit --json`: its findings.
    pub(crate) async fn audit(&self, database_url: &str) -> Result<Vec<String>> {
        let mut command = clean_command(&self.binary);
        command.args(["audit", "--json"]).current_dir(&self.directory);
        command.env("DATABASE_URL", database_url).env("CARDSWITCH_LOG__FILTER", "warn");
        let output = command.output().await.context("running the audit")?;
        let said = String::from_utf8_lossy(&output.stdout);
        let told = String::from_utf8_lossy(&output.stderr);
        let Ok(report) = serde_json::from_str::<Value>(&said) else {
            return Ok(vec![format!("the audit did not report: {}", told.trim())]);
        };
        let findings = report["findings"].as_array().cloned().unwrap_or_default();
        let mut findings: Vec<String> =
            findings.iter().map(|one| one.as_str().unwrap_or_default().to_owned()).collect();
        if findings.is_empty() && report["books"] != "balanced" {
            findings.push(format!("books {}", report["books"]));
        }
        Ok(findings)
    }
}

/// The binary, away from our own configuration.
fn clean_command(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars() {
        let ours = name.starts_with("CARDSWITCH_") && name != "CARDSWITCH_PG_BIN";
        if ours || name == "DATABASE_URL" {
            command.env_remove(name);
        }
    }
    // A panic of a debug build would read its symbols first, and hold a thread up for seconds.
    command.env("RUST_BACKTRACE", "0").stdin(Stdio::null());
    command
}

impl Switch {
    pub(crate) async fn signal(&self, signal: &str) -> Result<()> {
        signals::send(signal, &[self.pid]).await
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for its end.
    pub(crate) async fn wait(&mut self, most: Duration) -> Result<ExitStatus> {
        let waited = tokio::time::timeout(most, self.child.wait()).await;
        let late = || format!("the switch did not end within {most:?}");
        Ok(waited.with_context(late)??)
    }

    /// Ends it as an operator would, and sees it end cleanly.
    pub(crate) async fn terminate(&mut self) -> Result<()> {
        self.signal("TERM").await?;
        let status = self.wait(Duration::from_secs(20)).await?;
        ensure!(status.success(), "a clean stop ended with {status}: {}", tail(&self.log));
        Ok(())
    }

    /// A command through the control socket, with its JSON result.
    pub(crate) async fn command(&self, launch: &Launch, arguments: &[&str]) -> Result<Value> {
        let mut command = clean_command(&launch.binary);
        command.args(arguments).env("CARDSWITCH_CONTROL__SOCKET", &self.socket);
        let output = command.current_dir(&launch.directory).output().await?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("cardswitch {}: {}", arguments.join(" "), said.trim());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// The end of a log, for messages.
pub(crate) fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(4)..).unwrap_or_default().join(" | ")
}
