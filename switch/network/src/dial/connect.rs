//! One attempt to reach a peer: resolve, connect, shake hands. It owns the deadline of each step
//! and the names of what can go wrong.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::settings::{Dialling, host_of};
use crate::fresh_stream::FreshStream;
use crate::link::Link;
use crate::socket;
use crate::tls::HandshakeError;
use crate::wire::Wire;

/// Addresses of one name that are tried in one attempt.
const MOST_ADDRESSES: usize = 8;

/// A connection that can be used.
pub(super) struct Reached {
    pub(super) wire: Wire,
    pub(super) peer: SocketAddr,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum DialError {
    #[error("the name cannot be resolved: {0}")]
    Unresolved(io::Error),
    #[error("the name was not resolved within {} ms", .0.as_millis())]
    ResolveDeadline(Duration),
    #[error("the name has no address")]
    NoAddress,
    #[error("{peer}: {source}")]
    Connect { peer: SocketAddr, source: io::Error },
    #[error("{peer}: no connection within {} ms", .within.as_millis())]
    ConnectDeadline { peer: SocketAddr, within: Duration },
    #[error("{peer}: {source}")]
    Handshake { peer: SocketAddr, source: HandshakeError },
}

impl DialError {
    /// As metrics label it.
    pub(super) const fn cause(&self) -> &'static str {
        match self {
            Self::Unresolved(_) | Self::ResolveDeadline(_) | Self::NoAddress => "resolve",
            Self::Connect { .. } => "connect",
            Self::ConnectDeadline { .. } => "connect_deadline",
            Self::Handshake { source, .. } => source.cause(),
        }
    }
}

/// Tries the addresses behind one entry of the list, in the order in which the resolver gives them.
pub(super) async fn connect<S>(
    link: &Link<S>,
    dialling: &Dialling,
    address: &str,
) -> Result<Reached, DialError> {
    let within = dialling.connect_deadline;
    let resolved = timeout(within, lookup_host(address)).await;
    let resolved = resolved.map_err(|_| DialError::ResolveDeadline(within))?;
    let resolved = resolved.map_err(DialError::Unresolved)?;
    let mut failed = DialError::NoAddress;
    for peer in resolved.take(MOST_ADDRESSES) {
        match timeout(within, socket::connect(peer, link.config.unacknowledged)).await {
            Ok(Ok(stream)) => return secure(link, stream, address, peer).await,
            Ok(Err(source)) => failed = DialError::Connect { peer, source },
            Err(_) => failed = DialError::ConnectDeadline { peer, within },
        }
    }
    Err(failed)
}

async fn secure<S>(
    link: &Link<S>,
    stream: TcpStream,
    address: &str,
    peer: SocketAddr,
) -> Result<Reached, DialError> {
    let Some(tls) = &link.tls else {
        return Ok(Reached { wire: Wire::plain(FreshStream::new(stream)), peer });
    };
    let host = host_of(address).unwrap_or_default();
    match tls.connect(stream, &host).await {
        Ok(wire) => Ok(Reached { wire, peer }),
        Err(source) => Err(DialError::Handshake { peer, source }),
    }
}
