//! `cardswitch-sim processor`: a processor elsewhere that makes cards, to try the switch with. Must
//! print where it listens and its counts, and no number.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};

use simulators::network::Identity;
use simulators::processor::{Conduct, Plan, ProcessorSettings, SimulatedProcessor};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Listen here, on this machine alone; port 0 takes any free one, and is printed.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8691")]
    listen: SocketAddr,
    /// PEM file of its certificate.
    #[arg(long, value_name = "PEM")]
    certificate: PathBuf,
    /// PEM file of its private key.
    #[arg(long, value_name = "PEM")]
    key: PathBuf,
    /// PEM file of whose certificates are taken.
    #[arg(long, value_name = "PEM")]
    client_authorities: PathBuf,
    /// What it does wrong: late:250, silent, cut, half (the question is done all the same), refuse,
    /// status:503, redirect (it is not), garbage, too-long, twice, other; and with numbers:
    /// other-number, taken, outside, no-check-digit, in-clear, named.
    #[arg(long)]
    conduct: Option<Conduct>,
    /// Only so many times.
    #[arg(long, requires = "conduct")]
    times: Option<u64>,
    /// End after so many seconds; without it, when interrupted.
    #[arg(long)]
    stay: Option<u64>,
}

impl Args {
    pub(super) async fn run(self) -> Result<ExitCode> {
        ensure!(self.listen.ip().is_loopback(), "--listen: an address of this machine alone");
        let settings = ProcessorSettings {
            identity: Identity { chain: self.certificate, key: self.key },
            clients: self.client_authorities,
        };
        let processor = SimulatedProcessor::listen(self.listen, settings).await?;
        println!("{}", serde_json::json!({ "address": processor.address().to_string() }));
        processor.plan(self.conduct.map(|conduct| Plan { conduct, times: self.times }));
        match self.stay {
            Some(seconds) => {
                tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
            }
            None => tokio::signal::ctrl_c().await?,
        }
        println!("{}", serde_json::to_string_pretty(&processor.tally())?);
        Ok(ExitCode::SUCCESS)
    }
}
