//! One connection: its socket, its buffers, its deadlines. It owns when bytes are read and written
//! and when it ends; what messages say is the desk's affair.
//!
//! Buffers are bounded: input holds one read and at most one incomplete frame, because nothing is
//! read while a whole frame waits; output has a limit, and a peer that runs into it is cut off.
//! What was taken from either is wiped there.

mod clock;
mod ending;

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use bytes::BytesMut;
use codecs::framing::{FrameCodec, FrameError, FramingError, grow, wipe};
use codecs::iso8583::Fields;
use switch_shard::Reply;
use switch_shard::fault_points::{KillPoint, end_at, is_due, reach};
use tokio::sync::mpsc::{self, UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::clock::{Clock, Due, Oldest};
use self::ending::Ending;
use crate::desk::{Desk, Verification};
use crate::fresh_stream::stood_still;
use crate::link::Link;
use crate::metrics::Held;
use crate::requests::{Order, Verdict};
use crate::scrub::scrub_stack;
use crate::standing::Presence;
use crate::switch::Switch;
use crate::wire::Wire;

/// Room for one read.
const READ_CHUNK: usize = 16 * 1024;

/// A connection, whoever began it.
pub(crate) struct Connection<S> {
    link: Arc<Link<S>>,
    peer: SocketAddr,
    wire: Wire,
    codec: FrameCodec,
    desk: Desk<S>,
    replies: UnboundedReceiver<Reply>,
    /// What the security module found of messages that waited for it.
    verified: UnboundedReceiver<Verification>,
    /// What we are to ask of the peer.
    orders: mpsc::Receiver<Order>,
    /// Where fields of the message at hand lie; used again for each.
    fields: Fields,
    input: BytesMut,
    output: BytesMut,
    clock: Clock,
    /// Set once nothing more is read: the connection ends when it owes no answer any more.
    closing: Option<Ending>,
    /// Set once it has signed off.
    parted: bool,
    presence: Presence,
    _open: Held,
}

/// Of what use a connection was that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// A message came.
    Heard,
    /// None did.
    Silent,
    /// The peer did not let us sign on.
    Refused,
}

/// What one turn of waiting brought.
enum Event {
    /// The switch stops, or the link is drained.
    Stop,
    Written(io::Result<usize>),
    Reply(Option<Reply>),
    Verified(Verification),
    Order(Order),
    Read(io::Result<usize>),
    Clock,
}

/// What a turn of waiting looks at.
struct Ends<'a> {
    wire: &'a mut Wire,
    input: &'a mut BytesMut,
    output: &'a mut BytesMut,
    replies: &'a mut UnboundedReceiver<Reply>,
    verified: &'a mut UnboundedReceiver<Verification>,
    orders: &'a mut mpsc::Receiver<Order>,
}

impl<S: Switch> Connection<S> {
    pub(crate) fn new(
        link: Arc<Link<S>>,
        wire: Wire,
        peer: SocketAddr,
    ) -> Result<Self, FramingError> {
        let codec = link.config.framing.codec()?;
        let (sender, replies) = unbounded_channel();
        let (finding, verified) = unbounded_channel();
        let (ordering, orders) = mpsc::channel(link.config.requests.max_outstanding);
        Ok(Self {
            presence: link.standing.enter(peer, wire.protocol(), ordering),
            peer,
            wire,
            desk: Desk::new(Arc::clone(&link), codec.clone(), sender, finding),
            codec,
            replies,
            verified,
            orders,
            fields: Fields::new(),
            input: BytesMut::new(),
            output: BytesMut::new(),
            clock: Clock::new(&link.config, Instant::now()),
            closing: None,
            parted: false,
            _open: Held::new(link.metrics.connections.clone()),
            link,
        })
    }

    /// Serves the connection to its end; of what use it was.
    pub(crate) async fn serve(mut self, stop: CancellationToken) -> Use {
        let (link, peer) = (&self.link.config.name, self.peer);
        tracing::info!(link, %peer, tls = self.wire.protocol(), "connected");
        if self.link.config.requests.sign_on {
            self.desk.sign_on(&mut self.output);
        }
        let ending = loop {
            let turn = Instant::now();
            let before = self.desk.frames_in;
            let worked = self.work();
            if self.desk.frames_in != before {
                scrub_stack();
            }
            if let Some(ending) = worked {
                break ending;
            }
            match self.wait(&stop, turn).await {
                Event::Stop => {
                    let drained = self.link.standing.is_drained();
                    let ending = if drained { Ending::Drained } else { Ending::Shutdown };
                    self.close_after_answers(ending);
                }
                Event::Written(Ok(_)) => {
                    reach(KillPoint::K11);
                    self.clock.written(Instant::now());
                    if !self.has_output() {
                        self.desk.all_written();
                    }
                }
                Event::Reply(Some(reply)) => self.desk.reply(&reply, &mut self.output),
                Event::Verified(found) => self.desk.verified(found, &mut self.output),
                // Cannot happen: the desk holds a sender.
                Event::Reply(None) => break Ending::Shutdown,
                Event::Order(order) => self.desk.order(order, &mut self.output),
                Event::Read(Ok(0)) => self.end_of_input(),
                Event::Read(Ok(_)) => {
                    self.desk.requests.heard();
                    self.clock.read(Instant::now());
                }
                Event::Written(Err(error)) if stood_still(&error) => break Ending::StoodStill,
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
        let of_use = match ending {
            Ending::NotSignedOn => Use::Refused,
            _ if self.desk.frames_in > 0 => Use::Heard,
            _ => Use::Silent,
        };
        self.end(ending).await;
        of_use
    }

    /// All that can be done without waiting: replies, then frames. Says when it is over.
    fn work(&mut self) -> Option<Ending> {
        while let Ok(reply) = self.replies.try_recv() {
            self.desk.reply(&reply, &mut self.output);
        }
        while let Ok(found) = self.verified.try_recv() {
            self.desk.verified(found, &mut self.output);
        }
        if let Err(error) = self.take_frames() {
            self.close_after_answers(Ending::Frame(error));
        }
        self.desk.wipe();
        self.show();
        match self.desk.requests.verdict() {
            Some(Verdict::HalfOpen) => return Some(Ending::HalfOpen),
            Some(Verdict::NotSignedOn) => self.close_after_answers(Ending::NotSignedOn),
            None => {}
        }
        if self.output.len() > self.link.config.max_output {
            return Some(Ending::OutputLimit);
        }
        if self.desk.pending.len() == 0 && !self.has_output() {
            if self.parts() {
                return None;
            }
            return self.closing.take();
        }
        None
    }

    /// Signs off where it was we who signed on and it is we who go, once and behind every answer;
    /// whether that is to leave yet.
    fn parts(&mut self) -> bool {
        let leaving = matches!(self.closing, Some(Ending::Drained | Ending::Shutdown));
        let signed_on = self.link.config.requests.sign_on && self.link.standing.is_signed_on();
        if !leaving || !signed_on || self.parted {
            return false;
        }
        self.parted = true;
        self.desk.sign_off(&mut self.output);
        self.has_output()
    }

    /// Tells the link's gauges and its view what has changed.
    fn show(&mut self) {
        let Self { desk, presence, .. } = self;
        desk.pending.show();
        let facts = presence.facts();
        facts.in_flight.store(desk.pending.len() as u64, Ordering::Relaxed);
        facts.frames_in.store(desk.frames_in, Ordering::Relaxed);
        facts.frames_out.store(desk.frames_out, Ordering::Relaxed);
    }

    fn oldest(&mut self) -> Oldest {
        let Desk { pending, requests, .. } = &mut self.desk;
        Oldest { message: pending.oldest(), request: requests.oldest() }
    }

    fn has_output(&self) -> bool {
        !self.output.is_empty() || self.wire.holds_back()
    }

    fn may_take(&self) -> bool {
        self.closing.is_none() && self.desk.pending.len() < self.link.config.max_in_flight
    }

    fn take_frames(&mut self) -> Result<(), FrameError> {
        while self.may_take() {
            let Some(frame) = self.codec.next_frame(&mut self.input)? else { break };
            self.clock.frame();
            self.desk.take(&frame, &mut self.fields, &mut self.output);
            if self.output.len() > self.link.config.max_output {
                break;
            }
        }
        Ok(())
    }

    async fn wait(&mut self, stop: &CancellationToken, turn: Instant) -> Event {
        let reading = self.may_take();
        let closing = self.closing.is_some();
        let now = Instant::now();
        let partial = reading && !self.input.is_empty();
        if partial {
            reach(KillPoint::K1);
        }
        let (oldest, has_output) = (self.oldest(), self.has_output());
        self.clock.arm(now, partial, has_output, oldest);
        if reading {
            grow(&mut self.input, READ_CHUNK);
        }
        if !self.output.is_empty() && is_due(KillPoint::K10) {
            let half = self.output.get(..self.output.len() / 2).unwrap_or_default();
            self.wire.try_write_plain(half);
            end_at(KillPoint::K10);
        }
        // A turn without waiting that took too long did not run: its answers may be none any more
        // (W-13), and the peer is better off asking again.
        self.wire.begin_turn(has_output.then_some(turn));
        let Self { wire, input, output, replies, verified, orders, clock, .. } = self;
        let mut ends = Ends { wire, input, output, replies, verified, orders };
        tokio::select! {
            biased;
            () = stop.cancelled(), if !closing => Event::Stop,
            event = poll_fn(|cx| ends.poll(cx, has_output, reading)) => event,
            () = clock.due() => Event::Clock,
        }
    }

    /// Acts on deadlines that have passed; says when one of them ends the connection at once.
    fn due(&mut self) -> Option<Ending> {
        let now = Instant::now();
        let oldest = self.oldest();
        match self.clock.judge(now, oldest)? {
            Due::Frame => self.close_after_answers(Ending::FrameDeadline),
            Due::Idle => self.close_after_answers(Ending::Idle),
            Due::GiveUp => {
                let given_up = self.desk.pending.give_up(self.clock.given_up_by(now));
                self.link.metrics.unanswered("given_up", given_up);
            }
            Due::Request => {
                let limit = self.clock.unanswered_by(now);
                self.desk.requests.give_up(&self.link, limit);
            }
            Due::Echo => {
                self.clock.asked(now);
                self.desk.echo(&mut self.output);
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
        wipe(&mut self.input);
        wipe(&mut self.output);
        self.wire.begin_turn(None);
        self.desk.requests.close(&self.link);
        self.link.metrics.closed(ending.name());
        ending.log(&self.link.config.name, self.peer);
        if ending.is_orderly() {
            ending::linger(&mut self.wire).await;
        }
    }
}

impl Ends<'_> {
    /// What comes first, in this order: bytes that leave, what the shards say, what the security
    /// module found, what we are to ask, bytes that come.
    fn poll(&mut self, cx: &mut Context<'_>, writing: bool, reading: bool) -> Poll<Event> {
        if writing && let Poll::Ready(written) = self.wire.poll_send(cx, self.output) {
            return Poll::Ready(Event::Written(written));
        }
        if let Poll::Ready(reply) = self.replies.poll_recv(cx) {
            return Poll::Ready(Event::Reply(reply));
        }
        if let Poll::Ready(Some(found)) = self.verified.poll_recv(cx) {
            return Poll::Ready(Event::Verified(found));
        }
        if reading && let Poll::Ready(Some(order)) = self.orders.poll_recv(cx) {
            return Poll::Ready(Event::Order(order));
        }
        if reading && let Poll::Ready(read) = self.wire.poll_receive(cx, self.input) {
            return Poll::Ready(Event::Read(read));
        }
        Poll::Pending
    }
}
