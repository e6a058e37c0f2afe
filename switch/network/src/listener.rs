//! A listening link: its port, and the tasks of its connections. It owns who may connect and how
//! many; what happens on a connection is that connection's affair.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use switch_security::SecurityModule;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{InvalidLink, LinkConfig};
use crate::connection::Connection;
use crate::metrics::LinkMetrics;
use crate::sign_on::SignOn;
use crate::socket;
use crate::switch::Switch;

/// Between attempts when the system has no sockets left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What the connections of a link share.
pub(crate) struct Link<S> {
    pub(crate) config: LinkConfig,
    pub(crate) switch: S,
    pub(crate) security: Arc<dyn SecurityModule>,
    pub(crate) sign_on: Arc<SignOn>,
    pub(crate) metrics: LinkMetrics,
}

/// A link whose port is open and who does not accept yet.
pub struct Listener<S> {
    link: Arc<Link<S>>,
    socket: TcpListener,
    address: SocketAddr,
}

/// Why a link does not listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Its settings cannot work.
    #[error(transparent)]
    Invalid(#[from] InvalidLink),
    /// The address cannot be had.
    #[error("link {link} cannot listen on {address}: {source}")]
    Socket {
        /// Which link.
        link: String,
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

impl<S: Switch> Listener<S> {
    /// Opens the port. Needs a Tokio runtime, and for its metrics the recorder installed before.
    ///
    /// # Errors
    /// A setting cannot work, or the address cannot be had.
    pub fn bind(
        config: LinkConfig,
        switch: S,
        security: Arc<dyn SecurityModule>,
    ) -> Result<Self, BindError> {
        config.check()?;
        let address = config.listen;
        let failed = |source| BindError::Socket { link: config.name.clone(), address, source };
        let socket = socket::listen(address).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        let metrics = LinkMetrics::new(&config.name);
        let sign_on = Arc::default();
        let link = Arc::new(Link { config, switch, security, sign_on, metrics });
        Ok(Self { link, socket, address })
    }

    /// Where it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`; then closes the port, lets each connection send the answers that it
    /// owes (for at most the link's drain deadline), and returns.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self { link, socket, address } = self;
        tracing::info!(link = %link.config.name, %address, "listening");
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(ended) = connections.join_next() => note_end(&link, ended),
                accepted = socket.accept() => match accepted {
                    Ok((stream, peer)) => {
                        open(&link, stream, peer, &mut connections, &shutdown);
                    }
                    Err(error) => {
                        link.metrics.refused("accept_failed");
                        tracing::warn!(link = %link.config.name, %error, "accept failed");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(socket);
        while let Some(ended) = connections.join_next().await {
            note_end(&link, ended);
        }
        tracing::info!(link = %link.config.name, "closed");
    }
}

fn open<S: Switch>(
    link: &Arc<Link<S>>,
    stream: TcpStream,
    peer: SocketAddr,
    connections: &mut JoinSet<()>,
    shutdown: &CancellationToken,
) {
    while let Some(ended) = connections.try_join_next() {
        note_end(link, ended);
    }
    let refusal = if !link.config.admits(peer.ip()) {
        Some("peer_not_allowed")
    } else if connections.len() >= link.config.max_connections {
        Some("too_many_connections")
    } else {
        None
    };
    if let Some(cause) = refusal {
        link.metrics.refused(cause);
        tracing::warn!(link = %link.config.name, %peer, cause, "connection refused");
        return;
    }
    if let Err(error) = socket::prepare(&stream) {
        link.metrics.refused("socket_options");
        tracing::warn!(link = %link.config.name, %peer, %error, "connection refused");
        return;
    }
    link.metrics.opened.increment(1);
    let connection = Connection::new(Arc::clone(link), stream, peer);
    match connection {
        Ok(connection) => {
            connections.spawn(connection.serve(shutdown.clone()));
        }
        // The framing was checked when the port was opened.
        Err(error) => tracing::error!(link = %link.config.name, %error, "framing"),
    }
}

fn note_end<S>(link: &Link<S>, ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        link.metrics.closed("defect");
        tracing::error!(link = %link.config.name, %error, "a connection's task failed");
    }
}
