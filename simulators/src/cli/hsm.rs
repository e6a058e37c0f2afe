//! `cardswitch-sim hsm`: a payment HSM to try the switch with. Must print its key blocks, its check
//! value and its counts, and no clear key.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context, Result};
use switch_security::KeyUsage;
use zeroize::Zeroizing;

use simulators::hsm::{Fault, HsmUnit, Plan, Settings};
use simulators::network::{Identity, Tls, TlsVersions};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Listen here; port 0 takes any free one, and is printed.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:1500")]
    listen: SocketAddr,
    /// Bytes of the header in front of every command.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=255))]
    header_length: u8,
    /// The local master key, 64 hexadecimal digits in this file; without it, one by chance.
    #[arg(long, value_name = "PATH")]
    lmk: Option<std::path::PathBuf>,
    /// Make a key for each of these uses, as C0 or V2, and print its block.
    #[arg(long, value_name = "USAGE")]
    make: Vec<String>,
    /// What goes wrong with every command but those of health: hang, half, wrong-header,
    /// header-of-next, wrong-letters, reset, twice, too-long, too-short, more-than-asked, code:68,
    /// late:250.
    #[arg(long)]
    fault: Option<Fault>,
    /// Only with commands of these two letters.
    #[arg(long, value_name = "LETTERS", requires = "fault")]
    only: Option<String>,
    /// Only so many times.
    #[arg(long, requires = "fault")]
    times: Option<u64>,
    /// Take PINs in clear (BA), as where the security officer of a unit has allowed it.
    #[arg(long)]
    clear_pins: bool,
    /// Digits of a PIN under the local master key: one more than the longest PIN.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(5..=13))]
    pin_length: u8,
    /// Speak TLS, with this certificate: a PEM file.
    #[arg(long, value_name = "PATH", requires = "key")]
    certificate: Option<std::path::PathBuf>,
    /// Its private key: a PEM file.
    #[arg(long, value_name = "PATH", requires = "certificate")]
    key: Option<std::path::PathBuf>,
    /// Take connections only from who shows a certificate of these authorities: a PEM file.
    #[arg(long, value_name = "PATH", requires = "certificate")]
    client_authorities: Option<std::path::PathBuf>,
    /// End after so many seconds; without it, when interrupted.
    #[arg(long)]
    stay: Option<u64>,
}

impl Args {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let settings = Settings {
            header_length: usize::from(self.header_length),
            lmk: self.lmk.as_deref().map(read_lmk).transpose()?,
            pin_length: usize::from(self.pin_length),
            clear_pins: self.clear_pins,
            tls: self.tls(),
            ..Settings::default()
        };
        let unit = HsmUnit::listen(self.listen, settings).await?;
        let mut keys = serde_json::Map::new();
        for usage in &self.make {
            let of = KeyUsage::from_code(usage).with_context(|| format!("{usage}: no usage"))?;
            keys.insert(usage.clone(), unit.make_key(of)?.into());
        }
        let address = unit.address().to_string();
        let said = serde_json::json!({
            "address": address, "lmk_check_value": unit.check_value(), "keys": keys,
        });
        println!("{said}");
        unit.fail(self.plan()?);
        match self.stay {
            Some(seconds) => {
                tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
            }
            None => tokio::signal::ctrl_c().await?,
        }
        println!("{}", serde_json::to_string_pretty(&unit.tally())?);
        Ok(ExitCode::SUCCESS)
    }

    fn tls(&self) -> Option<Tls> {
        let (chain, key) = self.certificate.clone().zip(self.key.clone())?;
        let identity = Some(Identity { chain, key });
        let (authorities, name) = (self.client_authorities.clone(), String::new());
        Some(Tls { identity, authorities, name, versions: TlsVersions::Both })
    }

    fn plan(&self) -> Result<Option<Plan>> {
        let Some(fault) = self.fault else { return Ok(None) };
        let only = match &self.only {
            Some(letters) => Some(letters.as_bytes().try_into().context("--only: two letters")?),
            None => None,
        };
        Ok(Some(Plan { fault, only, times: self.times }))
    }
}

fn read_lmk(path: &std::path::Path) -> Result<[u8; 32]> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let text = Zeroizing::new(text);
    let mut key = [0; 32];
    hex::decode_to_slice(text.trim(), &mut key).context("64 hexadecimal digits")?;
    Ok(key)
}
