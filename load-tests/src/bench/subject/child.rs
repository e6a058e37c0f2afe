//! A server as a child process. It owns its end: asked to stop, it is waited for; forgotten, it is
//! killed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A running server.
#[derive(Debug)]
pub(crate) struct Server(Child);

impl Server {
    /// Starts it and waits for the line of JSON by which it says where it serves.
    ///
    /// # Errors
    /// It does not start, or ends without a word.
    pub(crate) fn start(mut command: Command) -> Result<(Server, Value)> {
        let program = command.get_program().display().to_string();
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut server = Server(child.with_context(|| format!("starting {program}"))?);
        let mut line = String::new();
        if let Some(output) = server.0.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let said = serde_json::from_str(&line);
        let said = said.with_context(|| format!("{program} did not start; it said {line:?}"))?;
        Ok((server, said))
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Asks it to stop (SIGTERM) and waits for its end.
    pub(crate) fn stop(mut self) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        Ok(self.0.wait()?)
    }

    /// Ends it as a crash would (SIGKILL).
    pub(crate) fn kill(mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.pid())?;
        let pid = Pid::from_raw(pid).context("a process has a number above zero")?;
        Ok(kill_process(pid, signal)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
