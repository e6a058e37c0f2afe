//! How a connection ends. It owns the causes, their names and levels in log and metrics, and the
//! last steps on the socket.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use codecs::framing::FrameError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::wire::Wire;

/// How long an orderly end waits for the peer to close as well.
const LINGER: Duration = Duration::from_secs(1);

/// Why a connection ends.
#[derive(Debug)]
pub(super) enum Ending {
    /// The switch stops.
    Shutdown,
    /// The link was drained.
    Drained,
    /// The peer closed between two frames.
    PeerClosed,
    /// The peer closed within a frame.
    CutShort,
    /// The place of the next frame is not known.
    Frame(FrameError),
    /// A frame was begun and not finished in time.
    FrameDeadline,
    /// Nothing came for too long.
    Idle,
    /// More answers waited than are allowed to.
    OutputLimit,
    /// No answer left for too long.
    WriteDeadline,
    /// Our echoes were answered with silence: nobody is there any more.
    HalfOpen,
    /// The peer did not let us sign on.
    NotSignedOn,
    /// The process stood still with answers in hand.
    StoodStill,
    /// The socket failed.
    Socket(io::Error),
}

impl Ending {
    /// As metrics label it.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Shutdown => "shutdown",
            Self::Drained => "drained",
            Self::PeerClosed => "peer_closed",
            Self::CutShort => "cut_short",
            Self::Frame(_) => "malformed_frame",
            Self::FrameDeadline => "frame_deadline",
            Self::Idle => "idle",
            Self::OutputLimit => "output_limit",
            Self::WriteDeadline => "write_deadline",
            Self::HalfOpen => "half_open",
            Self::NotSignedOn => "not_signed_on",
            Self::StoodStill => "stood_still",
            Self::Socket(_) => "socket_error",
        }
    }

    /// True where the answers that were sent should still reach the peer.
    pub(super) const fn is_orderly(&self) -> bool {
        !matches!(
            self,
            Self::OutputLimit
                | Self::WriteDeadline
                | Self::HalfOpen
                | Self::StoodStill
                | Self::Socket(_)
        )
    }

    pub(super) fn log(&self, link: &str, peer: SocketAddr) {
        let cause = self.name();
        match self {
            Self::Shutdown | Self::Drained | Self::PeerClosed => {
                tracing::info!(link, %peer, cause, "disconnected");
            }
            // The text names the peer's probable framing.
            Self::Frame(error) => tracing::warn!(link, %peer, cause, %error, "disconnected"),
            Self::Socket(error) => tracing::warn!(link, %peer, cause, %error, "disconnected"),
            _ => tracing::warn!(link, %peer, cause, "disconnected"),
        }
    }
}

/// Closes our side, then reads until the peer closes its own: a socket that is closed with unread
/// bytes resets the connection, and answers that the peer has not read yet are lost with it.
pub(super) async fn linger(wire: &mut Wire) {
    let until_closed = async {
        let mut discarded = [0; 1024];
        if wire.shutdown().await.is_ok() {
            while matches!(wire.read(&mut discarded).await, Ok(1..)) {}
        }
    };
    // Either way the connection is over.
    let _ = tokio::time::timeout(LINGER, until_closed).await;
}
