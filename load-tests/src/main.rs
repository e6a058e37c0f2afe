//! `cardswitch-load`: load on a running switch, from the command line. Must only read arguments,
//! call the library and print.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};
use load_tests::{ClosedLoop, Purchases, closed_loop, open_loop};
use simulators::acquirer::Acquirer;
use simulators::demo_file::DemoFile;
use simulators::traffic::{Schedule, run_pacer};

/// Load on a running `cardswitch`: purchases of 1.00 on the good cards of its demo.json.
#[derive(Debug, Parser)]
#[command(name = "cardswitch-load", version)]
struct Cli {
    #[command(subcommand)]
    mode: Mode,
}

#[derive(Debug, Subcommand)]
enum Mode {
    /// So many requests a second, whether or not earlier ones are answered.
    Open {
        /// Requests a second.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        rate: u32,
        #[command(flatten)]
        common: Common,
    },
    /// So many requests in flight at any time.
    Closed {
        /// Requests in flight on each connection.
        #[arg(long, default_value_t = 16)]
        #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
        window: u32,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Debug, clap::Args)]
struct Common {
    /// The demo.json of the running switch.
    #[arg(long, value_name = "PATH")]
    demo: PathBuf,
    /// For how many seconds.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: u32,
    /// Over how many connections.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1000))]
    connections: u16,
    /// How many seconds a request may go unanswered.
    #[arg(long, default_value_t = 10)]
    patience: u64,
    /// Print the result as one JSON object.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let mode = Cli::parse().mode;
    let (Mode::Open { common, .. } | Mode::Closed { common, .. }) = &mode;
    let demo = DemoFile::read(&common.demo)?;
    let purchases = Purchases::new(&demo.cards, &demo.currency)?;
    let connections = usize::from(common.connections);
    let acquirer = Acquirer::connect(&demo.iso.address, &demo.framing(), connections).await?;
    let patience = Duration::from_secs(common.patience);
    let mut pacer = None;
    let result = match mode {
        Mode::Open { rate, .. } => {
            let start = || {
                let (slots, guard) = run_pacer(Schedule::new(rate, common.seconds));
                pacer = Some(guard);
                slots
            };
            open_loop(acquirer, purchases, patience, start).await?
        }
        Mode::Closed { window, .. } => {
            let time = Duration::from_secs(u64::from(common.seconds));
            closed_loop(acquirer, purchases, ClosedLoop { window, time, patience }).await?
        }
    };
    let summary = result.summary();
    if common.json {
        println!("{}", serde_json::to_string(&summary)?);
    } else {
        print!("{summary}");
    }
    Ok(if summary.errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
