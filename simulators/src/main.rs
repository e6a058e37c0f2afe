//! `cardswitch-sim`: terminals and networks on the command line. Must hold nothing but the start.

mod cli;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    cli::Cli::parse().run().await
}
