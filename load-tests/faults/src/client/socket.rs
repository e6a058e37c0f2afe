//! One TCP connection of the client: frames out, frames in, told to one channel. It owns the order
//! of what it writes; it counts nothing.

use anyhow::{Context, Result};
use bytes::{Bytes, BytesMut};
use codecs::framing::FrameCodec;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_util::codec::Decoder;
use tokio_util::task::AbortOnDropHandle;

use super::requests::framing;
use crate::checker::history::LinkId;

/// What came from a link.
pub(super) enum Incoming {
    Frame(LinkId, Bytes),
    Closed(LinkId),
}

/// An open connection. Dropped, it is closed.
pub(super) struct Socket {
    pub(super) link: LinkId,
    /// It has answered an echo: there is a switch at its other end.
    pub(super) proven: bool,
    codec: FrameCodec,
    outgoing: mpsc::UnboundedSender<BytesMut>,
    _task: AbortOnDropHandle<()>,
}

impl Socket {
    /// Opens one; `opened` is told our port before anything else can happen on it.
    pub(super) async fn open(
        port: u16,
        link: LinkId,
        incoming: mpsc::UnboundedSender<Incoming>,
        opened: impl FnOnce(u16) -> Result<()>,
    ) -> Result<Self> {
        // Bound first: the proxy asks for the link by the port as soon as it is connected.
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind(([127, 0, 0, 1], 0).into())?;
        opened(socket.local_addr()?.port())?;
        let stream = socket.connect(([127, 0, 0, 1], port).into()).await.context("connecting")?;
        stream.set_nodelay(true)?;
        let codec = framing().codec()?;
        let (outgoing, queue) = mpsc::unbounded_channel();
        let task = tokio::spawn(run(stream, link, codec.clone(), queue, incoming));
        Ok(Self { link, proven: false, codec, outgoing, _task: AbortOnDropHandle::new(task) })
    }

    pub(super) fn send(&self, message: &[u8]) -> Result<()> {
        let mut frame = BytesMut::new();
        self.codec.append(None, message, &mut frame)?;
        // A link that has ended says so by itself.
        let _ = self.outgoing.send(frame);
        Ok(())
    }
}

async fn run(
    stream: TcpStream,
    link: LinkId,
    mut codec: FrameCodec,
    mut queue: mpsc::UnboundedReceiver<BytesMut>,
    incoming: mpsc::UnboundedSender<Incoming>,
) {
    let (mut reading, mut writing) = stream.into_split();
    let write = async move {
        while let Some(frame) = queue.recv().await {
            if writing.write_all(&frame).await.is_err() {
                break;
            }
        }
        // The reading half tells of the end.
        std::future::pending::<()>().await;
    };
    let told = incoming.clone();
    let read = async move {
        let mut buffer = BytesMut::new();
        while matches!(reading.read_buf(&mut buffer).await, Ok(1..)) {
            while let Ok(Some(frame)) = codec.decode(&mut buffer) {
                if told.send(Incoming::Frame(link, frame.body)).is_err() {
                    return;
                }
            }
        }
    };
    tokio::select! {
        () = write => {}
        () = read => {}
    }
    let _ = incoming.send(Incoming::Closed(link));
}
