//! Commands to the switch over its control socket, one JSON object a line. Must use nothing that an
//! operator could not.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// A connection to the control socket.
pub(crate) struct Control {
    reader: BufReader<UnixStream>,
}

impl Control {
    /// Connects.
    pub(crate) fn connect(socket: &Path) -> Result<Control> {
        let stream = UnixStream::connect(socket).context("connecting to the control socket")?;
        Ok(Control { reader: BufReader::new(stream) })
    }

    /// Does one operation under this idempotency key; `members` are its own.
    ///
    /// # Errors
    /// The switch refuses it, or has gone.
    pub(crate) fn call(&mut self, key: &str, operation: &str, mut members: Value) -> Result<Value> {
        members["key"] = key.into();
        members["operation"] = operation.into();
        let mut line = members.to_string();
        line.push('\n');
        self.reader.get_mut().write_all(line.as_bytes())?;
        let mut answer = String::new();
        self.reader.read_line(&mut answer)?;
        let mut answer: Value = serde_json::from_str(&answer)
            .with_context(|| format!("{operation}: the switch closed the connection"))?;
        match answer.get_mut("ok") {
            Some(result) => Ok(result.take()),
            None => bail!("{operation}: {}", answer["problem"]["detail"]),
        }
    }

    /// Does one operation and gives the identifier that it made.
    pub(crate) fn make(
        &mut self,
        key: &str,
        operation: &str,
        made: &str,
        members: Value,
    ) -> Result<i64> {
        let result = self.call(key, operation, members)?;
        result[made].as_i64().with_context(|| format!("{operation} made no {made}"))
    }
}
