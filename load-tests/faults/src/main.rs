//! `cardswitch-faults`: real processes killed, paused and cut under load, and the books checked
//! after each. It owns the command line and the exit code: 0 only if every kind ran and no rule was
//! broken.

mod checker;
mod client;
mod kinds;
mod proxy;
mod report;
mod run;
mod workers;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Makes faults under load, heals, and checks that nothing was lost, doubled or left behind.
#[derive(Clone, Debug, Parser)]
#[command(name = "cardswitch-faults", max_term_width = 100)]
struct Options {
    /// Runs of each kind that count
    #[arg(long, env = "FAULT_RUNS", default_value_t = 20)]
    runs: usize,
    /// Only these kinds: names or beginnings of names, with commas between
    #[arg(long, env = "FAULT_KINDS", value_delimiter = ',')]
    kinds: Vec<String>,
    /// The same seed makes the same schedules [default: from the time of day]
    #[arg(long, env = "FAULT_SEED")]
    seed: Option<u64>,
    /// Runs at a time, each with a PostgreSQL of its own; runs wait most of the time
    #[arg(long, env = "FAULT_WORKERS", default_value_t = workers())]
    workers: usize,
    /// The soak is run again and again for so many seconds
    #[arg(long, env = "FAULT_SOAK_SECONDS", default_value_t = 0)]
    soak_seconds: u64,
    /// Where runs keep their files, those with a violation for good
    #[arg(long, default_value = "target/faults/runs")]
    dir: PathBuf,
    /// Keep the files of every run, not only of those with a violation
    #[arg(long)]
    keep: bool,
    /// The switch [default: cardswitch beside this program]
    #[arg(long)]
    switch: Option<PathBuf>,
    /// Print the kinds, and do nothing
    #[arg(long)]
    list: bool,
}

/// Two a processor: more of them answer too slowly for runs to count.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, |count| (2 * count.get()).min(16))
}

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(workers::run_all(options)),
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cardswitch-faults: {error:#}");
            ExitCode::from(2)
        }
    }
}
