//! `cardswitch-sim verified` and `cardswitch-sim bureau`: traffic of cards that are verified, and
//! the bureau that personalises them. Must leave judging and computing to the library.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use simulators::chip::TestKeys;
use simulators::demo_file::DemoFile;
use simulators::verified::{Options, drive, pin_references};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The demo.json of the running switch.
    #[arg(long, value_name = "PATH")]
    demo: PathBuf,
    /// Requests a second.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// For how many seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u32,
}

impl Args {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let Args { demo, rate, seconds } = self;
        let report = drive(&DemoFile::read(&demo)?, Options { rate, seconds }).await?;
        println!("{}", serde_json::to_string(&report)?);
        Ok(if report.clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Bureau {
    /// Make test keys and print them as JSON, for a demo's own file and nothing else.
    Keys,
    /// Take files from the switch's exchange directory, make soft cards, report them.
    Work(Box<super::bureau::Work>),
    /// Print what the PIN of each card of a demo is to be verified against, a line of JSON each.
    References {
        /// The demo.json of the running switch.
        #[arg(long, value_name = "PATH")]
        demo: PathBuf,
    },
}

impl Bureau {
    pub(super) async fn run(self) -> Result<ExitCode> {
        match self {
            Bureau::Work(work) => return work.run().await,
            Bureau::Keys => {
                let keys = TestKeys::fresh();
                let named = keys.named().map(|(name, key)| (name.to_owned(), json!(key.digits())));
                println!("{}", Value::Object(Map::from_iter(named)));
            }
            Bureau::References { demo } => {
                let demo = DemoFile::read(&demo)?;
                let of = demo.verified.as_ref().context("the file has no cards to personalise")?;
                for reference in pin_references(of)? {
                    println!("{}", serde_json::to_string(&reference)?);
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
