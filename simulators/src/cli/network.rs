//! `cardswitch-sim network`: a payment network at the other end of an issuer's link. Must leave
//! what it does to the library, and print counts only.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use codecs::framing::{Framing, LengthHeader};
use codecs::iso8583::Dialect;

use simulators::network::{
    Behaviour, Function, Identity, LockAsk, Malformed, NetworkPeer, Settings, Tls, TlsVersions,
};

use super::one_shot::minor_units;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    end: End,
    /// A shipped dialect by name, or the path of a dialect file.
    #[arg(long, short, default_value = "iso87-ascii")]
    dialect: String,
    /// The length in front of every message: binary2, ascii4, bcd2 and so on.
    #[arg(long, default_value = "binary2")]
    length: LengthHeader,
    /// The rest of the framing, as in a configuration: 'header = "tpdu"', 'inclusive = true'.
    #[arg(long, value_name = "TOML")]
    framing: Vec<String>,
    #[command(flatten)]
    tls: TlsArgs,
    /// Send no purchase before the issuer has signed on.
    #[arg(long)]
    wait_for_sign_on: bool,
    /// Sign on to the issuer first.
    #[arg(long)]
    sign_on: bool,
    /// How many seconds an answer, a connection or a sign-on is waited for.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    patience: u64,
    #[command(flatten)]
    work: Work,
    #[command(flatten)]
    faults: Faults,
    /// Then stay for so many seconds; without it, until interrupted where nothing is to be sent.
    #[arg(long)]
    stay: Option<u64>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct End {
    /// Listen here for the links of issuers; port 0 takes any free one, and is printed.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Dial an issuer here, and again whenever the connection ends.
    #[arg(long, value_name = "ADDRESS")]
    dial: Option<SocketAddr>,
}

#[derive(Debug, clap::Args)]
struct TlsArgs {
    /// PEM file of this network's certificate: turns TLS on.
    #[arg(long, value_name = "PEM", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// PEM file of its private key.
    #[arg(long, value_name = "PEM", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// PEM file of whose certificates are taken: turns TLS on; who listens with it lets nobody in
    /// without one.
    #[arg(long, value_name = "PEM")]
    tls_authorities: Option<PathBuf>,
    /// The name that the certificate of a dialled issuer must have.
    #[arg(long, default_value = "localhost")]
    tls_name: String,
}

#[derive(Debug, clap::Args)]
struct Work {
    /// Send so many purchases, one after the other.
    #[arg(long, default_value_t = 0, requires = "pan")]
    purchases: u32,
    /// The card's number.
    #[arg(long)]
    pan: Option<String>,
    /// The amount, with two decimals or none.
    #[arg(long, default_value = "12.50", value_parser = minor_units)]
    amount: u64,
    /// Send so many financial purchases, and take every second of them back.
    #[arg(long, default_value_t = 0, requires = "pan")]
    financials: u32,
    /// At the end say what was settled, and print what the issuer said.
    #[arg(long)]
    reconcile: bool,
    /// Then ask for the card to be locked with this code, and print what the issuer said.
    #[arg(long, value_name = "CODE", requires = "pan")]
    lock: Option<u8>,
    /// Then ask for its lock to be taken back, whichever it is, and print what the issuer said.
    #[arg(long, requires = "pan")]
    unlock: bool,
}

impl Work {
    /// Whether anything is to be sent.
    fn is_something(&self) -> bool {
        let some = self.purchases > 0 || self.financials > 0 || self.reconcile;
        some || self.locks().count() > 0
    }

    /// Purchases that settle at once, and reversals of every second one.
    async fn settle(&self, peer: &NetworkPeer, pan: &str) -> Result<()> {
        let speech = peer.speech();
        for number in 1..=self.financials {
            let sale = peer.sale(pan, self.amount);
            peer.request("200", &speech.financial(&sale, "000000")).await?;
            if number % 2 == 0 {
                let stan = peer.sale(pan, self.amount).stan;
                peer.request("400", &speech.reversal("200", &sale, stan)).await?;
            }
        }
        Ok(())
    }

    /// File actions, in their order.
    fn locks(&self) -> impl Iterator<Item = LockAsk> + use<> {
        let unlock = self.unlock.then_some(LockAsk::Unlock(None));
        self.lock.map(LockAsk::Lock).into_iter().chain(unlock)
    }
}

#[derive(Debug, clap::Args)]
struct Faults {
    /// Send so many malformed frames before the purchases.
    #[arg(long, default_value_t = 0)]
    malformed: u32,
    /// Where they come from: the same seed makes the same frames.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// After each so many of them break the framing itself, which costs the connection.
    #[arg(long, default_value_t = 0)]
    bad_length_every: u32,
    /// Reset every connection after each so many purchases.
    #[arg(long, default_value_t = 0)]
    kill_every: u32,
    /// Go half open when all is sent: neither read nor write any more, and close nothing.
    #[arg(long)]
    half_open: bool,
    /// Leave echoes of the issuer unanswered.
    #[arg(long)]
    mute_to_echo: bool,
    /// Answer the issuer twice.
    #[arg(long)]
    answer_twice: bool,
    /// Answer the issuer so many milliseconds late.
    #[arg(long, default_value_t = 0)]
    answer_after: u64,
}

impl Args {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let settings = self.settings()?;
        let peer = match (self.end.listen, self.end.dial) {
            (Some(address), _) => NetworkPeer::listen(address, settings).await?,
            (None, Some(address)) => NetworkPeer::dial(address, settings)?,
            (None, None) => anyhow::bail!("give --listen or --dial"),
        };
        println!("{}", serde_json::json!({ "address": peer.address().to_string() }));
        let worked = self.work(&peer).await;
        if let Err(why) = &worked {
            eprintln!("{why:#}");
        } else {
            self.stay().await?;
        }
        let tally = peer.tally();
        println!("{}", serde_json::to_string_pretty(&tally)?);
        let clean = worked.is_ok() && tally.unanswered == 0;
        Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn settings(&self) -> Result<Settings> {
        let dialect = match Dialect::shipped(&self.dialect) {
            Some(dialect) => dialect,
            None => {
                let text = std::fs::read_to_string(&self.dialect)
                    .with_context(|| format!("{}: no dialect and no file", self.dialect))?;
                Dialect::from_toml(&text).with_context(|| self.dialect.clone())?
            }
        };
        let framing = format!("length = \"{}\"\n{}", self.length, self.framing.join("\n"));
        let framing: Framing = toml::from_str(&framing).context("--framing")?;
        let faults = &self.faults;
        Ok(Settings {
            tls: self.tls.read(),
            wait_for_sign_on: self.wait_for_sign_on,
            patience: Duration::from_secs(self.patience),
            behaviour: Behaviour {
                mute_to_echo: faults.mute_to_echo,
                answer_twice: faults.answer_twice,
                answer_after: Duration::from_millis(faults.answer_after),
            },
            ..Settings::new(Arc::new(dialect), framing)
        })
    }

    async fn work(&self, peer: &NetworkPeer) -> Result<()> {
        let Faults { malformed: frames, seed, bad_length_every, kill_every, .. } = self.faults;
        let something = self.sign_on || frames > 0 || self.work.is_something();
        if something {
            peer.ready().await?;
        }
        if self.sign_on {
            let answer = peer.manage(Function::SignOn).await?;
            ensure!(answer.action().ends_with("00"), "the issuer refused the sign-on");
        }
        if frames > 0 {
            peer.send_malformed(Malformed { frames, seed, bad_length_every }).await?;
        }
        let pan = self.work.pan.as_deref().unwrap_or_default();
        for number in 1..=self.work.purchases {
            peer.purchase(pan, self.work.amount).await?;
            if kill_every > 0 && number % kill_every == 0 {
                let before = peer.tally().connected;
                peer.kill();
                peer.until(|tally| tally.connected > before).await?;
                peer.ready().await?;
            }
        }
        self.work.settle(peer, pan).await?;
        for ask in self.work.locks() {
            let said = peer.lock(pan, ask).await?;
            println!("{}", serde_json::json!({ "file_action": said.action() }));
        }
        if self.work.reconcile {
            let said = peer.reconcile().await?;
            println!("{}", serde_json::json!({ "reconciliation": said.action() }));
        }
        if self.faults.half_open {
            peer.ready().await?;
            peer.go_half_open();
        }
        Ok(())
    }

    async fn stay(&self) -> Result<()> {
        let nothing_else = self.faults.malformed == 0 && !self.work.is_something();
        let seconds = match self.stay {
            Some(seconds) => seconds,
            None if nothing_else || self.faults.half_open => u64::from(u32::MAX),
            None => 0,
        };
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(seconds)) => Ok(()),
            interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot be interrupted"),
        }
    }
}

impl TlsArgs {
    fn read(&self) -> Option<Tls> {
        let identity = match (&self.tls_certificate, &self.tls_key) {
            (Some(chain), Some(key)) => Some(Identity { chain: chain.clone(), key: key.clone() }),
            _ => None,
        };
        if identity.is_none() && self.tls_authorities.is_none() {
            return None;
        }
        let (authorities, name) = (self.tls_authorities.clone(), self.tls_name.clone());
        Some(Tls { identity, authorities, name, versions: TlsVersions::Both })
    }
}
