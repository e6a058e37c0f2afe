//! The loop of the generator: send what is due, read what has come, sleep until the next of either.
//! Must never let a slow answer move the time at which a request of an open loop is charged.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::book::Book;
use super::link::Link;
use super::schedule::Schedule;
use super::tally::{LoadResult, Tally};
use super::{Load, Marks, Shape};
use crate::bench::process::cpu_of_this_thread;
use crate::bench::wire::answer;

/// Without anything due, the clock is looked at so often.
const LOOK: Duration = Duration::from_millis(100);

/// Runs a load on the calling thread. `first` is a number that no earlier load on the same database
/// has used.
///
/// # Errors
/// A connection cannot be made. What happens later is counted.
pub(crate) fn drive(load: &Load, first: u64, marks: &Marks) -> Result<LoadResult> {
    ensure!(!load.cards.is_empty() && load.connections > 0 && load.windows > 0, "an empty load");
    let links: Result<Vec<Link>> =
        (0..load.connections).map(|_| Link::connect(load.address)).collect();
    let mut run = Run {
        links: links?,
        book: Book::new(load.cards.clone(), load.mix, first),
        tally: Tally::new(load.warm_up, load.window_time, load.windows),
        shape: load.shape,
        schedule: match load.shape {
            Shape::Open { rate } => Schedule::new(rate),
            Shape::Closed { .. } => Schedule::new(1),
        },
        turn: 0,
        readable: Vec::new(),
        start: Instant::now(),
        next_mark: 0,
        cpu: Duration::ZERO,
    };
    run.send_and_receive(marks)?;
    run.settle(load.patience)?;
    let Run { mut book, tally, links, .. } = run;
    book.faults.add("connection closed", links.iter().filter(|link| !link.open).count() as u64);
    book.give_up();
    let next_number = book.next_number();
    Ok(tally.finish(book.faults, next_number))
}

struct Run {
    links: Vec<Link>,
    book: Book,
    tally: Tally,
    shape: Shape,
    schedule: Schedule,
    /// The connection that the next request of an open loop goes to.
    turn: usize,
    /// By connection: the last look found something to read.
    readable: Vec<bool>,
    start: Instant,
    next_mark: usize,
    cpu: Duration,
}

impl Run {
    fn send_and_receive(&mut self, marks: &Marks) -> Result<()> {
        loop {
            let now = self.start.elapsed();
            self.mark(now, marks);
            if now >= self.tally.ends() || !self.links.iter().any(|link| link.open) {
                return Ok(());
            }
            let next = self.send(now);
            self.links.iter_mut().for_each(Link::write);
            self.wait(next.min(now + LOOK).min(self.tally.ends()))?;
            self.receive();
        }
    }

    /// Puts what is due into the connections, and says when there is more.
    fn send(&mut self, now: Duration) -> Duration {
        match self.shape {
            Shape::Closed { window } => {
                for link in self.links.iter_mut().filter(|link| link.open) {
                    while link.in_flight < window {
                        self.book.append(now, &mut link.output);
                        link.in_flight += 1;
                    }
                }
                Duration::MAX
            }
            Shape::Open { .. } => {
                while let Some(due) = self.schedule.take(now) {
                    self.turn = (self.turn + 1) % self.links.len();
                    let link = &mut self.links[self.turn];
                    if link.open {
                        self.book.append(due, &mut link.output);
                        link.in_flight += 1;
                    } else {
                        self.book.faults.count("no connection to send on");
                    }
                }
                self.schedule.due()
            }
        }
    }

    /// Sleeps until something can be read or written, or it is time.
    fn wait(&mut self, until: Duration) -> Result<()> {
        let left = until.saturating_sub(self.start.elapsed());
        let timeout = Timespec::try_from(left)?;
        let mut watched: Vec<PollFd<'_>> = self.links.iter().map(watch).collect();
        let ready = match poll(&mut watched, Some(&timeout)) {
            Ok(ready) => ready,
            Err(rustix::io::Errno::INTR) => 0,
            Err(error) => return Err(error.into()),
        };
        self.readable.clear();
        if ready > 0 {
            let readable = PollFlags::IN | PollFlags::HUP | PollFlags::ERR;
            let flags = watched.iter().map(|link| link.revents().intersects(readable));
            self.readable.extend(flags);
        }
        Ok(())
    }

    fn receive(&mut self) {
        let Run { links, book, tally, start, readable, .. } = self;
        let ready =
            links.iter_mut().zip(readable).filter(|(link, readable)| **readable && link.open);
        for (link, _) in ready {
            link.read(|message| match answer::read(message) {
                Some(answer) => {
                    if let Some(intended) = book.answered(&answer) {
                        tally.answered(intended, start.elapsed());
                    }
                }
                None => book.faults.count("unreadable answer"),
            });
        }
    }

    /// Tells of the windows that have begun or ended.
    fn mark(&mut self, now: Duration, marks: &Marks) {
        while self.tally.begins(self.next_mark) <= now
            && self.tally.begins(self.next_mark) <= self.tally.ends()
        {
            let used = cpu_of_this_thread();
            if let Some(ended) = self.next_mark.checked_sub(1) {
                self.tally.used(ended, used.saturating_sub(self.cpu));
            }
            self.cpu = used;
            // Nobody listening is no fault: then nothing else is measured.
            let _ = marks.send(self.next_mark);
            self.next_mark += 1;
        }
    }

    /// Waits for what is in flight, as long as patience lasts.
    fn settle(&mut self, patience: Duration) -> Result<()> {
        let end = self.start.elapsed() + patience;
        loop {
            let now = self.start.elapsed();
            let open = self.links.iter().any(|link| link.open);
            if self.book.in_flight() == 0 || now >= end || !open {
                return Ok(());
            }
            self.links.iter_mut().for_each(Link::write);
            self.wait(end.min(now + LOOK))?;
            self.receive();
        }
    }
}

fn watch(link: &Link) -> PollFd<'_> {
    let writing = if link.wants_to_write() { PollFlags::OUT } else { PollFlags::empty() };
    PollFd::new(&link.stream, PollFlags::IN | writing)
}
