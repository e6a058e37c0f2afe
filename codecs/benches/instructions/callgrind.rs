//! Machine instructions of one call, counted by valgrind and compared with counts that are
//! committed. It owns how a count is taken and when one has risen; what is called is its user's
//! affair. Benches of more than one package use it.
//!
//! The program starts itself under valgrind, twice for each count: what the two runs differ by is
//! what the further calls took, and neither start nor end of the program counts.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};

/// More calls than this many are what is counted.
const FEW: u64 = 100;
const MANY: u64 = 1_100;
/// Most that a count may rise by, in percent.
const RISE: u64 = 5;

/// What a bench counts.
pub(crate) struct Bench {
    /// Names of what is called.
    pub(crate) counted: &'static [&'static str],
    /// The counts that are committed, as JSON.
    pub(crate) expected: &'static str,
    /// Where they are.
    pub(crate) expected_path: &'static str,
    /// Of the report.
    pub(crate) report: &'static str,
    /// Two that must take as many, give or take one in twenty.
    pub(crate) alike: Option<(&'static str, &'static str)>,
}

/// Calls what valgrind is to count, or has everything counted.
pub(crate) fn main(bench: &Bench, run: fn(name: &str, calls: u64)) -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next(), arguments.next()) {
        (Some("--calls"), Some(calls), Some(name)) => {
            run(&name, calls.parse().expect("a number of calls"));
            ExitCode::SUCCESS
        }
        _ => compare(bench),
    }
}

/// Counts everything, prints it beside what is expected, and writes what was found.
fn compare(bench: &Bench) -> ExitCode {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        println!("the counts committed are of x86_64 Linux: nothing to compare with here");
        return ExitCode::SUCCESS;
    }
    let expected: BTreeMap<String, u64> =
        serde_json::from_str(bench.expected).expect("counts by name");
    let directory = std::env::var("BENCH_DIR").unwrap_or_else(|_| "target/bench".into());
    let directory = Path::new(&directory);
    std::fs::create_dir_all(directory).expect("a place for the report");
    let mut found = BTreeMap::new();
    let mut risen = false;
    println!("{:24} {:>8} {:>8}  instructions of one call", "", "now", "expected");
    for &name in bench.counted {
        let more = counted(name, MANY, directory) - counted(name, FEW, directory);
        let count = more / (MANY - FEW);
        let before = expected.get(name).copied().unwrap_or_default();
        let verdict = if count * 100 > before * (100 + RISE) {
            risen = true;
            "FAIL"
        } else {
            "PASS"
        };
        println!("{name:24} {count:8} {before:8}  {verdict}");
        found.insert(name, count);
    }
    let path = directory.join(bench.report);
    let text = serde_json::to_string_pretty(&found).expect("JSON");
    std::fs::write(&path, text + "\n").expect("the report can be written");
    println!("written: {}", path.display());
    let mut differs = false;
    if let Some((one, other)) = bench.alike {
        let (few, many) = (found[one].min(found[other]), found[one].max(found[other]));
        differs = many * 100 > few * (100 + RISE);
        let verdict = if differs { "FAIL" } else { "PASS" };
        println!("{one} and {other} are within {RISE} %: {verdict}");
    }
    if !risen {
        return if differs { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    println!("more than {RISE} % above what is expected; where that is meant, copy the report to");
    println!("{}", bench.expected_path);
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
