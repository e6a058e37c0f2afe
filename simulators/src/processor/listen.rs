//! A simulated processor on a TCP port: it listens, goes out and is there again when told to. Must
//! tell everybody who waits whenever a count changes, and keep its cards while it is out.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use tokio::sync::watch;

use super::book::Book;
use super::conduct::{Conduct, Plan};
use super::serve::serve;
use super::tally::Tally;
use crate::network::{Handshake, Identity, Tls, TlsVersions};
use crate::port::{Port, until_out};

/// How a processor is reached, and who may ask.
#[derive(Clone, Debug)]
pub struct ProcessorSettings {
    /// Its certificate.
    pub identity: Identity,
    /// PEM file of the authorities of those who may ask: nobody else gets through the handshake.
    pub clients: PathBuf,
}

/// What the connections of a processor have in common.
pub(super) struct Shared {
    pub(super) handshake: Handshake,
    plan: Mutex<Option<Plan>>,
    book: Mutex<Book>,
    tally: watch::Sender<Tally>,
}

impl Shared {
    /// Counts.
    pub(super) fn count(&self, change: impl FnOnce(&mut Tally)) {
        self.tally.send_modify(change);
    }

    /// Works on the cards, and counts.
    pub(super) fn with_book<T>(&self, work: impl FnOnce(&mut Book, &mut Tally) -> T) -> T {
        let mut book = self.book();
        let mut done = None;
        self.tally.send_modify(|tally| done = Some(work(&mut book, tally)));
        done.unwrap_or_else(|| unreachable!("the work was done"))
    }

    /// What is done with the next question.
    pub(super) fn next(&self) -> Option<Conduct> {
        self.plan().as_mut().and_then(Plan::next)
    }

    fn plan(&self) -> MutexGuard<'_, Option<Plan>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A processor.
pub struct SimulatedProcessor {
    shared: Arc<Shared>,
    port: Port,
}

impl SimulatedProcessor {
    /// Listens.
    ///
    /// # Errors
    /// The port cannot be opened, or the certificate not be used.
    pub async fn listen(address: SocketAddr, settings: ProcessorSettings) -> Result<Self> {
        let tls = Tls {
            identity: Some(settings.identity),
            authorities: Some(settings.clients),
            name: String::new(),
            versions: TlsVersions::Both,
        };
        let handshake = Handshake::accepting(Some(&tls))?;
        let (tally, _) = watch::channel(Tally::default());
        let (plan, book) = (Mutex::new(None), Mutex::default());
        let shared = Arc::new(Shared { handshake, plan, book, tally });
        let of_all = Arc::clone(&shared);
        let serving = move |stream, alive| until_out(serve(Arc::clone(&of_all), stream), alive);
        Ok(Self { shared, port: Port::open(address, serving).await? })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// From now on it does this, or what is right.
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

    /// Whether a card is in use, as far as it was told.
    #[must_use]
    pub fn is_in_use(&self, card: &str) -> bool {
        self.shared.book().is_in_use(card)
    }

    /// Until when a card is good, as far as it was told: YYMM.
    #[must_use]
    pub fn expiry(&self, card: &str) -> Option<String> {
        self.shared.book().expiry(card)
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
