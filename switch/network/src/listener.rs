//! A link that listens: its port, and the tasks of its connections. It owns who may connect and how
//! many; what happens on a connection is that connection's affair.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::connection::Connection;
use crate::fresh_stream::FreshStream;
use crate::link::Link;
use crate::socket;
use crate::standing::Mode;
use crate::switch::Switch;
use crate::wire::Wire;

/// Between attempts when the system has no sockets left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown`. While the link is drained, who connects is closed at once: the port
/// stays ours, so that nobody else has it when the link is resumed.
pub(crate) async fn run<S: Switch>(
    link: &Arc<Link<S>>,
    socket: TcpListener,
    shutdown: &CancellationToken,
) {
    tracing::info!(link = %link.config.name, address = ?socket.local_addr().ok(), "listening");
    let mut modes = link.standing.modes();
    let mut stop = shutdown.child_token();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(ended) = connections.join_next() => note_end(link, ended),
            Ok(()) = modes.changed() => {
                let drained = *modes.borrow_and_update() == Mode::Drained;
                if drained {
                    stop.cancel();
                } else if stop.is_cancelled() {
                    stop = shutdown.child_token();
                }
            }
            accepted = socket.accept() => match accepted {
                Ok((stream, peer)) => open(link, stream, peer, &mut connections, &stop),
                Err(error) => {
                    link.standing.refused("accept_failed");
                    tracing::warn!(link = %link.config.name, %error, "accept failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(socket);
    while let Some(ended) = connections.join_next().await {
        note_end(link, ended);
    }
    tracing::info!(link = %link.config.name, "closed");
}

fn open<S: Switch>(
    link: &Arc<Link<S>>,
    stream: TcpStream,
    peer: SocketAddr,
    connections: &mut JoinSet<()>,
    stop: &CancellationToken,
) {
    while let Some(ended) = connections.try_join_next() {
        note_end(link, ended);
    }
    let refusal = if !link.config.admits(peer.ip()) {
        Some("peer_not_allowed")
    } else if link.standing.is_drained() {
        Some("drained")
    } else if connections.len() >= link.config.max_connections {
        Some("too_many_connections")
    } else {
        None
    };
    if let Some(cause) = refusal {
        link.standing.refused(cause);
        tracing::warn!(link = %link.config.name, %peer, cause, "connection refused");
        return;
    }
    if let Err(error) = socket::prepare(&stream, link.config.unacknowledged) {
        link.standing.refused("socket_options");
        tracing::warn!(link = %link.config.name, %peer, %error, "connection refused");
        return;
    }
    link.standing.opened();
    connections.spawn(serve(Arc::clone(link), stream, peer, stop.clone()));
}

/// The handshake, where the link has TLS, and then the connection.
async fn serve<S: Switch>(
    link: Arc<Link<S>>,
    stream: TcpStream,
    peer: SocketAddr,
    stop: CancellationToken,
) {
    let wire = match &link.tls {
        None => Wire::plain(FreshStream::new(stream)),
        Some(tls) => {
            let shaken = tokio::select! {
                () = stop.cancelled() => return,
                shaken = tls.accept(stream) => shaken,
            };
            match shaken {
                Ok(wire) => wire,
                Err(error) => {
                    link.standing.refused(error.cause());
                    tracing::warn!(link = %link.config.name, %peer, %error, "connection refused");
                    return;
                }
            }
        }
    };
    match Connection::new(Arc::clone(&link), wire, peer) {
        Ok(connection) => {
            connection.serve(stop).await;
        }
        // The framing was checked when the link was opened.
        Err(error) => tracing::error!(link = %link.config.name, %error, "framing"),
    }
}

fn note_end<S>(link: &Link<S>, ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        link.note_defect(&error);
    }
}
