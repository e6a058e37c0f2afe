//! Reads `postmaster.pid`, the lock file by which PostgreSQL says that it runs and where.

use std::path::Path;

use super::PrivatePostgresError;

/// What `postmaster.pid` says. A server that is just starting has not written every line yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PidFile {
    /// The server's process.
    pub(super) pid: u32,
    /// Its TCP port, once known.
    pub(super) port: Option<u16>,
}

/// Reads the file of the cluster in `pgdata`; `None` if there is none or it names no process.
pub(super) fn read(pgdata: &Path) -> Result<Option<PidFile>, PrivatePostgresError> {
    let path = pgdata.join("postmaster.pid");
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(parse(&text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(PrivatePostgresError::io("reading", &path)(error)),
    }
}

/// Line 1 is the process, line 4 the port (PostgreSQL's `miscadmin.h`, LOCK_FILE_LINE_*).
fn parse(text: &str) -> Option<PidFile> {
    let mut lines = text.lines();
    let pid = lines.next()?.trim().parse().ok().filter(|pid| *pid > 0)?;
    let port = lines.nth(2).and_then(|line| line.trim().parse().ok()).filter(|port| *port > 0);
    Some(PidFile { pid, port })
}

/// Whether process `pid` lives and is the server of this cluster. A pid file outlives a crash, and
/// its number may have gone to any other program since.
pub(super) fn is_server_of(pid: u32, pgdata: &Path) -> bool {
    let pgdata = pgdata.as_os_str().as_encoded_bytes();
    if Path::new("/proc/self").exists() {
        let Ok(command) = std::fs::read(format!("/proc/{pid}/cmdline")) else { return false };
        // `postgres -D <pgdata> ...`; the server never rewrites its own command line.
        return command.split(|byte| *byte == 0).any(|argument| argument == pgdata);
    }
    let mut ask = std::process::Command::new("ps");
    ask.args(["-p", &pid.to_string(), "-o", "command="]);
    ask.output().is_ok_and(|output| {
        output.stdout.windows(pgdata.len().max(1)).any(|window| window == pgdata)
    })
}

/// Whether any process has this number, ours or not. Where there is no /proc: perhaps.
pub(super) fn is_number_taken(pid: u32) -> bool {
    !Path::new("/proc/self").exists() || Path::new(&format!("/proc/{pid}")).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_partial_and_broken_files() {
        let complete = "4711\n/data\n1700000000\n5433\n\n127.0.0.1\n  123 456\nready   \n";
        let cases = [
            (complete, Some(PidFile { pid: 4711, port: Some(5433) })),
            ("4711\n/data\n1700000000\n", Some(PidFile { pid: 4711, port: None })),
            ("4711\n/data\n1700000000\n0\n", Some(PidFile { pid: 4711, port: None })),
            ("", None),
            ("\n", None),
            ("-4711\n/data\n", None),
            ("0\n/data\n", None),
            ("garbage\n", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn this_test_is_not_a_server() {
        let pgdata = Path::new("/no/such/cluster");
        assert!(!is_server_of(std::process::id(), pgdata));
        assert!(!is_server_of(u32::MAX, pgdata));
    }
}
