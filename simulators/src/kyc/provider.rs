//! A simulated provider on a TCP port: it listens, goes out and is there again when told to. Must
//! tell everybody who waits whenever a count changes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Result, ensure};
use tokio::sync::watch;

use super::conduct::{Conduct, Plan};
use super::serve::serve;
use super::tally::Tally;
use crate::network::{Handshake, Identity, Tls, TlsVersions};
use crate::port::{Port, until_out};

/// How a provider is reached, and who may ask.
#[derive(Clone, Debug)]
pub struct KycSettings {
    /// Its certificate.
    pub identity: Identity,
    /// PEM file of the authorities of those who ask; without it no certificate is asked for.
    pub clients: Option<PathBuf>,
    /// What they send as a bearer token, if anything.
    pub secret: Option<String>,
}

/// What the connections of a provider have in common.
pub(super) struct Shared {
    pub(super) handshake: Handshake,
    pub(super) secret: Option<String>,
    plan: Mutex<Option<Plan>>,
    tally: watch::Sender<Tally>,
}

impl Shared {
    /// Counts, and gives what the counting tells.
    pub(super) fn count<T: Default>(&self, change: impl FnOnce(&mut Tally) -> T) -> T {
        let mut told = T::default();
        self.tally.send_modify(|tally| told = change(tally));
        told
    }

    /// What is done with the next question.
    pub(super) fn next(&self) -> Option<Conduct> {
        self.plan().as_mut().and_then(Plan::next)
    }

    fn plan(&self) -> MutexGuard<'_, Option<Plan>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A provider.
pub struct SimulatedKyc {
    shared: Arc<Shared>,
    port: Port,
}

impl SimulatedKyc {
    /// Listens.
    ///
    /// # Errors
    /// The port cannot be opened, or the certificate not be used.
    pub async fn listen(address: SocketAddr, settings: KycSettings) -> Result<Self> {
        let KycSettings { identity, clients, secret } = settings;
        ensure!(
            secret.as_ref().is_none_or(|secret| !secret.is_empty()),
            "an empty secret keeps nobody out"
        );
        let tls = Tls {
            identity: Some(identity),
            authorities: clients,
            name: String::new(),
            versions: TlsVersions::Both,
        };
        let handshake = Handshake::accepting(Some(&tls))?;
        let (tally, _) = watch::channel(Tally::default());
        let shared = Arc::new(Shared { handshake, secret, plan: Mutex::new(None), tally });
        let of_all = Arc::clone(&shared);
        let serving = move |stream, alive| until_out(serve(Arc::clone(&of_all), stream), alive);
        Ok(Self { shared, port: Port::open(address, serving).await? })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// From now on it does this, or answers by the name.
    pub fn plan(&self, plan: Option<Plan>) {
        *self.shared.plan() = plan;
    }

    /// Goes out: it listens no more, and every connection ends.
    pub fn die(&self) {
        self.port.die();
    }

    /// Is there again, on the same port.
    ///
    /// # Errors
    /// The port cannot be opened.
    pub async fn revive(&self) -> Result<()> {
        self.port.revive().await
    }

    /// What it counted.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.shared.tally.borrow().clone()
    }

    /// Waits until the counts are so.
    pub async fn until(&self, reached: impl FnMut(&Tally) -> bool) {
        let mut tally = self.shared.tally.subscribe();
        let _ = tally.wait_for(reached).await; // its sender lives as long as this
    }
}
