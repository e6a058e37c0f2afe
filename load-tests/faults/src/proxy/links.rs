//! The proxy between client and switch: frame by frame towards the switch, reply by reply back. It
//! owns the connections and does the tricks; each is told to the client's journal, so that the
//! checker knows what the switch can have received.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use bytes::{Bytes, BytesMut};
use simulators::iso::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::tricks::{Trick, Tricks};
use crate::client::Recorder;

/// A frame whose end does not come is not held open for ever.
const SILENCE: Duration = Duration::from_secs(2);

/// The proxy.
pub(crate) struct LinkProxy {
    pub(crate) port: u16,
    pub(crate) tricks: Arc<Tricks>,
    shared: Arc<Shared>,
    _accepting: AbortOnDropHandle<()>,
}

struct Shared {
    recorder: Recorder,
    tricks: Arc<Tricks>,
    target: Mutex<SocketAddr>,
    generation: AtomicU32,
    /// Ways into the other connections, by the client's port.
    others: Mutex<BTreeMap<u16, mpsc::UnboundedSender<Bytes>>>,
}

impl LinkProxy {
    /// Listens, and connects what comes with `target`.
    pub(crate) async fn start(target: SocketAddr, recorder: Recorder) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let tricks = Arc::new(Tricks::new());
        let shared = Arc::new(Shared {
            recorder,
            tricks: Arc::clone(&tricks),
            target: Mutex::new(target),
            generation: AtomicU32::new(1),
            others: Mutex::new(BTreeMap::new()),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { port, tricks, shared, _accepting: AbortOnDropHandle::new(task) })
    }

    /// New connections lead to this start of the switch from now on.
    pub(crate) fn lead_to(&self, target: SocketAddr, generation: u32) {
        *self.shared.target.lock().unwrap_or_else(PoisonError::into_inner) = target;
        self.shared.generation.store(generation, Ordering::Release);
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, peer)) = accepted else { return };
                tasks.spawn(serve(client, peer.port(), Arc::clone(&shared)));
            }
            Some(_) = tasks.join_next() => {}
        }
    }
}

async fn serve(client: TcpStream, port: u16, shared: Arc<Shared>) {
    let target = *shared.target.lock().unwrap_or_else(PoisonError::into_inner);
    shared.recorder.leads_to(port, shared.generation.load(Ordering::Acquire));
    let Ok(switch) = TcpStream::connect(target).await else { return };
    let _ = (client.set_nodelay(true), switch.set_nodelay(true));
    let (way_in, extra) = mpsc::unbounded_channel();
    let others = || shared.others.lock().unwrap_or_else(PoisonError::into_inner);
    others().insert(port, way_in);
    let (from_client, to_client) = client.into_split();
    let (from_switch, to_switch) = switch.into_split();
    let up = Up { shared: Arc::clone(&shared), port, to_switch, held: Vec::new(), glue: None };
    let end = tokio::select! {
        end = up.run(from_client, extra) => end,
        end = down(&shared, from_switch, to_client) => end,
    };
    others().remove(&port);
    drop(end);
}

/// How a connection ended: whatever is in here is dropped at last.
type End = Option<OwnedWriteHalf>;

/// Towards the switch.
struct Up {
    shared: Arc<Shared>,
    port: u16,
    to_switch: OwnedWriteHalf,
    /// Frames that others overtake, and by how many still.
    held: Vec<(usize, Bytes)>,
    glue: Option<(usize, BytesMut)>,
}

/// Whether the connection goes on.
enum Next {
    On,
    End,
}

impl Up {
    async fn run(
        mut self,
        mut from_client: OwnedReadHalf,
        mut extra: mpsc::UnboundedReceiver<Bytes>,
    ) -> End {
        let mut buffer = BytesMut::new();
        loop {
            while let Some(frame) = cut_frame(&mut buffer) {
                match self.pass(&frame).await {
                    Ok(Next::On) => {}
                    Ok(Next::End) | Err(_) => return Some(self.to_switch),
                }
            }
            let wait = if self.owes() { Duration::from_millis(30) } else { SILENCE };
            tokio::select! {
                read = from_client.read_buf(&mut buffer) => match read {
                    Ok(1..) => {}
                    _ => return Some(self.to_switch),
                },
                Some(frame) = extra.recv() => {
                    if self.to_switch.write_all(&frame).await.is_err() {
                        return Some(self.to_switch);
                    }
                }
                // Nothing comes that would push out what is held back.
                () = tokio::time::sleep(wait) => {
                    if self.let_go().await.is_err() {
                        return Some(self.to_switch);
                    }
                }
            }
        }
    }

    const fn owes(&self) -> bool {
        !self.held.is_empty() || self.glue.is_some()
    }

    async fn let_go(&mut self) -> std::io::Result<()> {
        for (_, frame) in std::mem::take(&mut self.held) {
            self.to_switch.write_all(&frame).await?;
        }
        if let Some((_, frames)) = self.glue.take() {
            self.to_switch.write_all(&frames).await?;
        }
        Ok(())
    }

    async fn pass(&mut self, frame: &Bytes) -> std::io::Result<Next> {
        if let Some((left, frames)) = &mut self.glue {
            frames.extend_from_slice(frame);
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.let_go().await?;
            }
            return Ok(Next::On);
        }
        let ours = |trick: &Trick| !matches!(trick, Trick::CutReplies { .. });
        let Some(turn) = self.shared.tricks.take(ours) else {
            self.to_switch.write_all(frame).await?;
            self.overtake().await?;
            return Ok(Next::On);
        };
        self.trick(turn.trick, turn.before, frame).await
    }

    /// A frame has passed: those that wait for so many do so for one less.
    async fn overtake(&mut self) -> std::io::Result<()> {
        for (left, _) in &mut self.held {
            *left = left.saturating_sub(1);
        }
        for (_, frame) in self.held.extract_if(.., |(left, _)| *left == 0) {
            self.to_switch.write_all(&frame).await?;
        }
        Ok(())
    }

    async fn trick(&mut self, trick: Trick, before: usize, frame: &Bytes) -> std::io::Result<Next> {
        match trick {
            Trick::CutRequests { from, reset } => {
                let length = (from + before) % frame.len();
                self.cut(frame, length).await?;
                if reset {
                    let _ = self.to_switch.as_ref().set_zero_linger();
                }
                return Ok(Next::End);
            }
            Trick::HalfThenSilence => {
                self.cut(frame, frame.len() / 2).await?;
                tokio::time::sleep(SILENCE).await;
                return Ok(Next::End);
            }
            Trick::Trickle => {
                for byte in frame.chunks(1) {
                    self.to_switch.write_all(byte).await?;
                    tokio::task::yield_now().await;
                }
            }
            Trick::Copies { times, elsewhere } => self.copy(frame, times, elsewhere).await?,
            Trick::Late { millis } => {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                self.to_switch.write_all(frame).await?;
            }
            Trick::Overtaken { by } => self.held.push((by, frame.clone())),
            Trick::Glued { count } => {
                self.glue = Some((count.saturating_sub(1), BytesMut::from(&frame[..])));
            }
            Trick::Garbage { length } => {
                let garbage: Vec<u8> = (0..length).map(|at| (at * 37 % 256) as u8).collect();
                let header = u16::try_from(length).unwrap_or(1).to_be_bytes();
                self.to_switch.write_all(&header).await?;
                self.to_switch.write_all(&garbage).await?;
                self.to_switch.write_all(frame).await?;
            }
            Trick::HostileLength => {
                self.note_cut(frame);
                self.to_switch.write_all(&[0xFF, 0xFF]).await?;
                self.to_switch.write_all(frame).await?;
            }
            Trick::CutReplies { .. } => {}
        }
        Ok(Next::On)
    }

    async fn cut(&mut self, frame: &Bytes, length: usize) -> std::io::Result<()> {
        self.note_cut(frame);
        self.to_switch.write_all(frame.get(..length).unwrap_or_default()).await
    }

    fn note_cut(&self, frame: &Bytes) {
        if let Some(stan) = stan_of(frame) {
            self.shared.recorder.cut(self.port, stan);
        }
    }

    async fn copy(&mut self, frame: &Bytes, times: u32, elsewhere: bool) -> std::io::Result<()> {
        let stan = stan_of(frame).unwrap_or_default();
        self.to_switch.write_all(frame).await?;
        let others: Vec<(u16, mpsc::UnboundedSender<Bytes>)> = {
            let others = self.shared.others.lock().unwrap_or_else(PoisonError::into_inner);
            others.iter().map(|(port, way)| (*port, way.clone())).collect()
        };
        let others: Vec<_> = others.into_iter().filter(|(port, _)| *port != self.port).collect();
        for number in 0..times as usize {
            let other = others.get(number % others.len().max(1)).filter(|_| elsewhere);
            match other {
                Some((port, way)) => {
                    self.shared.recorder.copied(*port, stan);
                    let _ = way.send(frame.clone());
                }
                None => {
                    self.shared.recorder.copied(self.port, stan);
                    self.to_switch.write_all(frame).await?;
                }
            }
        }
        Ok(())
    }
}

/// Back to the client.
async fn down(
    shared: &Shared,
    mut from_switch: OwnedReadHalf,
    mut to_client: OwnedWriteHalf,
) -> End {
    let mut buffer = BytesMut::new();
    let is_ours = |trick: &Trick| matches!(trick, Trick::CutReplies { .. });
    loop {
        while let Some(frame) = cut_frame(&mut buffer) {
            let turn = shared.tricks.take(is_ours);
            let cut = turn.and_then(|turn| match turn.trick {
                Trick::CutReplies { from } => Some((from + turn.before) % frame.len()),
                _ => None,
            });
            let passes = frame.get(..cut.unwrap_or(frame.len())).unwrap_or_default();
            if to_client.write_all(passes).await.is_err() {
                return Some(to_client);
            }
            if cut.is_some() {
                let _ = to_client.as_ref().set_zero_linger();
                return Some(to_client);
            }
        }
        match from_switch.read_buf(&mut buffer).await {
            Ok(1..) => {}
            _ => return Some(to_client),
        }
    }
}

/// The next whole frame, its length in front.
fn cut_frame(buffer: &mut BytesMut) -> Option<Bytes> {
    let length = u16::from_be_bytes([*buffer.first()?, *buffer.get(1)?]);
    let whole = usize::from(length) + 2;
    (buffer.len() >= whole).then(|| buffer.split_to(whole).freeze())
}

fn stan_of(frame: &[u8]) -> Option<u32> {
    let message = Message::from_bytes(frame.get(2..)?).ok()?;
    message.text(11)?.parse().ok()
}
