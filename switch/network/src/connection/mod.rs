//! One connection: its socket, its buffers, its deadlines. It owns when bytes are read and written
//! and when it ends; what messages say is the desk's affair.
//!
//! Buffers are bounded: input holds one read and at most one incomplete frame, because nothing is
//! read while a whole frame waits; output has a limit, and a peer that runs into it is cut off.

mod clock;
mod ending;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use codecs::framing::{FrameCodec, FrameError, FramingError};
use codecs::iso8583::Fields;
use switch_shard::fault_points::{KillPoint, end_at, is_due, reach};
use switch_shard::{PROOF_LASTS, Reply};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;
use tokio_util::codec::Decoder;
use tokio_util::sync::CancellationToken;

use self::clock::{Clock, Due};
use self::ending::Ending;
use crate::desk::Desk;
use crate::listener::Link;
use crate::metrics::Held;
use crate::sign_on::Presence;
use crate::switch::Switch;

/// Room for one read.
const READ_CHUNK: usize = 16 * 1024;

/// An accepted connection.
pub(crate) struct Connection<S> {
    link: Arc<Link<S>>,
    peer: SocketAddr,
    stream: TcpStream,
    codec: FrameCodec,
    desk: Desk<S>,
    replies: UnboundedReceiver<Reply>,
    /// Where fields of the message at hand lie; used again for each.
    fields: Fields,
    input: BytesMut,
    output: BytesMut,
    clock: Clock,
    /// Set once nothing more is read: the connection ends when it owes no answer any more.
    closing: Option<Ending>,
    presence: Presence,
    _open: Held,
}

/// What one turn of waiting brought.
enum Event {
    Shutdown,
    /// The turn did not run for so long that its answers may be none any more.
    StoodStill,
    Written(io::Result<usize>),
    Reply(Option<Reply>),
    Read(io::Result<usize>),
    Clock,
}

impl<S: Switch> Connection<S> {
    pub(crate) fn new(
        link: Arc<Link<S>>,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> Result<Self, FramingError> {
        let codec = link.config.framing.codec()?;
        let (sender, replies) = unbounded_channel();
        Ok(Self {
            peer,
            stream,
            desk: Desk::new(Arc::clone(&link), codec.clone(), sender),
            codec,
            replies,
            fields: Fields::new(),
            input: BytesMut::new(),
            output: BytesMut::new(),
            clock: Clock::new(&link.config, Instant::now()),
            closing: None,
            presence: link.sign_on.enter(),
            _open: Held::new(link.metrics.connections.clone()),
            link,
        })
    }

    /// Serves the connection to its end.
    pub(crate) async fn serve(mut self, shutdown: CancellationToken) {
        tracing::info!(link = %self.link.config.name, peer = %self.peer, "connected");
        let ending = loop {
            let turn = Instant::now();
            if let Some(ending) = self.work() {
                break ending;
            }
            match self.wait(&shutdown, turn).await {
                Event::StoodStill => break Ending::StoodStill,
                Event::Shutdown => self.close_after_answers(Ending::Shutdown),
                Event::Written(Ok(_)) => {
                    reach(KillPoint::K11);
                    self.clock.written(Instant::now());
                }
                Event::Reply(Some(reply)) => self.desk.reply(&reply, &mut self.output),
                // Cannot happen: the desk holds a sender.
                Event::Reply(None) => break Ending::Shutdown,
                Event::Read(Ok(0)) => self.end_of_input(),
                Event::Read(Ok(_)) => self.clock.read(Instant::now()),
                Event::Written(Err(error)) | Event::Read(Err(error)) => {
                    break Ending::Socket(error);
                }
                Event::Clock => {
                    if let Some(ending) = self.due() {
                        break ending;
                    }
                }
            }
        };
        self.end(ending).await;
    }

    /// All that can be done without waiting: replies, then frames. Says when it is over.
    fn work(&mut self) -> Option<Ending> {
        while let Ok(reply) = self.replies.try_recv() {
            self.desk.reply(&reply, &mut self.output);
        }
        if let Err(error) = self.take_frames() {
            self.close_after_answers(Ending::Frame(error));
        }
        self.desk.pending.show();
        if self.output.len() > self.link.config.max_output {
            return Some(Ending::OutputLimit);
        }
        if self.desk.pending.len() == 0 && self.output.is_empty() {
            return self.closing.take();
        }
        None
    }

    fn may_take(&self) -> bool {
        self.closing.is_none() && self.desk.pending.len() < self.link.config.max_in_flight
    }

    fn take_frames(&mut self) -> Result<(), FrameError> {
        while self.may_take() {
            let Some(frame) = self.codec.decode(&mut self.input)? else { break };
            self.clock.frame();
            self.desk.take(&frame, &mut self.fields, &mut self.output);
            if self.output.len() > self.link.config.max_output {
                break;
            }
        }
        Ok(())
    }

    async fn wait(&mut self, shutdown: &CancellationToken, turn: Instant) -> Event {
        let reading = self.may_take();
        let closing = self.closing.is_some();
        let now = Instant::now();
        let partial = reading && !self.input.is_empty();
        if partial {
            reach(KillPoint::K1);
        }
        let oldest = self.desk.pending.oldest();
        self.clock.arm(now, partial, !self.output.is_empty(), oldest);
        if reading {
            self.input.reserve(READ_CHUNK);
        }
        if !self.output.is_empty() && is_due(KillPoint::K10) {
            let half = self.output.get(..self.output.len() / 2).unwrap_or_default();
            let _ = self.stream.try_write(half);
            end_at(KillPoint::K10);
        }
        let (mut reader, mut writer) = self.stream.split();
        tokio::select! {
            biased;
            () = shutdown.cancelled(), if !closing => Event::Shutdown,
            // A turn without waiting that took so long did not run: its answers may be none any
            // more (W-13), and the peer is better off asking again. Looked at last of all: a
            // process that is paused between this and the write sends what it should not.
            () = std::future::ready(()),
                if !self.output.is_empty() && turn.elapsed() > PROOF_LASTS => Event::StoodStill,
            written = writer.write_buf(&mut self.output), if !self.output.is_empty() => {
                Event::Written(written)
            }
            reply = self.replies.recv() => Event::Reply(reply),
            read = reader.read_buf(&mut self.input), if reading => Event::Read(read),
            () = self.clock.due() => Event::Clock,
        }
    }

    /// Acts on deadlines that have passed; says when one of them ends the connection at once.
    fn due(&mut self) -> Option<Ending> {
        let now = Instant::now();
        let oldest = self.desk.pending.oldest();
        match self.clock.judge(now, oldest)? {
            Due::Frame => self.close_after_answers(Ending::FrameDeadline),
            Due::Idle => self.close_after_answers(Ending::Idle),
            Due::GiveUp => {
                let given_up = self.desk.pending.give_up(self.clock.given_up_by(now));
                self.link.metrics.unanswered("given_up", given_up);
            }
            Due::Write => return Some(Ending::WriteDeadline),
            Due::Drain => {
                let owed = u64::try_from(self.desk.pending.len()).unwrap_or(u64::MAX);
                self.link.metrics.unanswered("drain_deadline", owed);
                return Some(self.closing.take().unwrap_or(Ending::Shutdown));
            }
        }
        None
    }

    /// The peer sends no more; it may still be reading.
    fn end_of_input(&mut self) {
        let ending = if self.input.is_empty() { Ending::PeerClosed } else { Ending::CutShort };
        self.close_after_answers(ending);
    }

    fn close_after_answers(&mut self, ending: Ending) {
        if self.closing.is_none() {
            self.clock.drain(Instant::now());
            self.closing = Some(ending);
        }
    }

    async fn end(mut self, ending: Ending) {
        self.link.metrics.closed(ending.name());
        ending.log(&self.link.config.name, self.peer);
        if ending.is_orderly() {
            ending::linger(&mut self.stream).await;
        }
        let Self { link, presence, .. } = self;
        drop(presence);
        if !link.sign_on.is_signed_on() {
            link.metrics.signed_on.set(0.0);
        }
    }
}
