//! The load: a window of requests in flight over a few links, opened again when they end. It owns
//! when something is sent and when it is no longer waited for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use rand::RngExt;
use rand::seq::IndexedRandom;
use simulators::iso::Message;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Recorder;
use super::requests::{Deck, Draw};
use super::socket::{Incoming, Socket};
use crate::checker::history::{LinkId, Reply, Sent, Stan};

/// A reply is not waited for any longer than this. The switch has given up long before.
const PATIENCE: Duration = Duration::from_millis(3_500);
/// Between attempts to open a link while nobody is there.
const PAUSE: Duration = Duration::from_millis(40);
/// How often links are looked after and old requests given up.
const TICK: Duration = Duration::from_millis(20);

/// What the harness tells the client while it runs.
pub(crate) struct Control {
    /// Where the proxy listens.
    pub(crate) port: AtomicU16,
    /// Requests in flight; 0 sends nothing more.
    pub(crate) window: AtomicUsize,
    /// Links that should be open.
    pub(crate) links: AtomicUsize,
    /// Reversals go out before the requests that they name.
    pub(crate) reversals_first: AtomicBool,
    /// Set to end the load.
    pub(crate) done: AtomicBool,
}

impl Control {
    pub(crate) fn new(port: u16, window: usize, links: usize) -> Arc<Self> {
        Arc::new(Self {
            port: AtomicU16::new(port),
            window: AtomicUsize::new(window),
            links: AtomicUsize::new(links),
            reversals_first: AtomicBool::new(false),
            done: AtomicBool::new(false),
        })
    }
}

/// The client with its links.
pub(crate) struct Client {
    pub(super) deck: Deck,
    pub(super) recorder: Recorder,
    control: Arc<Control>,
    pub(super) links: Vec<Socket>,
    next_link: LinkId,
    /// Not before: the last link that was opened led nowhere.
    open_from: Instant,
    /// What is waited for: by link and STAN, when each was sent.
    waiting: BTreeMap<(LinkId, Stan), Vec<Instant>>,
    outstanding: usize,
    incoming: mpsc::UnboundedReceiver<Incoming>,
    told: mpsc::UnboundedSender<Incoming>,
    pub(super) inquest: bool,
}

impl Client {
    pub(crate) fn new(deck: Deck, recorder: Recorder, control: Arc<Control>) -> Self {
        let (told, incoming) = mpsc::unbounded_channel();
        Self {
            deck,
            recorder,
            control,
            links: Vec::new(),
            next_link: 1,
            open_from: Instant::now(),
            waiting: BTreeMap::new(),
            outstanding: 0,
            incoming,
            told,
            inquest: false,
        }
    }

    /// Sends and receives until it is told that it is done and nothing is waited for.
    pub(crate) async fn run(mut self) -> Result<Self> {
        loop {
            self.open_links().await?;
            self.fill_window()?;
            let done = self.control.done.load(Ordering::Acquire);
            if done && self.outstanding == 0 {
                return Ok(self);
            }
            self.receive(TICK).await?;
        }
    }

    /// Opens links until as many are open as should be, or one cannot be opened now.
    pub(super) async fn open_links(&mut self) -> Result<()> {
        if Instant::now() < self.open_from {
            return Ok(());
        }
        while self.links.len() < self.control.links.load(Ordering::Acquire) {
            let port = self.control.port.load(Ordering::Acquire);
            let (link, recorder) = (self.next_link, self.recorder.clone());
            let opened = |port| recorder.opened(link, port);
            match Socket::open(port, link, self.told.clone(), opened).await {
                Ok(socket) => {
                    socket.send(&self.deck.echo()?.to_bytes())?;
                    self.links.push(socket);
                }
                Err(_) => {
                    self.recorder.closed(link)?;
                    self.next_link += 1;
                    return Ok(());
                }
            }
            self.next_link += 1;
        }
        Ok(())
    }

    fn fill_window(&mut self) -> Result<()> {
        while self.outstanding < self.control.window.load(Ordering::Acquire)
            && !self.control.done.load(Ordering::Acquire)
            && self.has_links()
        {
            if self.control.reversals_first.load(Ordering::Acquire)
                && self.deck.random().random_bool(0.3)
            {
                let (reversal, request) = self.deck.reversal_first();
                let at = self.any_link();
                self.send(at, &reversal)?;
                self.send(at, &request)?;
                continue;
            }
            let draw = self.deck.draw();
            let at = self.any_link();
            self.send(at, &draw)?;
        }
        Ok(())
    }

    /// Whether a link leads to a switch.
    pub(super) fn has_links(&self) -> bool {
        self.links.iter().any(|link| link.proven)
    }

    /// A link that leads to a switch.
    pub(super) fn any_link(&mut self) -> usize {
        let proven = self.links.iter().enumerate().filter(|(_, link)| link.proven);
        let places: Vec<usize> = proven.map(|(at, _)| at).collect();
        places.choose(self.deck.random()).copied().unwrap_or_default()
    }

    /// Writes the request down, then sends it on the link at this place.
    pub(super) fn send(&mut self, at: usize, draw: &Draw) -> Result<()> {
        let message = self.deck.message(draw)?;
        let Some(link) = self.links.get(at) else { return Ok(()) };
        let Draw { stan, what, repeat } = *draw;
        let (at_us, inquest) = (self.recorder.now_us(), self.inquest);
        self.recorder.sent(stan, what, Sent { link: link.link, at_us, repeat, inquest })?;
        self.waiting.entry((link.link, stan)).or_default().push(Instant::now());
        self.outstanding += 1;
        link.send(&message.to_bytes())?;
        self.recorder.set_in_flight(self.outstanding);
        Ok(())
    }

    /// Takes what comes within `most`, and gives up what is too old.
    pub(super) async fn receive(&mut self, most: Duration) -> Result<()> {
        if let Ok(Some(first)) = tokio::time::timeout(most, self.incoming.recv()).await {
            self.take(first)?;
            while let Ok(next) = self.incoming.try_recv() {
                self.take(next)?;
            }
        }
        let now = Instant::now();
        let mut given_up = 0;
        self.waiting.retain(|_, sent| {
            let before = sent.len();
            sent.retain(|at| now.duration_since(*at) < PATIENCE);
            given_up += before - sent.len();
            !sent.is_empty()
        });
        self.outstanding -= given_up;
        self.recorder.set_in_flight(self.outstanding);
        Ok(())
    }

    fn take(&mut self, incoming: Incoming) -> Result<()> {
        match incoming {
            Incoming::Closed(link) => {
                self.recorder.closed(link)?;
                let unproven = |open: &Socket| open.link == link && !open.proven;
                if self.links.iter().any(unproven) {
                    self.open_from = Instant::now() + PAUSE;
                }
                self.links.retain(|open| open.link != link);
                let outstanding = &mut self.outstanding;
                self.waiting.retain(|(of, _), sent| {
                    let stays = *of != link;
                    *outstanding -= if stays { 0 } else { sent.len() };
                    stays
                });
            }
            Incoming::Frame(link, frame) => self.reply(link, &frame)?,
        }
        Ok(())
    }

    fn reply(&mut self, link: LinkId, frame: &[u8]) -> Result<()> {
        let message = Message::from_bytes(frame)?;
        let text = |field| message.text(field).unwrap_or_default().to_owned();
        if message.mti() == "0810" {
            let link = self.links.iter_mut().find(|open| open.link == link);
            link.into_iter().for_each(|link| link.proven = true);
            return Ok(());
        }
        let stan: Stan = text(11).parse()?;
        let (code, approval) = (text(39), text(38));
        let (at_us, inquest) = (self.recorder.now_us(), self.inquest);
        let approved = code == crate::checker::history::APPROVED;
        self.recorder.received(stan, Reply { link, at_us, code, approval, inquest })?;
        if approved {
            self.deck.approved(stan);
        }
        if let Some(sent) = self.waiting.get_mut(&(link, stan)) {
            sent.pop();
            self.outstanding -= 1;
            if sent.is_empty() {
                self.waiting.remove(&(link, stan));
            }
        }
        Ok(())
    }

    pub(super) const fn outstanding(&self) -> usize {
        self.outstanding
    }

    pub(crate) fn finish(&mut self) {
        self.links.clear();
    }
}
