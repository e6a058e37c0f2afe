//! `cardswitch-sim kyc`: a provider that verifies customers, to try the switch with. Must print
//! where it listens and its counts, and nothing of who it is asked about.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use simulators::kyc::{Conduct, KycSettings, Plan, SimulatedKyc};
use simulators::network::Identity;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Listen here; port 0 takes any free one, and is printed.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8690")]
    listen: SocketAddr,
    /// PEM file of its certificate.
    #[arg(long, value_name = "PEM")]
    certificate: PathBuf,
    /// PEM file of its private key.
    #[arg(long, value_name = "PEM")]
    key: PathBuf,
    /// PEM file of whose certificates are taken; without it none is asked for.
    #[arg(long, value_name = "PEM")]
    client_authorities: Option<PathBuf>,
    /// File of the bearer token that is asked for; without it none is.
    #[arg(long, value_name = "PATH")]
    secret_file: Option<PathBuf>,
    /// What it does instead of deciding by the family name (Denied and Forged are rejected, Waiting
    /// takes two more questions, all others are verified): verify, reject, later:2, late:250,
    /// status:503, redirect, garbage, too-long, twice, other, cut, half.
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
        let secret = self.secret_file.as_deref().map(std::fs::read_to_string).transpose();
        let secret = secret.context("--secret-file")?.map(|text| text.trim().to_owned());
        let settings = KycSettings {
            identity: Identity { chain: self.certificate, key: self.key },
            clients: self.client_authorities,
            secret,
        };
        let provider = SimulatedKyc::listen(self.listen, settings).await?;
        println!("{}", serde_json::json!({ "address": provider.address().to_string() }));
        provider.plan(self.conduct.map(|conduct| Plan { conduct, times: self.times }));
        match self.stay {
            Some(seconds) => {
                tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
            }
            None => tokio::signal::ctrl_c().await?,
        }
        println!("{}", serde_json::to_string_pretty(&provider.tally())?);
        Ok(ExitCode::SUCCESS)
    }
}
