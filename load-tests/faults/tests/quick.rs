//! A few faults, a run each, against the binary as it is shipped: the part of `make faults` that
//! every test run affords.

use std::path::{Path, PathBuf};
use std::process::Command;

/// One of each sort: process, PostgreSQL, the way there, and two owners.
const KINDS: &str = "switch-kill,back-end-kill,cut-after-append,paused-owner,duplicates-elsewhere";

fn harness() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_cardswitch-faults"))
}

fn switch() -> PathBuf {
    harness().with_file_name("cardswitch")
}

#[test]
fn nothing_is_lost_doubled_or_left_behind() {
    let output = Command::new(harness())
        .args(["--runs", "1", "--kinds", KINDS, "--workers", "1", "--dir"])
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults"))
        .arg("--switch")
        .arg(switch())
        .output()
        .expect("the harness starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{told}");
    let last = said.lines().last().unwrap_or_default();
    let report: serde_json::Value = serde_json::from_str(last).expect("JSON on the last line");
    let figures = ["kinds", "runs", "violations", "unsupported"].map(|name| report[name].clone());
    assert_eq!(figures, [5, 5, 0, 0], "{said}\n{told}");
    let answered = report["answered"].as_object().expect("by what they are");
    println!("answered: {}", report["answered"]);
    assert!(answered.len() >= 19, "{said}");
    assert!(answered.values().all(|count| count.as_u64() > Some(0)), "{said}");
}

#[test]
fn fail_points_and_bugs_are_no_part_of_the_binary() {
    let bytes = std::fs::read(switch()).expect("the switch is built before the tests run");
    // In pieces, so that nothing else that holds this test's text can be taken for it.
    for name in [concat!("CARDSWITCH_FAIL", "_POINT"), concat!("CARDSWITCH_DELIBERATE", "_BUG")] {
        let there = bytes.windows(name.len()).any(|part| part == name.as_bytes());
        assert!(!there, "{name} is read by the switch: a feature of the harness is on");
    }
}
