//! A simulated processor on the command line: nobody without a certificate is let in, and what it
//! prints has no number in it.

#[path = "network/pki.rs"]
mod pki;

use std::process::Stdio;

use pki::Authority;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

#[tokio::test]
async fn the_command_listens_on_this_machine_alone_and_says_what_it_counted() {
    let folder = tempfile::tempdir().expect("a directory");
    let authority = Authority::new(folder.path(), "authority");
    let identity = authority.identity(folder.path(), "localhost");
    let command = |listen: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cardswitch-sim"));
        command.args(["processor", "--listen", listen, "--stay", "1", "--conduct", "late:250"]);
        command.arg("--certificate").arg(&identity.chain).arg("--key").arg(&identity.key);
        command.arg("--client-authorities").arg(&authority.file);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    };
    let anywhere = command("0.0.0.0:0").output().await.expect("started");
    let said = String::from_utf8_lossy(&anywhere.stderr).into_owned();
    assert!(!anywhere.status.success() && said.contains("this machine alone"), "{said}");

    let mut child = command("127.0.0.1:0").spawn().expect("started");
    let mut lines = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    lines.read_line(&mut line).await.expect("a line");
    let said: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert!(said["address"].as_str().is_some_and(|address| address.starts_with("127.0.0.1:")));
    let mut rest = String::new();
    lines.read_to_string(&mut rest).await.expect("text");
    let tally: serde_json::Value = serde_json::from_str(&rest).expect("JSON");
    assert_eq!((&tally["made"], &tally["questions"]), (&0.into(), &0.into()));
    assert!(child.wait().await.expect("ended").success());
}
