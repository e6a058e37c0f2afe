//! The other processes of the demo: the simulator that drives the traffic, and the audit once the
//! switch has stopped. It owns how they are found, started and read; neither shares memory with the
//! switch.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use switch_domain::LockCode;
use tokio::process::Command;

use super::plan::Kind;
use super::seed::SetUp;
use crate::app::Addresses;
use crate::cli::DemoArgs;
use crate::config::Config;

/// The link over which the network settles.
pub(super) const NETWORK: &str = "network";

/// The link of the terminals whose cards are verified.
pub(super) const TERMINALS: &str = "terminals";

/// Of so many messages of the traffic, one more is of a card that is verified; and at least so many
/// a second are, and at most.
const ONE_IN: u64 = 5;
const VERIFIED_RATE: (u64, u64) = (20, 200);

/// What the network locks a card with, and takes back.
pub(super) const LOCK: LockCode = LockCode::SuspectedFraud;

/// What the simulator reports.
#[derive(Debug, Deserialize)]
pub(super) struct Report {
    pub(super) sent: u64,
    pub(super) approved: u64,
    pub(super) declined_by_de39: BTreeMap<String, u64>,
    pub(super) reversed: u64,
    pub(super) incremented: u64,
    pub(super) completed: u64,
    pub(super) others: BTreeMap<String, u64>,
    pub(super) repeated: u64,
    pub(super) unexpected: u64,
    pub(super) unanswered: u64,
    pub(super) unexpected_samples: Vec<String>,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) p999_ms: f64,
    pub(super) approvals_per_second: f64,
}

/// What the simulator reports of the cards that are verified.
#[derive(Debug, Deserialize)]
pub(super) struct Verified {
    pub(super) sent: u64,
    pub(super) approved: u64,
    /// By what was wrong.
    pub(super) declined: BTreeMap<String, u64>,
    /// What chips found in the answers.
    pub(super) chip_approved: u64,
    pub(super) chip_declined: u64,
    pub(super) unexpected: u64,
    pub(super) unanswered: u64,
    pub(super) samples: Vec<String>,
}

/// What the audit found.
#[derive(Debug, Deserialize)]
pub(super) struct Audit {
    pub(super) books: String,
    pub(super) journal_rows: u64,
    pub(super) records: u64,
    pub(super) open_authorizations: u64,
    pub(super) findings: Vec<String>,
}

/// Runs the simulator against the switch that `manifest` describes.
pub(super) async fn drive(args: &DemoArgs, manifest: &Path) -> anyhow::Result<Report> {
    let simulator = simulator(args)?;
    let report = args.dir.join("report.json");
    let _ = std::fs::remove_file(&report);
    // Its exit code says "something was unexpected", which its report says better.
    Command::new(&simulator)
        .arg("drive")
        .arg("--demo")
        .arg(manifest)
        .args(["--rate", &args.rate.to_string(), "--seconds", &args.seconds.to_string()])
        .arg("--report")
        .arg(&report)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await
        .with_context(|| format!("starting {}", simulator.display()))?;
    let text = std::fs::read_to_string(&report)
        .with_context(|| format!("the simulator left no report at {}", report.display()))?;
    serde_json::from_str(&text).with_context(|| format!("reading {}", report.display()))
}

/// Runs the simulated cards that are verified.
pub(super) async fn verified(args: &DemoArgs, manifest: &Path) -> anyhow::Result<Verified> {
    let (least, most) = VERIFIED_RATE;
    let rate = (args.rate / ONE_IN).clamp(least, most).to_string();
    let seconds = args.seconds.to_string();
    let path = manifest.to_str().context("the demo's directory has a name that is not UTF-8")?;
    let asked = ["verified", "--rate", &rate, "--seconds", &seconds, "--demo", path];
    // Its exit code says "something was unexpected", which what it prints says better.
    let (_, said) = simulated(args, &asked).await?;
    serde_json::from_str(said.trim()).context("reading what became of the simulated cards")
}

/// Has the simulated bureau do something, and gives what it said.
pub(super) async fn bureau(args: &DemoArgs, asked: &[&str]) -> anyhow::Result<String> {
    let (status, said) = simulated(args, &[&["bureau"], asked].concat()).await?;
    ensure!(status.success(), "the simulated bureau ended with {status}");
    Ok(said)
}

/// Runs the simulator to its end, and gives what it printed.
async fn simulated(args: &DemoArgs, asked: &[&str]) -> anyhow::Result<(ExitStatus, String)> {
    let simulator = simulator(args)?;
    let output = Command::new(&simulator)
        .args(asked)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("starting {}", simulator.display()))?;
    Ok((output.status, String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// Has a network lock a card and take the lock back by file actions, and gives what each was
/// answered.
pub(super) async fn lock_outside(
    args: &DemoArgs,
    addresses: &Addresses,
    set_up: &SetUp,
) -> anyhow::Result<Vec<String>> {
    let (_, link) = addresses.links.first().context("the demo has a link")?;
    let good = set_up.cards.iter().find(|card| card.kind == Kind::Good);
    let card = good.context("the demo has a good card")?;
    let asked = ["--lock", &LOCK.number().to_string(), "--unlock"];
    let said = network(args, *link, &card.pan, &asked, "file_action").await?;
    ensure!(said.len() == 2, "a lock and its end were answered {} times", said.len());
    Ok(said)
}

/// Has a network settle purchases, take some back, and reconcile; what it was answered to that.
pub(super) async fn settle_and_reconcile(
    args: &DemoArgs,
    addresses: &Addresses,
    set_up: &SetUp,
) -> anyhow::Result<String> {
    let link = addresses.links.iter().find(|(name, _)| name == NETWORK);
    let (_, link) = link.context("the demo has a link for the network")?;
    let good = set_up.cards.iter().find(|card| card.kind == Kind::Good);
    let card = good.context("the demo has a good card")?;
    let asked = ["--financials", "6", "--reconcile"];
    let mut said = network(args, *link, &card.pan, &asked, "reconciliation").await?;
    said.pop().context("the reconciliation was not answered")
}

/// Runs a simulated network, and gives what it was answered to requests of a kind.
async fn network(
    args: &DemoArgs,
    link: SocketAddr,
    pan: &str,
    asked: &[&str],
    kind: &str,
) -> anyhow::Result<Vec<String>> {
    let link = link.to_string();
    let asked = [&["network", "--dial", &link, "--pan", pan], asked].concat();
    let (_, printed) = simulated(args, &asked).await?;
    let said = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        line.get(kind)?.as_str().map(str::to_owned)
    };
    Ok(printed.lines().filter_map(said).collect())
}

/// The simulator's program.
fn simulator(args: &DemoArgs) -> anyhow::Result<PathBuf> {
    args.simulator.clone().map_or_else(|| beside("cardswitch-sim"), Ok)
}

/// Runs `cardswitch audit` as a process of its own over the data that the switch left.
pub(super) async fn audit(config: &Config) -> anyhow::Result<Audit> {
    let program = std::env::current_exe()?;
    let output = Command::new(&program)
        .args(["audit", "--json"])
        .env("CARDSWITCH_DATABASE__DATA_DIR", toml_text(&config.database.data_dir)?)
        .env("CARDSWITCH_LOG__FILTER", "warn")
        .env_remove("DATABASE_URL")
        .env_remove("CARDSWITCH_CONFIG")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .await
        .with_context(|| format!("starting {}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let Some(last) = text.lines().last() else {
        bail!("the audit ended without a result ({})", output.status);
    };
    let audit: Audit = serde_json::from_str(last).context("reading the audit's result")?;
    let balanced = audit.books == "balanced";
    ensure!(balanced == output.status.success(), "the audit contradicts its exit code");
    Ok(audit)
}

/// A path as a TOML string, whatever is in it.
fn toml_text(path: &Path) -> anyhow::Result<String> {
    let path = path.to_str().context("the demo's directory has a name that is not UTF-8")?;
    Ok(toml::Value::String(path.to_owned()).to_string())
}

/// A program in the directory of this one.
fn beside(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let path = own.with_file_name(name);
    ensure!(
        path.exists(),
        "{} is not there: build it (cargo build --release -p simulators), or name it with \
         --simulator",
        path.display()
    );
    Ok(path)
}
