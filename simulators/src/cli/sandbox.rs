//! `cardswitch-sim sandbox`: what the switch's sandbox calls are done by. Must print where it
//! listens, and nothing of what is simulated.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use codecs::framing::{Framing, LengthHeader};

use simulators::bureau::Bureau;
use simulators::sandbox::{SandboxSettings, SandboxSimulator};

use super::bureau::opened;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Listen here, on this machine alone (api.sandbox.simulator); port 0 takes any free one, and
    /// is printed.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8700")]
    listen: SocketAddr,
    /// Host and port of the switch's link of the dialect iso87-ascii.
    #[arg(long, value_name = "ADDRESS")]
    link: String,
    /// The length in front of every message of it: binary2, ascii4, bcd2 and so on.
    #[arg(long, default_value = "binary2")]
    length: LengthHeader,
    /// Simulations that are remembered; the oldest is forgotten.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u16).range(1..))]
    remembered: u16,
    /// Connections at a time.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1_024))]
    connections: u16,
    #[command(flatten)]
    bureau: BureauArgs,
    /// End after so many seconds; without it, when interrupted.
    #[arg(long)]
    stay: Option<u64>,
}

/// The bureau; without an exchange directory there is none.
#[derive(Debug, clap::Args)]
struct BureauArgs {
    /// The exchange directory of the switch (api.personalisation.directory).
    #[arg(long, value_name = "DIRECTORY", requires_all = ["cards", "exchange_key", "keys"])]
    exchange: Option<PathBuf>,
    /// Where soft cards go: test numbers alone.
    #[arg(long, value_name = "DIRECTORY", requires = "exchange")]
    cards: Option<PathBuf>,
    /// A file with the exchange key: 64 hexadecimal digits.
    #[arg(long, value_name = "PATH", requires = "exchange")]
    exchange_key: Option<PathBuf>,
    /// A file with the issuer's test keys, as `bureau keys` prints them.
    #[arg(long, value_name = "PATH", requires = "exchange")]
    keys: Option<PathBuf>,
    /// What chip cards get: visa-10, visa-18, visa-22, mchip-10, mchip-15.
    #[arg(long, default_value = "mchip-10")]
    kind: String,
}

impl BureauArgs {
    fn open(&self) -> Result<Option<Bureau>> {
        let Self { exchange: Some(exchange), cards, exchange_key, keys, kind } = self else {
            return Ok(None);
        };
        let cards = cards.as_deref().context("--cards")?;
        let exchange_key = exchange_key.as_deref().context("--exchange-key")?;
        let keys = keys.as_deref().context("--keys")?;
        opened([exchange, cards], (exchange_key, keys), kind).map(Some)
    }
}

impl Args {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let settings = SandboxSettings {
            framing: Framing::new(self.length),
            remembered: usize::from(self.remembered),
            connections: usize::from(self.connections),
        };
        let bureau = self.bureau.open()?;
        let sandbox = SandboxSimulator::listen(self.listen, settings, self.link, bureau).await?;
        println!("{}", serde_json::json!({ "address": sandbox.address().to_string() }));
        match self.stay {
            Some(seconds) => {
                tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
            }
            None => tokio::signal::ctrl_c().await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
