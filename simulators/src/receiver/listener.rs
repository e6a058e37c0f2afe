//! A receiver on a TCP port: it listens, goes out and is there again when told to. Must tell
//! everybody who waits whenever a message came.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::conduct::Reply;
use super::serve::serve;
use crate::network::{Handshake, Identity, Tls, TlsVersions};

/// A message, as it came.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Delivery {
    /// The path, with its query.
    pub path: String,
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`.
    pub timestamp: String,
    /// `webhook-signature`.
    pub signature: String,
    /// `x-idempotency-key`.
    pub idempotency_key: String,
    /// The body.
    pub body: String,
    /// What was answered; none where nothing was.
    pub status: Option<u16>,
}

/// What the connections of a receiver have in common.
pub(super) struct Shared {
    pub(super) handshake: Handshake,
    plan: Mutex<(VecDeque<Reply>, Reply)>,
    came: watch::Sender<Vec<Delivery>>,
}

impl Shared {
    pub(super) fn keep(&self, delivery: Delivery) {
        self.came.send_modify(|came| came.push(delivery));
    }

    pub(super) fn next(&self) -> Reply {
        let mut plan = self.plan();
        plan.0.pop_front().unwrap_or_else(|| plan.1.clone())
    }

    fn plan(&self) -> MutexGuard<'_, (VecDeque<Reply>, Reply)> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A receiver. It answers 204, until it is told otherwise.
pub struct Receiver {
    shared: Arc<Shared>,
    address: SocketAddr,
    alive: Mutex<CancellationToken>,
}

impl Receiver {
    /// Listens.
    ///
    /// # Errors
    /// The port cannot be opened, or the certificate not be used.
    pub async fn listen(address: SocketAddr, identity: Identity) -> Result<Self> {
        let tls = Tls {
            identity: Some(identity),
            authorities: None,
            name: String::new(),
            versions: TlsVersions::Both,
        };
        let handshake = Handshake::accepting(Some(&tls))?;
        let listener = TcpListener::bind(address).await.with_context(|| address.to_string())?;
        let address = listener.local_addr()?;
        let (came, _) = watch::channel(Vec::new());
        let plan = Mutex::new((VecDeque::new(), Reply::Status(204)));
        let shared = Arc::new(Shared { handshake, plan, came });
        let alive = CancellationToken::new();
        tokio::spawn(accept(listener, Arc::clone(&shared), alive.clone()));
        Ok(Self { shared, address, alive: Mutex::new(alive) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next messages are answered so, one after the other; then as before.
    pub fn answers(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.plan().0.extend(replies);
    }

    /// From now on every message is answered so.
    pub fn always(&self, reply: Reply) {
        let mut plan = self.shared.plan();
        plan.0.clear();
        plan.1 = reply;
    }

    /// Goes out: it listens no more, and every connection ends.
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

    /// All that came, in its order.
    #[must_use]
    pub fn came(&self) -> Vec<Delivery> {
        self.shared.came.borrow().clone()
    }

    /// Waits until what came is so.
    pub async fn until(&self, reached: impl FnMut(&Vec<Delivery>) -> bool) {
        let mut came = self.shared.came.subscribe();
        let _ = came.wait_for(reached).await; // its sender lives as long as this
    }

    fn alive(&self) -> MutexGuard<'_, CancellationToken> {
        self.alive.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Receiver {
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
            let (shared, alive) = (Arc::clone(&shared), alive.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = serve(shared, stream) => {}
                    () = alive.cancelled() => {}
                }
            });
        }
    }
}
