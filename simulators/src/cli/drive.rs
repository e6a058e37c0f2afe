//! `cardswitch-sim drive`. Must leave judging to the library.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};

use simulators::acquirer::Acquirer;
use simulators::demo_file::DemoFile;
use simulators::traffic::{self, Options, Progress, Schedule, run_pacer, table};

use super::Output;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The demo.json of the running switch.
    #[arg(long, value_name = "PATH")]
    demo: PathBuf,
    /// Requests a second.
    #[arg(long, default_value_t = 500)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: u32,
    /// For how many seconds.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: u32,
    /// Over how many connections.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1000))]
    connections: u16,
    /// Where cards, amounts and places come from: the same seed makes the same purchases.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seconds a request may go unanswered, and how long the last ones are waited for.
    #[arg(long, default_value_t = 10)]
    patience: u64,
    /// Write the result to this file, as JSON.
    #[arg(long, value_name = "PATH")]
    report: Option<PathBuf>,
    /// Where the table goes.
    #[arg(long, value_enum, default_value_t = Output::Stdout)]
    table: Output,
    /// Show no progress on standard error.
    #[arg(long)]
    quiet: bool,
}

impl Args {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let demo = DemoFile::read(&self.demo)?;
        let schedule = Schedule::new(self.rate, self.seconds);
        let connections = usize::from(self.connections);
        let acquirer = Acquirer::connect(&demo.iso.address, &demo.framing(), connections).await?;
        if !self.quiet {
            eprintln!(
                "{} requests at {}/s to {} over {connections} connections, seed {}",
                schedule.count, self.rate, demo.iso.address, self.seed
            );
        }
        let quiet = self.quiet.then_some(Progress::Silent);
        let options = Options {
            cards: demo.cards,
            currency: demo.currency,
            seed: self.seed,
            patience: Duration::from_secs(self.patience),
            progress: quiet.unwrap_or_else(|| Progress::on_stderr(schedule.count)),
        };
        let mut guard = None;
        let outcome = traffic::drive(acquirer, options, || {
            let (slots, pacer) = run_pacer(schedule);
            guard = Some(pacer);
            slots
        })
        .await?;
        match self.table {
            Output::Stdout => print!("{}", table(&outcome)),
            Output::Stderr => eprint!("{}", table(&outcome)),
            Output::None => {}
        }
        if let Some(path) = &self.report {
            let json = serde_json::to_string_pretty(&outcome.report)?;
            std::fs::write(path, json + "\n")
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(if outcome.report.clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
