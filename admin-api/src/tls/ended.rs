//! Why a connection ended that its client would have kept: by which limit. It owns that each is
//! counted once, at its end, and by the limit alone: whoever goes by themselves is not counted.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum_server::accept::Accept;
use metrics::counter;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::settings::ListenLimits;

/// How an answer begins to a head beyond its limits: the library gives it, and nothing of ours
/// does.
const BEYOND: &[u8] = b"HTTP/1.1 431";

/// The acceptor around all others: what is past its handshake is looked at here.
#[derive(Clone)]
pub(super) struct Ends<A> {
    inner: A,
    listener: &'static str,
    first: Duration,
    next: Duration,
    stopping: Arc<AtomicBool>,
}

impl<A> Ends<A> {
    /// Of a listener's connections; none is counted once it stops.
    pub(super) fn new(
        inner: A,
        (listener, limits): (&'static str, &ListenLimits),
        stopping: Arc<AtomicBool>,
    ) -> Self {
        let (first, next) = (limits.first_request, limits.next_request);
        Self { inner, listener, first, next, stopping }
    }
}

impl<A, I, S> Accept<I, S> for Ends<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
{
    type Stream = Watched<A::Stream>;
    type Service = A::Service;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, A::Service)>> + Send>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let accepting = self.inner.accept(stream, service);
        let Self { listener, first, next, stopping, .. } = self;
        let life = (*listener, *first, *next, stopping.clone());
        Box::pin(async move {
            let (stream, service) = accepting.await?;
            let (listener, first, next, stopping) = life;
            let life = Life { listener, first, next, stopping, since: Instant::now(), last: None };
            Ok((Watched { stream, life: Some(life) }, service))
        })
    }
}

/// How a connection stands with its limits.
struct Life {
    listener: &'static str,
    first: Duration,
    next: Duration,
    stopping: Arc<AtomicBool>,
    since: Instant,
    /// When something was last written: the end of a request.
    last: Option<Instant>,
}

impl Life {
    /// Which limit ended it, if it was one.
    fn limit(&self) -> Option<&'static str> {
        match self.last {
            _ if self.stopping.load(Ordering::Relaxed) => None,
            None => (self.since.elapsed() >= self.first).then_some("first_request"),
            Some(last) => (last.elapsed() >= self.next).then_some("next_request"),
        }
    }
}

/// A connection that is looked at.
pub(super) struct Watched<S> {
    stream: S,
    /// None once its client went, or the connection broke.
    life: Option<Life>,
}

impl<S> Drop for Watched<S> {
    fn drop(&mut self) {
        if let Some((listener, cause)) =
            self.life.take().and_then(|life| Some((life.listener, life.limit()?)))
        {
            count(listener, cause);
        }
    }
}

fn count(listener: &'static str, cause: &'static str) {
    counter!("cardswitch_api_ended_connections_total", "listener" => listener, "cause" => cause)
        .increment(1);
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = room.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, room));
        if read.is_err() || (room.filled().len() == before && room.remaining() > 0) {
            self.life = None;
        }
        Poll::Ready(read)
    }
}

impl<S: AsyncWrite + Unpin> Watched<S> {
    /// What is about to be written, by its beginning, and how that went.
    fn wrote(&mut self, begins: &[u8], written: &io::Result<usize>) {
        if written.is_err() {
            self.life = None;
        } else if let Some(life) = &mut self.life {
            life.last = Some(Instant::now());
            if begins.starts_with(BEYOND) {
                count(life.listener, "head");
                // That is how it ends.
                self.life = None;
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes));
        self.wrote(bytes, &written);
        Poll::Ready(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, parts));
        self.wrote(parts.first().map_or(&[], |part| part), &written);
        Poll::Ready(written)
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
