//! A socket that does not send what a process had in hand while it stood still (W-13): its shards
//! may have been taken over meanwhile. It owns the last look at the clock, as close to the system
//! call as can be: whoever is paused between the two sends all the same, and that is an instant. It
//! knows nothing of what the bytes say.

use std::error::Error;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use switch_shard::PROOF_LASTS;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// The socket, and since when what is sent may have been in hand.
pub(crate) struct FreshStream {
    stream: TcpStream,
    /// `None` where that is nobody's concern: in a handshake, and while the peer takes nothing.
    turn: Option<Instant>,
}

/// The process stood still with answers in hand.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("this process stood still with answers in hand, which may be none any more")]
struct StoodStill;

/// Whether that is why nothing was sent.
pub(crate) fn stood_still(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<StoodStill>)
}

impl FreshStream {
    pub(crate) const fn new(stream: TcpStream) -> Self {
        Self { stream, turn: None }
    }

    /// From here on bytes leave only for as long as a proof of ownership lasts after `turn`; with
    /// `None` whenever they are given.
    pub(crate) const fn begin_turn(&mut self, turn: Option<Instant>) {
        self.turn = turn;
    }

    pub(crate) const fn socket(&self) -> &TcpStream {
        &self.stream
    }

    fn judge(&self) -> io::Result<()> {
        match self.turn {
            Some(turn) if turn.elapsed() > PROOF_LASTS => Err(io::Error::other(StoodStill)),
            _ => Ok(()),
        }
    }

    /// A peer that takes nothing is waited for: what passes then is not the process's standstill.
    fn written(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_pending() {
            self.turn = None;
        }
        written
    }
}

impl AsyncRead for FreshStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for FreshStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.judge()?;
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.written(written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.judge()?;
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.written(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (FreshStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let (ours, theirs) = tokio::join!(TcpStream::connect(address), listener.accept());
        (FreshStream::new(ours.expect("a connection")), theirs.expect("a peer").0)
    }

    fn long_ago() -> Instant {
        Instant::now().checked_sub(2 * PROOF_LASTS).expect("the machine has been up so long")
    }

    #[tokio::test]
    async fn what_was_in_hand_while_the_process_stood_still_does_not_leave() {
        let (mut ours, mut theirs) = pair().await;
        ours.begin_turn(Some(Instant::now()));
        ours.write_all(b"fresh").await.expect("it leaves");
        ours.begin_turn(Some(long_ago()));
        let refused = ours.write_all(b"stale").await.expect_err("it stays");
        assert!(stood_still(&refused), "{refused}");
        let refused = ours.write_vectored(&[IoSlice::new(b"stale")]).await.expect_err("it stays");
        assert!(stood_still(&refused), "{refused}");
        ours.begin_turn(None);
        ours.write_all(b", and a farewell").await.expect("it leaves");
        drop(ours);
        let mut came = String::new();
        theirs.read_to_string(&mut came).await.expect("all of it");
        assert_eq!(came, "fresh, and a farewell");
    }

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_waited_for() {
        let (mut ours, mut theirs) = pair().await;
        let turn = Instant::now();
        ours.begin_turn(Some(turn));
        let much = vec![7; 64 << 20];
        let sending = async {
            ours.write_all(&much).await.expect("it leaves when there is room");
            (ours.turn, ours)
        };
        let reading = async {
            let mut came = 0;
            let mut buffer = vec![0; 1 << 20];
            while came < much.len() {
                came += theirs.read(&mut buffer).await.expect("bytes");
            }
        };
        let ((turn, _ours), ()) = tokio::join!(sending, reading);
        assert_eq!(turn, None, "it was waited for");
        assert!(!stood_still(&io::Error::other("something else")));
    }
}
