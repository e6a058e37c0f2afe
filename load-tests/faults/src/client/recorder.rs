//! The client's journal: a line on disk for everything sent and received, before it counts. It owns
//! the history that the checker reads, and the counts that the harness waits for.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::checker::history::{History, Link, LinkId, Reply, Request, Sent, Stan, What};

/// Lines between two waits for the disk.
const SYNC_EVERY: u32 = 256;

/// What the harness waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) approvals: usize,
    pub(crate) replies: usize,
    pub(crate) in_flight: usize,
}

/// The journal. Cloning gives another handle to the same one.
#[derive(Clone)]
pub(crate) struct Recorder(Arc<Inner>);

struct Inner {
    began: Instant,
    book: Mutex<Book>,
    counts: watch::Sender<Counts>,
}

struct Book {
    file: File,
    unsynced: u32,
    history: History,
    /// The client's end of each link that is open, by port.
    ports: BTreeMap<u16, LinkId>,
    /// What happened to it besides, told with a violation.
    schedule: Vec<String>,
}

impl Recorder {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("making {}", path.display()))?;
        let book = Book {
            file,
            unsynced: 0,
            history: History::default(),
            ports: BTreeMap::new(),
            schedule: Vec::new(),
        };
        let (counts, _) = watch::channel(Counts::default());
        Ok(Self(Arc::new(Inner { began: Instant::now(), book: Mutex::new(book), counts })))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now_us(&self) -> u64 {
        u64::try_from(self.0.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Follows the counts.
    pub(crate) fn counts(&self) -> watch::Receiver<Counts> {
        self.0.counts.subscribe()
    }

    pub(crate) fn set_in_flight(&self, in_flight: usize) {
        self.0.counts.send_if_modified(|counts| {
            std::mem::replace(&mut counts.in_flight, in_flight) != in_flight
        });
    }

    /// A request is about to leave.
    pub(crate) fn sent(&self, stan: Stan, what: What, sent: Sent) -> Result<()> {
        let mut book = self.book();
        let line = json!({
            "at": sent.at_us, "sent": stan, "what": format!("{what:?}"), "link": sent.link,
            "repeat": sent.repeat, "inquest": sent.inquest,
        });
        book.write(&line)?;
        let request = book.history.requests.entry(stan).or_insert_with(|| Request::new(what));
        request.sent.push(sent);
        Ok(())
    }

    /// A reply came.
    pub(crate) fn received(&self, stan: Stan, reply: Reply) -> Result<()> {
        let approved = reply.is_approval();
        let mut book = self.book();
        let line = json!({
            "at": reply.at_us, "got": stan, "code": reply.code, "approval": reply.approval,
            "link": reply.link,
        });
        book.write(&line)?;
        let Some(request) = book.history.requests.get_mut(&stan) else {
            anyhow::bail!("a reply with STAN {stan}, which was never sent");
        };
        request.replies.push(reply);
        drop(book);
        self.0.counts.send_modify(|counts| {
            counts.replies += 1;
            counts.approvals += usize::from(approved);
        });
        Ok(())
    }

    /// A link was opened from a port of ours.
    pub(crate) fn opened(&self, link: LinkId, port: u16) -> Result<()> {
        let mut book = self.book();
        book.write(&json!({ "opened": link, "port": port }))?;
        book.history.links.insert(link, Link { generation: 0, closed_us: None });
        book.ports.insert(port, link);
        Ok(())
    }

    pub(crate) fn closed(&self, link: LinkId) -> Result<()> {
        let at_us = self.now_us();
        let mut book = self.book();
        book.write(&json!({ "at": at_us, "closed": link }))?;
        if let Some(link) = book.history.links.get_mut(&link) {
            link.closed_us = Some(at_us);
        }
        Ok(())
    }

    /// The proxy connected the link from `port` with a start of the switch.
    pub(crate) fn leads_to(&self, port: u16, generation: u32) {
        let mut book = self.book();
        if let Some(link) = book.ports.get(&port).copied()
            && let Some(link) = book.history.links.get_mut(&link)
        {
            link.generation = generation;
        }
    }

    /// The proxy sent a copy whose reply comes on the link from `port`.
    pub(crate) fn copied(&self, port: u16, stan: Stan) {
        let mut book = self.book();
        if let Some(link) = book.ports.get(&port).copied()
            && let Some(request) = book.history.requests.get_mut(&stan)
        {
            request.copies.push(link);
        }
    }

    /// The proxy cut a request from `port` short, or lost it.
    pub(crate) fn cut(&self, port: u16, stan: Stan) {
        let mut book = self.book();
        if let Some(link) = book.ports.get(&port).copied()
            && let Some(request) = book.history.requests.get_mut(&stan)
        {
            request.cut.push(link);
        }
    }

    /// Another process took over from this start of the switch, and it runs again from now on.
    pub(crate) fn woken_after_takeover(&self, generation: u32) {
        let at_us = self.now_us();
        self.book().history.fenced.insert(generation, at_us);
    }

    /// A line for the schedule.
    pub(crate) fn note(&self, what: impl Into<String>) {
        let at = self.now_us() as f64 / 1000.0;
        self.book().schedule.push(format!("{at:>9.3} ms {}", what.into()));
    }

    pub(crate) fn schedule(&self) -> Vec<String> {
        self.book().schedule.clone()
    }

    pub(crate) fn history(&self) -> History {
        self.book().history.clone()
    }

    /// Looks at the history without copying it.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&History) -> T) -> T {
        look(&self.book().history)
    }

    /// Purchases that must be approved from here on.
    pub(crate) fn must_be_approved(&self, stans: Vec<Stan>) {
        self.book().history.after_healing = stans;
    }
}

impl Book {
    /// On disk before it counts; waited for in batches.
    fn write(&mut self, line: &Value) -> Result<()> {
        let mut text = line.to_string();
        text.push('\n');
        self.file.write_all(text.as_bytes()).context("writing the client's journal")?;
        self.unsynced += 1;
        if self.unsynced >= SYNC_EVERY {
            self.unsynced = 0;
            self.file.sync_data().context("syncing the client's journal")?;
        }
        Ok(())
    }
}
