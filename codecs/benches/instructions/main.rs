//! Machine instructions that reading and writing one message take, counted by valgrind: the same on
//! a busy machine as on a quiet one. Compares with the counts committed beside this file, and fails
//! where one rose by more than 5 %. Must measure nothing else: what a nanosecond is, `codec` says.
//!
//! It starts itself under valgrind, twice for each count: what the two runs differ by is what the
//! further calls took, and neither start nor end of the program counts.

#[path = "../codec/message.rs"]
mod message;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, ExitCode};

use bytes::BytesMut;
use codecs::iso8583::{Dialect, Encoder, Fields};

use self::message::{ascii, fields, packed, write};

const COUNTED: [&str; 6] =
    ["decode_ascii", "decode_bcd", "decode_ebcdic", "encode_ascii", "encode_bcd", "encode_ebcdic"];
/// More calls than this many are what is counted.
const FEW: u64 = 100;
const MANY: u64 = 1_100;
/// Most that a count may rise by, in percent.
const RISE: u64 = 5;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next(), arguments.next()) {
        (Some("--calls"), Some(calls), Some(name)) => {
            run(&name, calls.parse().expect("a number of calls"));
            ExitCode::SUCCESS
        }
        _ => compare(),
    }
}

/// Does the work that is counted.
fn run(name: &str, calls: u64) {
    let dialect = match name.rsplit('_').next() {
        Some("ascii") => ascii(),
        Some("bcd") => packed(),
        _ => Dialect::shipped("iso87-ebcdic-037").expect("shipped"),
    };
    let set = fields();
    let (mut encoder, mut wire) = (Encoder::new(), BytesMut::new());
    write(&dialect, &mut encoder, &set, &mut wire);
    let mut read = Fields::new();
    let mut out = BytesMut::new();
    for _ in 0..calls {
        if name.starts_with("decode") {
            dialect.decode(black_box(&wire), &mut read).expect("readable");
            black_box(&read);
        } else {
            write(&dialect, &mut encoder, black_box(&set), &mut out);
            black_box(&out);
        }
    }
}

/// Counts everything, prints it beside what is expected, and writes what was found.
fn compare() -> ExitCode {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        println!("the counts committed are of x86_64 Linux: nothing to compare with here");
        return ExitCode::SUCCESS;
    }
    let expected = include_str!("expected.json");
    let expected: BTreeMap<String, u64> = serde_json::from_str(expected).expect("counts by name");
    let directory = std::env::var("BENCH_DIR").unwrap_or_else(|_| "target/bench".into());
    let directory = Path::new(&directory);
    std::fs::create_dir_all(directory).expect("a place for the report");
    let mut found = BTreeMap::new();
    let mut risen = false;
    println!("{:16} {:>8} {:>8}  instructions of one call", "", "now", "expected");
    for name in COUNTED {
        let more = counted(name, MANY, directory) - counted(name, FEW, directory);
        let count = more / (MANY - FEW);
        let before = expected.get(name).copied().unwrap_or_default();
        let verdict = if count * 100 > before * (100 + RISE) {
            risen = true;
            "FAIL"
        } else {
            "PASS"
        };
        println!("{name:16} {count:8} {before:8}  {verdict}");
        found.insert(name, count);
    }
    let path = directory.join("instructions.json");
    let text = serde_json::to_string_pretty(&found).expect("JSON");
    std::fs::write(&path, text + "\n").expect("the report can be written");
    println!("written: {}", path.display());
    if !risen {
        return ExitCode::SUCCESS;
    }
    println!("more than {RISE} % above what is expected; where that is meant, copy the report to");
    println!("codecs/benches/instructions/expected.json");
    ExitCode::FAILURE
}

/// Instructions of the whole program with so many calls.
fn counted(name: &str, calls: u64, directory: &Path) -> u64 {
    let out = directory.join("callgrind.out");
    let program = std::env::current_exe().expect("this program");
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .args(["--calls", &calls.to_string(), name])
        .output()
        .expect("valgrind can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| line.split_once("Collected :"));
    let count = collected.and_then(|(_, count)| count.trim().parse().ok());
    assert!(output.status.success(), "valgrind failed: {said}");
    count.unwrap_or_else(|| panic!("valgrind told no count: {said}"))
}
