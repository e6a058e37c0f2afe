//! A receiver on a TCP port: it listens, goes out and is there again when told to. Must tell
//! everybody who waits whenever a message came.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use tokio::sync::watch;

use super::conduct::Reply;
use super::serve::serve;
use crate::network::{Handshake, Identity, Tls, TlsVersions};
use crate::port::{Port, until_out};

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
    port: Port,
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
        let (came, _) = watch::channel(Vec::new());
        let plan = Mutex::new((VecDeque::new(), Reply::Status(204)));
        let shared = Arc::new(Shared { handshake, plan, came });
        let of_all = Arc::clone(&shared);
        let serving = move |stream, alive| until_out(serve(Arc::clone(&of_all), stream), alive);
        Ok(Self { shared, port: Port::open(address, serving).await? })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.port.address()
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
        self.port.die();
    }

    /// Is there again, on the same port.
    ///
    /// # Errors
    /// The port cannot be opened.
    pub async fn revive(&self) -> Result<()> {
        self.port.revive().await
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
}
