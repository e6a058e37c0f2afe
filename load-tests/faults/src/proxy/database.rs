//! The proxy between switch and PostgreSQL. It owns the connections and what is done to them; each
//! disturbance is counted when it has really happened.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::database_wire::{Meaning, Reader};

/// What is done to connections of the switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disturbance {
    None,
    /// An append passes, its answer does not; PostgreSQL has done it for certain.
    CutAfterAppend,
    /// An append passes and both ends are cut at once: done or not, nobody knows.
    CutAtAppend,
    /// An append does not pass.
    CutBeforeAppend,
    /// A commit of the projection passes, its answer does not.
    CutAfterCommit,
    /// Answers come so many milliseconds later.
    Delay(u64),
    /// So many bytes every ten milliseconds, either way.
    Throttle(usize),
    /// Nothing passes, and nobody is told.
    BlackHole,
    /// Reset after so many bytes towards PostgreSQL, or from it.
    ResetAfter {
        bytes: i64,
        towards: bool,
    },
}

/// The proxy.
pub(crate) struct DatabaseProxy {
    pub(crate) port: u16,
    shared: Arc<Shared>,
    _accepting: AbortOnDropHandle<()>,
}

struct Shared {
    target: AtomicU16,
    disturbance: watch::Sender<Disturbance>,
    budget: AtomicUsize,
    bytes: AtomicI64,
    fired: watch::Sender<usize>,
}

impl DatabaseProxy {
    pub(crate) async fn start(target: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            target: AtomicU16::new(target),
            disturbance: watch::Sender::new(Disturbance::None),
            budget: AtomicUsize::new(0),
            bytes: AtomicI64::new(0),
            fired: watch::Sender::new(0),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { port, shared, _accepting: AbortOnDropHandle::new(task) })
    }

    /// Where PostgreSQL listens now.
    pub(crate) fn lead_to(&self, port: u16) {
        self.shared.target.store(port, Ordering::Release);
    }

    /// Disturbs, at most so often.
    pub(crate) fn disturb(&self, disturbance: Disturbance, budget: usize) {
        if let Disturbance::ResetAfter { bytes, .. } = disturbance {
            self.shared.bytes.store(bytes, Ordering::Release);
        }
        self.shared.budget.store(budget, Ordering::Release);
        self.shared.disturbance.send_replace(disturbance);
    }

    pub(crate) fn heal(&self) {
        self.disturb(Disturbance::None, 0);
    }

    /// Follows how often something was disturbed.
    pub(crate) fn fired(&self) -> watch::Receiver<usize> {
        self.shared.fired.subscribe()
    }
}

impl Shared {
    /// Whether this disturbance is in force and may be done once more.
    fn take(&self, wanted: impl Fn(Disturbance) -> bool) -> bool {
        if !wanted(*self.disturbance.borrow()) {
            return false;
        }
        let less = |left: usize| left.checked_sub(1);
        let taken = self.budget.fetch_update(Ordering::AcqRel, Ordering::Acquire, less).is_ok();
        if taken {
            self.fired.send_modify(|fired| *fired += 1);
        }
        taken
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((switch, _)) = accepted else { return };
                tasks.spawn(serve(switch, Arc::clone(&shared)));
            }
            Some(_) = tasks.join_next() => {}
        }
    }
}

/// What becomes of a connection.
enum Next {
    On,
    /// Both ends go at once.
    Reset,
    /// The switch's end goes; PostgreSQL is let finish.
    Lose,
}

struct Connection {
    shared: Arc<Shared>,
    switch: TcpStream,
    postgres: TcpStream,
    reader: Reader,
    back: BytesMut,
    appends: bool,
}

async fn serve(switch: TcpStream, shared: Arc<Shared>) {
    let mut following = shared.disturbance.subscribe();
    // A connection that is made meanwhile is not answered either.
    if following.wait_for(|now| *now != Disturbance::BlackHole).await.is_err() {
        return;
    }
    let target = shared.target.load(Ordering::Acquire);
    let Ok(postgres) = TcpStream::connect(("127.0.0.1", target)).await else { return };
    let _ = (switch.set_nodelay(true), postgres.set_nodelay(true));
    let (reader, back) = (Reader::default(), BytesMut::new());
    let connection = Connection { shared, switch, postgres, reader, back, appends: false };
    connection.run(following).await;
}

impl Connection {
    async fn run(mut self, mut following: watch::Receiver<Disturbance>) {
        loop {
            let now = *following.borrow_and_update();
            if now == Disturbance::BlackHole {
                self.shared.take(|now| now == Disturbance::BlackHole);
                if following.changed().await.is_err() {
                    return;
                }
                continue;
            }
            let next = tokio::select! {
                read = self.switch.read_buf(self.reader.buffer()) => match read {
                    Ok(read @ 1..) => self.towards(now, read).await,
                    _ => return,
                },
                read = self.postgres.read_buf(&mut self.back) => match read {
                    Ok(1..) => self.back(now).await,
                    _ => return,
                },
                _ = following.changed() => continue,
            };
            match next {
                Ok(Next::On) => {}
                Ok(Next::Reset) => {
                    let _ = self.switch.set_zero_linger();
                    let _ = self.postgres.set_zero_linger();
                    return;
                }
                Ok(Next::Lose) => return self.lose().await,
                Err(_) => return,
            }
        }
    }

    async fn towards(&mut self, now: Disturbance, read: usize) -> std::io::Result<Next> {
        if self.shared.is_reset(true, self.appends, read) {
            // Some bytes of the last message pass, the rest does not.
            let part = self.reader.buffer().split();
            self.postgres.write_all(part.get(..part.len() / 2).unwrap_or_default()).await?;
            return Ok(Next::Reset);
        }
        while let Some(message) = self.reader.next() {
            if message.meaning == Meaning::AppendBegins {
                self.appends = true;
                if self.shared.take(|now| now == Disturbance::CutBeforeAppend) {
                    return Ok(Next::Reset);
                }
            }
            if let Disturbance::Throttle(bytes) = now {
                self.shared.note_throttled(message.meaning);
                slowly(&mut self.postgres, &message.bytes, bytes).await?;
            } else {
                self.postgres.write_all(&message.bytes).await?;
            }
            match message.meaning {
                Meaning::AppendEnds => {
                    if self.shared.take(|now| now == Disturbance::CutAfterAppend) {
                        return Ok(Next::Lose);
                    }
                    if self.shared.take(|now| now == Disturbance::CutAtAppend) {
                        return Ok(Next::Reset);
                    }
                }
                Meaning::Commits => {
                    if self.shared.take(|now| now == Disturbance::CutAfterCommit) {
                        return Ok(Next::Lose);
                    }
                }
                Meaning::AppendBegins | Meaning::Other => {}
            }
        }
        Ok(Next::On)
    }

    async fn back(&mut self, now: Disturbance) -> std::io::Result<Next> {
        let bytes = self.back.split();
        if self.shared.is_reset(false, self.appends, bytes.len()) {
            self.switch.write_all(bytes.get(..bytes.len() / 2).unwrap_or_default()).await?;
            return Ok(Next::Reset);
        }
        match now {
            Disturbance::Delay(millis) => {
                self.shared.take(|now| matches!(now, Disturbance::Delay(_)));
                tokio::time::sleep(Duration::from_millis(millis)).await;
                self.switch.write_all(&bytes).await?;
            }
            Disturbance::Throttle(most) => slowly(&mut self.switch, &bytes, most).await?,
            _ => self.switch.write_all(&bytes).await?,
        }
        Ok(Next::On)
    }

    /// Lets PostgreSQL answer into nothing.
    async fn lose(mut self) {
        let _ = self.switch.set_zero_linger();
        drop(self.switch);
        let answered = self.postgres.read_buf(&mut self.back);
        let _ = tokio::time::timeout(Duration::from_secs(5), answered).await;
    }
}

impl Shared {
    fn is_reset(&self, towards: bool, appends: bool, bytes: usize) -> bool {
        let wanted = |now: Disturbance| match now {
            Disturbance::ResetAfter { towards: way, .. } => way == towards,
            _ => false,
        };
        if !appends || !wanted(*self.disturbance.borrow()) {
            return false;
        }
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        let before = self.bytes.fetch_sub(bytes, Ordering::AcqRel);
        before <= bytes && self.take(wanted)
    }

    fn note_throttled(&self, meaning: Meaning) {
        if meaning == Meaning::AppendBegins {
            self.take(|now| matches!(now, Disturbance::Throttle(_)));
        }
    }
}

async fn slowly(stream: &mut TcpStream, bytes: &[u8], most: usize) -> std::io::Result<()> {
    for part in bytes.chunks(most.max(1)) {
        stream.write_all(part).await?;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
