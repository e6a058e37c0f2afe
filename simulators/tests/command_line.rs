//! The binary as a person runs it, over TCP against the stand-in: what it prints, writes and exits
//! with.

mod support;

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::{Arc, Mutex};

use simulators::demo_file::TestCard;
use simulators::responder::{Fault, Issuer, Misbehaviour, listen};
use simulators::traffic::Report;
use support::{cards, fault, framing};
use tokio::process::Command;

struct Bench {
    folder: tempfile::TempDir,
    demo: PathBuf,
}

impl Bench {
    /// A stand-in that listens, and a demo.json that leads to it.
    async fn new(faults: &[Fault]) -> Bench {
        let issuer = Arc::new(Mutex::new(Issuer::new(&cards(), faults)));
        let (address, _task) = listen(framing(), issuer).await.unwrap();
        let listed: Vec<_> = cards().iter().map(as_json).collect();
        let file = serde_json::json!({
            "iso": {
                "address": address.to_string(), "framing": "binary2", "dialect": "iso87-ascii"
            },
            "currency": "978",
            "cards": listed,
        });
        let folder = tempfile::tempdir().unwrap();
        let demo = folder.path().join("demo.json");
        std::fs::write(&demo, file.to_string()).unwrap();
        Bench { folder, demo }
    }

    async fn run(&self, words: &str, more: &[&Path]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cardswitch-sim"));
        command.args(words.split(' ')).arg("--demo").arg(&self.demo);
        for path in more {
            command.arg("--report").arg(path);
        }
        command.output().await.unwrap()
    }
}

fn as_json(card: &TestCard) -> serde_json::Value {
    let TestCard { pan, expiry, state, expect } = card;
    serde_json::json!({
        "pan": pan.digits(), "expiry": expiry, "state": state, "expect": expect
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn drive_writes_its_report_and_succeeds() {
    let bench = Bench::new(&[]).await;
    let path = bench.folder.path().join("report.json");
    let output = bench.run("drive --rate 300 --seconds 1", &[&path]).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let json = std::fs::read_to_string(path).unwrap();
    let report: Report = serde_json::from_str(&json).unwrap();
    assert_eq!((report.sent, report.answered), (300, 300));
    assert!(report.reversed > 0 && report.repeated > 0);
    assert!(report.p50_ms > 0.0 && report.p999_ms >= report.p99_ms);
    let table = text(&output.stdout);
    assert!(table.contains("POS purchase") && table.contains("sent 300"), "{table}");
    assert!(text(&output.stderr).contains("seed 1"), "the seed is printed");
}

#[tokio::test]
async fn drive_fails_when_an_answer_is_wrong_or_missing() {
    for what in [Misbehaviour::WrongResponseCode, Misbehaviour::Silence] {
        let bench = Bench::new(&[fault("0100", 5, what)]).await;
        let output = bench.run("drive --rate 100 --seconds 1 --patience 1 --quiet", &[]).await;
        assert_eq!(output.status.code(), Some(1), "{what:?}");
        assert!(text(&output.stdout).contains("\n! 0100 "), "{}", text(&output.stdout));
        assert!(output.stderr.is_empty(), "quiet: {}", text(&output.stderr));
    }
}

#[tokio::test]
async fn one_shots_print_masked_fields() {
    let bench = Bench::new(&[]).await;
    for (words, sent, received) in [
        ("pos purchase --card good --amount 12.50", "0100", "00\n"),
        ("atm purchase --card lock-2", "0100", "43\n"),
        ("ecom purchase --card 0 --amount 3 --repeat", "0101", "00\n"),
        ("reverse --card good --amount 1.00", "0400", "00\n"),
        ("echo", "0800", "00\n"),
        ("sign-on", "0800", "00\n"),
    ] {
        let output = bench.run(words, &[]).await;
        let shown = text(&output.stdout);
        assert!(output.status.success(), "{words}: {}", text(&output.stderr));
        assert!(shown.contains(&format!("sent      {sent}")), "{words}: {shown}");
        assert!(shown.lines().any(|line| {
            line.contains("response code") && format!("{line}\n").ends_with(received)
        }));
        assert!(!shown.contains("9999991200"), "{words}: {shown}");
    }
}

#[tokio::test]
async fn a_purchase_prints_what_reverses_it() {
    let bench = Bench::new(&[]).await;
    let shown = text(&bench.run("pos purchase", &[]).await.stdout);
    let original = shown.lines().find_map(|line| line.split("--original ").nth(1)).unwrap();
    let output = bench.run(&format!("reverse --original {original}"), &[]).await;
    let shown = text(&output.stdout);
    assert!(output.status.success() && !shown.contains("0100\n"), "{shown}");
    assert!(shown.contains(original.split('/').next().unwrap()), "{shown}");
}

#[tokio::test]
async fn wrong_arguments_are_refused() {
    let bench = Bench::new(&[]).await;
    for words in [
        "pos purchase --amount 1.5",
        "pos purchase --amount -1",
        "pos purchase --card lock-9",
        "reverse --original 12",
        "drive --rate 0",
    ] {
        let output = bench.run(words, &[]).await;
        assert!(!output.status.success(), "{words}");
        assert!(!output.stderr.is_empty(), "{words}");
    }
}
