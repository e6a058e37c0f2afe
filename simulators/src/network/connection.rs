//! One connection of a network: reads and writes at once, and does what it is told. Must read on
//! while it writes, so that neither side waits for the other for ever.

use std::sync::Arc;

use bytes::BytesMut;
use codecs::framing::{FrameCodec, FrameError};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_util::codec::Decoder;

use super::shared::{Answer, Ending, Order, Shared};
use super::wire::Wire;

/// Room for one read.
const READ_CHUNK: usize = 16 * 1024;

/// What one turn of waiting brought.
enum Event {
    Order(Order),
    /// Something was written; true while it may still lie in a buffer of TLS.
    Pushed(std::io::Result<bool>),
    Read(std::io::Result<usize>),
}

/// An open connection.
pub(super) struct Connection {
    shared: Arc<Shared>,
    index: usize,
    wire: Wire,
    codec: FrameCodec,
    /// What comes late is sent here by a timer.
    own_orders: mpsc::UnboundedSender<Order>,
    later: mpsc::UnboundedReceiver<Order>,
    orders: mpsc::UnboundedReceiver<Order>,
    input: BytesMut,
    output: BytesMut,
    unflushed: bool,
    half_open: bool,
}

impl Connection {
    pub(super) fn new(shared: Arc<Shared>, wire: Wire) -> Connection {
        let (index, orders) = shared.enter(wire.certificate());
        let (own_orders, later) = mpsc::unbounded_channel();
        Connection {
            codec: shared.codec(),
            shared,
            index,
            wire,
            own_orders,
            later,
            orders,
            input: BytesMut::new(),
            output: BytesMut::new(),
            unflushed: false,
            half_open: false,
        }
    }

    /// Serves it to its end.
    pub(super) async fn serve(mut self) {
        let ending = loop {
            if self.take_frames().is_err() {
                break Ending::ByIssuer; // nobody knows where its next frame begins
            }
            match self.turn().await {
                Ok(Some(ending)) => break ending,
                Ok(None) => {}
                Err(_) => break Ending::ByIssuer,
            }
        };
        let Connection { shared, index, mut wire, .. } = self;
        match ending {
            Ending::Killed => wire.reset(),
            Ending::ByIssuer => {
                let _ = wire.shutdown().await; // it may be gone already
            }
        }
        shared.leave(index, ending);
    }

    async fn turn(&mut self) -> std::io::Result<Option<Ending>> {
        match self.wait().await {
            Event::Order(order) => return Ok(self.obey(order)),
            Event::Pushed(unflushed) => self.unflushed = unflushed?,
            Event::Read(read) => {
                if read? == 0 {
                    return Ok(Some(Ending::ByIssuer));
                }
            }
        }
        Ok(None)
    }

    async fn wait(&mut self) -> Event {
        let active = !self.half_open;
        let pushing = active && (self.unflushed || !self.output.is_empty());
        self.input.reserve(READ_CHUNK);
        let (mut reader, writer) = tokio::io::split(&mut self.wire);
        tokio::select! {
            Some(order) = self.orders.recv() => Event::Order(order),
            Some(order) = self.later.recv() => Event::Order(order),
            pushed = push(writer, &mut self.output), if pushing => Event::Pushed(pushed),
            read = reader.read_buf(&mut self.input), if active => Event::Read(read),
        }
    }

    fn obey(&mut self, order: Order) -> Option<Ending> {
        match order {
            Order::Send(frame) => self.output.extend_from_slice(&frame),
            Order::Kill => return Some(Ending::Killed),
            Order::GoHalfOpen if !self.half_open => {
                self.half_open = true;
                self.shared.count(|tally| tally.half_open += 1);
            }
            Order::GoHalfOpen => {}
        }
        None
    }

    fn take_frames(&mut self) -> Result<(), FrameError> {
        let before = self.codec.keep_alives();
        let mut ended = Ok(());
        loop {
            match self.codec.decode(&mut self.input) {
                Ok(Some(frame)) => {
                    if let Some(answer) = self.shared.take(self.index, &frame) {
                        self.give(answer);
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    ended = Err(error);
                    break;
                }
            }
        }
        let more = self.codec.keep_alives().saturating_sub(before);
        if more > 0 {
            self.shared.count(|tally| tally.keep_alives += more);
        }
        ended
    }

    fn give(&mut self, answer: Answer) {
        let Answer { frame, after, times } = answer;
        let all = BytesMut::from(&*frame.repeat(times));
        self.shared.count(|tally| tally.answers += u64::try_from(times).unwrap_or(u64::MAX));
        if after.is_zero() {
            return self.output.extend_from_slice(&all);
        }
        let orders = self.own_orders.clone();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            let _ = orders.send(Order::Send(all)); // the connection may have ended meanwhile
        });
    }
}

/// Writes some of what waits, or sees it off where all is written.
async fn push(mut writer: impl AsyncWrite + Unpin, output: &mut BytesMut) -> std::io::Result<bool> {
    if output.is_empty() {
        writer.flush().await?;
        return Ok(false);
    }
    writer.write_buf(output).await?;
    Ok(true)
}
