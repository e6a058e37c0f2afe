//! One connection to the switch: frames out, messages in. Must never make its user wait, and must
//! stamp every message at the moment it came.

use anyhow::{Context, Result};
use bytes::{Bytes, BytesMut};
use codecs::framing::{FrameCodec, Framing};
use futures_util::StreamExt;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::codec::FramedRead;

use crate::iso::Message;

/// Something that came from the switch.
#[derive(Debug)]
pub struct Arrival {
    /// Index of the connection.
    pub connection: usize,
    /// When.
    pub at: Instant,
    /// What.
    pub incoming: Incoming,
}

/// What came.
#[derive(Debug)]
pub enum Incoming {
    /// A message, and its bytes as they came.
    Message(Message, Bytes),
    /// A frame that is no message to this peer, and why.
    Unreadable(String),
    /// The end of the connection; the fault, if it was one.
    Closed(Option<String>),
}

/// The sending half. Dropped, it closes the connection once everything is sent.
#[derive(Debug)]
pub struct Connection {
    // Unbounded on purpose: an open loop sends on time whether or not the peer reads, and the
    // number of requests in a run bounds it.
    outgoing: mpsc::UnboundedSender<BytesMut>,
    codec: FrameCodec,
}

impl Connection {
    /// Takes a connected stream over; what it receives goes to `arrivals` under this index.
    ///
    /// # Errors
    /// When the framing's limit is not one its length header can say.
    pub fn over<S>(
        stream: S,
        framing: &Framing,
        index: usize,
        arrivals: mpsc::UnboundedSender<Arrival>,
    ) -> Result<Connection>
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let codec = framing.codec()?;
        let (reading, writing) = tokio::io::split(stream);
        let (outgoing, queue) = mpsc::unbounded_channel();
        tokio::spawn(write_all(writing, queue));
        tokio::spawn(read_all(FramedRead::new(reading, codec.clone()), index, arrivals));
        Ok(Connection { outgoing, codec })
    }

    /// Queues a message. Nothing happens when the connection has ended: that shows as an arrival.
    ///
    /// # Errors
    /// When the message is longer than a frame may be.
    pub fn send(&self, message: &Message) -> Result<()> {
        let mut frame = BytesMut::new();
        self.codec
            .append(None, &message.to_bytes(), &mut frame)
            .with_context(|| format!("cannot send {}", message.mti()))?;
        let _ = self.outgoing.send(frame);
        Ok(())
    }
}

async fn write_all<W: AsyncWrite>(writing: W, mut queue: mpsc::UnboundedReceiver<BytesMut>) {
    let mut writing = std::pin::pin!(writing);
    let mut batch = Vec::new();
    while queue.recv_many(&mut batch, 64).await > 0 {
        // One write for what is waiting already; a frame that is alone goes alone, at once.
        let bytes = batch.drain(..).reduce(|mut all, next| {
            all.extend_from_slice(&next);
            all
        });
        let Some(bytes) = bytes else { continue };
        if writing.write_all(&bytes).await.is_err() {
            return; // the reading half reports the end
        }
    }
    let _ = writing.shutdown().await;
}

async fn read_all<R: AsyncRead>(
    frames: FramedRead<R, FrameCodec>,
    connection: usize,
    arrivals: mpsc::UnboundedSender<Arrival>,
) {
    let mut frames = std::pin::pin!(frames);
    loop {
        let next = frames.next().await;
        let at = Instant::now();
        let incoming = match next {
            Some(Ok(frame)) => match Message::from_bytes(&frame.body) {
                Ok(message) => Incoming::Message(message, frame.body),
                Err(why) => Incoming::Unreadable(format!("{why:#}")),
            },
            Some(Err(why)) => Incoming::Closed(Some(why.to_string())),
            None => Incoming::Closed(None),
        };
        let closed = matches!(incoming, Incoming::Closed(_));
        if arrivals.send(Arrival { connection, at, incoming }).is_err() || closed {
            return;
        }
    }
}
