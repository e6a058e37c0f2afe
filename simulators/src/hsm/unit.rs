//! A simulated HSM on a TCP port: it listens, dies and lives again when told to. Must tell
//! everybody who waits whenever a count changes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::connection::Connection;
use super::fault::{Fault, Plan};
use super::health;
use super::settings::Settings;
use super::tally::Tally;

/// What the connections of a unit have in common.
pub(super) struct Shared {
    settings: Settings,
    plan: Mutex<Option<Plan>>,
    tally: watch::Sender<Tally>,
}

impl Shared {
    pub(super) const fn header_length(&self) -> usize {
        self.settings.header_length
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Tally)) {
        self.tally.send_modify(change);
    }

    pub(super) fn count_command(&self, letters: [u8; 2]) {
        let letters = String::from_utf8_lossy(&letters).into_owned();
        self.count(|tally| *tally.commands.entry(letters).or_default() += 1);
    }

    pub(super) fn count_answer(&self, error: [u8; 2]) {
        let error = String::from_utf8_lossy(&error).into_owned();
        self.count(|tally| *tally.answers.entry(error).or_default() += 1);
    }

    fn plan(&self) -> MutexGuard<'_, Option<Plan>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes wrong with this command.
    pub(super) fn strikes(&self, letters: [u8; 2]) -> Option<Fault> {
        let mut plan = self.plan();
        let fault = plan.as_mut().and_then(|plan| plan.strikes(letters).then_some(plan.fault));
        drop(plan);
        if fault.is_some() {
            self.count(|tally| tally.faults += 1);
        }
        fault
    }

    /// What a command is answered with: an error code, and data.
    pub(super) fn answer(&self, letters: [u8; 2], data: &[u8]) -> ([u8; 2], Vec<u8>) {
        let answered = match &letters {
            b"NO" => health::status(&self.settings, data),
            b"NC" => health::diagnostics(&self.settings, data),
            b"B2" => health::echo(data),
            _ => Err(*b"68"), // the command is not there
        };
        answered.map_or_else(|code| (code, Vec::new()), |data| (*b"00", data))
    }
}

/// A unit.
pub struct HsmUnit {
    shared: Arc<Shared>,
    address: SocketAddr,
    alive: Mutex<CancellationToken>,
}

impl HsmUnit {
    /// Listens.
    ///
    /// # Errors
    /// The port cannot be opened.
    pub async fn listen(address: SocketAddr, settings: Settings) -> Result<Self> {
        let listener = TcpListener::bind(address).await.with_context(|| address.to_string())?;
        let address = listener.local_addr()?;
        let (tally, _) = watch::channel(Tally::default());
        let shared = Arc::new(Shared { settings, plan: Mutex::new(None), tally });
        let alive = CancellationToken::new();
        tokio::spawn(accept(listener, Arc::clone(&shared), alive.clone()));
        Ok(Self { shared, address, alive: Mutex::new(alive) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on this goes wrong, or nothing.
    pub fn fail(&self, plan: Option<Plan>) {
        *self.shared.plan() = plan;
    }

    /// Goes out: it listens no more, and every connection is reset.
    pub fn die(&self) {
        self.alive().cancel();
    }

    /// Is there again, on the same port.
    ///
    /// # Errors
    /// The port cannot be opened.
    pub async fn revive(&self) -> Result<()> {
        let listener = TcpListener::bind(self.address).await?;
        let alive = CancellationToken::new();
        *self.alive() = alive.clone();
        tokio::spawn(accept(listener, Arc::clone(&self.shared), alive));
        Ok(())
    }

    fn alive(&self) -> MutexGuard<'_, CancellationToken> {
        self.alive.lock().unwrap_or_else(PoisonError::into_inner)
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

impl Drop for HsmUnit {
    fn drop(&mut self) {
        self.die();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, alive: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = alive.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        if let Ok((stream, _)) = accepted {
            let connection = Connection::new(Arc::clone(&shared), stream);
            tokio::spawn(connection.serve(alive.clone()));
        }
    }
}
