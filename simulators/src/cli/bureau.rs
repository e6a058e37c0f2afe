//! `cardswitch-sim bureau work`: a personalisation bureau over an exchange directory. Must leave
//! opening files and making cards to the library.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};

use simulators::bureau::{Bureau, BureauFault, BureauKeys, Worked};
use simulators::chip::TestKeys;

/// Where, with what, and how badly.
#[derive(Debug, clap::Args)]
pub(super) struct Work {
    /// The exchange directory of the switch (api.personalisation.directory).
    #[arg(long, value_name = "DIRECTORY")]
    exchange: PathBuf,
    /// Where soft cards go: test numbers alone.
    #[arg(long, value_name = "DIRECTORY")]
    cards: PathBuf,
    /// A file with the exchange key: 64 hexadecimal digits.
    #[arg(long, value_name = "PATH")]
    exchange_key: PathBuf,
    /// A file with the issuer's test keys, as `bureau keys` prints them.
    #[arg(long, value_name = "PATH")]
    keys: PathBuf,
    /// What chip cards get: visa-10, visa-18, visa-22, mchip-10, mchip-15.
    #[arg(long, default_value = "mchip-10")]
    kind: String,
    /// What is wrong with reports: late, partial, duplicated, damaged, wrong-count, unmasked,
    /// unknown, other-number.
    #[arg(long)]
    fault: Option<BureauFault>,
    /// Look once, and end.
    #[arg(long)]
    once: bool,
    /// How often to look.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(50..))]
    every_ms: u64,
}

impl Work {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let keys = (self.exchange_key.as_path(), self.keys.as_path());
        let mut bureau = opened([&self.exchange, &self.cards], keys, &self.kind)?;
        let mut ticks = tokio::time::interval(Duration::from_millis(self.every_ms));
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                ended = tokio::signal::ctrl_c() => {
                    ended?;
                    return Ok(ExitCode::SUCCESS);
                }
            }
            let worked = bureau.look(self.fault)?;
            if worked != Worked::default() || self.once {
                println!("{}", serde_json::to_string(&worked)?);
            }
            if self.once {
                let good = worked.refused == 0;
                return Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE });
            }
        }
    }
}

/// A bureau over its directories (exchange, soft cards), with the files of its keys (exchange key,
/// the issuer's test keys).
pub(super) fn opened(
    [exchange, cards]: [&Path; 2],
    (exchange_key, keys): (&Path, &Path),
    kind: &str,
) -> Result<Bureau> {
    let keys: TestKeys = serde_json::from_str(&read(keys)?).context("--keys")?;
    let keys = BureauKeys::new(&read(exchange_key)?, keys).context("--exchange-key")?;
    Bureau::new(exchange, cards, keys, kind)
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}
