//! The bytes of a connection, in clear or through TLS, so that all above is the same for both. It
//! owns what TLS still holds back after a write; it never looks at a byte.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
use tokio_rustls::TlsStream;
use tokio_util::io::poll_read_buf;
use zeroize::Zeroize;

use crate::fresh_stream::FreshStream;

/// One connection's bytes.
pub(crate) struct Wire {
    stream: Stream,
    /// Written by us and not by TLS yet: at most one of its buffers, of 64 KiB.
    unflushed: bool,
}

enum Stream {
    Plain(FreshStream),
    Tls(Box<TlsStream<FreshStream>>),
}

impl Wire {
    pub(crate) const fn plain(stream: FreshStream) -> Self {
        Self { stream: Stream::Plain(stream), unflushed: false }
    }

    pub(crate) fn tls(stream: impl Into<TlsStream<FreshStream>>) -> Self {
        Self { stream: Stream::Tls(Box::new(stream.into())), unflushed: false }
    }

    /// The version of TLS; `None` in clear.
    pub(crate) fn protocol(&self) -> Option<&'static str> {
        let Stream::Tls(stream) = &self.stream else { return None };
        let (_, session) = stream.get_ref();
        Some(match session.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
            _ => "TLS",
        })
    }

    /// What is sent from here on was in hand since `turn`, and leaves only for as long as a proof
    /// of ownership lasts (W-13); with `None` whenever there is something.
    pub(crate) fn begin_turn(&mut self, turn: Option<Instant>) {
        match &mut self.stream {
            Stream::Plain(stream) => stream.begin_turn(turn),
            Stream::Tls(stream) => stream.get_mut().0.begin_turn(turn),
        }
    }

    /// True while bytes that were taken have not left.
    pub(crate) const fn holds_back(&self) -> bool {
        self.unflushed
    }

    /// Sends from the front of `output`, and what was held back; how many bytes were taken.
    pub(crate) fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        output: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        let stream = match &mut self.stream {
            Stream::Plain(stream) => return poll_give(stream, cx, output),
            Stream::Tls(stream) => stream,
        };
        let mut taken = 0;
        if !output.is_empty() {
            taken = ready!(poll_give(stream, cx, output))?;
            self.unflushed = true;
        }
        match Pin::new(stream).poll_flush(cx) {
            Poll::Ready(flushed) => {
                self.unflushed = false;
                flushed?;
            }
            Poll::Pending if taken == 0 => return Poll::Pending,
            Poll::Pending => {}
        }
        Poll::Ready(Ok(taken))
    }

    /// Reads into `input`, which has room; 0 at the end. An end without TLS's own farewell is one
    /// too: a message has a length, and what is cut short is noticed by it.
    pub(crate) fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(stream) => poll_read_buf(Pin::new(stream), cx, input),
            Stream::Tls(stream) => match ready!(poll_read_buf(Pin::new(stream), cx, input)) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(0)),
                read => Poll::Ready(read),
            },
        }
    }

    /// Sends what the socket takes at once, in clear only; for the fault harness.
    pub(crate) fn try_write_plain(&self, bytes: &[u8]) {
        if let Stream::Plain(stream) = &self.stream {
            let _ = stream.socket().try_write(bytes);
        }
    }
}

/// Gives the stream what it takes of the front of `output`, and wipes that.
fn poll_give(
    stream: &mut (impl AsyncWrite + Unpin),
    cx: &mut Context<'_>,
    output: &mut BytesMut,
) -> Poll<io::Result<usize>> {
    let taken = ready!(Pin::new(stream).poll_write(cx, output))?;
    output.get_mut(..taken).unwrap_or_default().zeroize();
    output.advance(taken);
    Poll::Ready(Ok(taken))
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
