//! What is in the memory of a running switch is its own affair: no core file has room for it, and
//! nobody of its own user may look into it. That none is left by a crash is another story's.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};

use switch_store::private_postgres::fresh_database;

use crate::stage::Served;

/// Takes root's right to look into every process from what is started through it. Whoever is not
/// root has none.
fn without_that_right() -> &'static [&'static str] {
    const LESS: [&str; 3] = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"];
    let user = std::fs::metadata("/proc/self").expect("this process").uid();
    if user == 0 { &LESS } else { &[] }
}

/// Whether another process of this user may look into the memory of one: opening is enough.
fn looks_into(process: u32) -> bool {
    let mut command = Command::new("env");
    command.args(without_that_right()).args(["dd", "of=/dev/null", "count=0"]);
    command.arg(format!("if=/proc/{process}/mem")).env("LC_ALL", "C");
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() || said.contains("Permission denied"), "{said}");
    output.status.success()
}

/// The soft and the hard limit of core files.
fn core_limits(process: u32) -> Vec<String> {
    let limits = std::fs::read_to_string(format!("/proc/{process}/limits")).expect("its limits");
    let line = limits.lines().find_map(|line| line.strip_prefix("Max core file size"));
    line.expect("a limit of core files").split_whitespace().take(2).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_of_its_own_user_looks_into_a_switch_that_serves() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let (through, url) = (without_that_right(), database.url().expose());
    let served = Served::start_through(through, directory.path(), url);
    let process = served.child.id();
    assert_eq!(core_limits(process), ["0", "0"], "no core file, and none can be asked for");
    assert!(!looks_into(process), "its memory is open to its own user");
    served.terminate();

    // One that hides nothing, started alike: so it was the switch that refused. It says something
    // once it is what it was to become.
    let mut command = Command::new("env");
    command.args(through).args(["sh", "-c", "echo here; read -r end"]);
    let mut open = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut said = String::new();
    let output = open.stdout.as_mut().expect("piped");
    BufReader::new(output).read_line(&mut said).expect("it says so");
    assert!(looks_into(open.id()), "nobody may look into anything here: this test shows nothing");
    drop(open.stdin.take());
    open.wait().expect("it ends");
    database.close().await;
}
