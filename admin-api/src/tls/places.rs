//! Places of connections at a listener. It owns the limit: who finds no place is closed before its
//! handshake, which would cost more than it; a place is given back with its connection.

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_server::accept::Accept;
use metrics::{Gauge, gauge};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// There was no place.
#[derive(Debug, thiserror::Error)]
#[error("as many connections are open as may be")]
pub(super) struct NoPlace;

/// The places of a listener.
#[derive(Clone)]
pub(super) struct Places {
    places: Arc<Semaphore>,
    taken: Gauge,
}

impl Places {
    pub(super) fn new(listener: &'static str, connections: usize) -> Self {
        let taken = gauge!("cardswitch_api_connections", "listener" => listener);
        let most = connections.clamp(1, Semaphore::MAX_PERMITS);
        Self { places: Arc::new(Semaphore::new(most)), taken }
    }
}

impl<S> Accept<TcpStream, S> for Places {
    type Stream = Placed;
    type Service = S;
    type Future = Ready<io::Result<(Placed, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let placed = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(permit) => stream.set_nodelay(true).map(|()| {
                self.taken.increment(1.0);
                (
                    Placed { stream, _place: Place { _permit: permit, taken: self.taken.clone() } },
                    service,
                )
            }),
            Err(_) => Err(io::Error::other(NoPlace)),
        };
        ready(placed)
    }
}

struct Place {
    _permit: OwnedSemaphorePermit,
    taken: Gauge,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.taken.decrement(1.0);
    }
}

/// A connection with its place.
pub(super) struct Placed {
    stream: TcpStream,
    _place: Place,
}

impl AsyncRead for Placed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, room)
    }
}

impl AsyncWrite for Placed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
