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

/// From this rate of an open loop on, nothing is looked at for `REST` after each look: waking for
/// every request by itself would take half a processor from what is measured. What is due meanwhile
/// is sent late, what has come is read late, and both are charged to the answers.
const RESTS_FROM: u32 = 5_000;
const REST: Duration = Duration::from_micros(500);

/// The highest of the ordinary priorities.
#[cfg(target_os = "linux")]
const FIRST: i32 = -20;

/// Runs a load on the calling thread, which is for nothing else. `first` is a number that no
/// earlier load on the same database has used.
///
/// # Errors
/// A connection cannot be made. What happens later is counted.
pub(crate) fn drive(load: &Load, first: u64, marks: &Marks) -> Result<LoadResult> {
    ensure!(!load.cards.is_empty() && load.connections > 0 && load.windows > 0, "an empty load");
    wake_in_time();
    if matches!(load.shape, Shape::Open { .. }) {
        come_first();
    }
    let links: Result<Vec<Link>> =
        (0..load.connections).map(|_| Link::connect(load.address)).collect();
    let mut run = Run {
        links: links?,
        book: Book::new(load.cards.clone(), load.mix, first).signed_by(load.chips.clone()),
        tally: Tally::new(load.warm_up, load.window_time, load.windows),
        shape: load.shape,
        schedule: match load.shape {
            Shape::Open { rate } => Schedule::new(rate),
            Shape::Closed { .. } => Schedule::new(1),
        },
        rest: match load.shape {
            Shape::Open { rate } if rate >= RESTS_FROM => Some(REST),
            _ => None,
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

/// Has this thread woken when it asked for it. Linux lets sleepers oversleep by 50 microseconds to
/// save power; every request of an open loop would be charged with them.
pub(crate) fn wake_in_time() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
}

/// Has the calling thread run as soon as it wants to, before all that it measures. A generator
/// stands on a machine of its own elsewhere; here it waits for a processor like everybody, often
/// longer than an answer takes, and that would be charged to the answer. Who may not do so measures
/// all the same.
///
/// It holds for the thread and what it starts: call it on one that is for measuring alone.
pub(crate) fn come_first() {
    #[cfg(target_os = "linux")]
    if rustix::process::setpriority_process(None, FIRST).is_err() {
        static TOLD: std::sync::Once = std::sync::Once::new();
        TOLD.call_once(|| {
            eprintln!("the generator waits for a processor like everybody: it may not come first");
        });
    }
}

/// Keeps this thread from running so long. Nothing is watched: an answer must not end it. A signal
/// may.
pub(crate) fn rest(time: Duration) -> Result<()> {
    let _ = poll(&mut [], Some(&Timespec::try_from(time)?));
    Ok(())
}

struct Run {
    links: Vec<Link>,
    book: Book,
    tally: Tally,
    shape: Shape,
    schedule: Schedule,
    /// Between two looks.
    rest: Option<Duration>,
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
            if !self.links.iter().any(|link| link.open) {
                return Ok(());
            }
            if now >= self.tally.ends() {
                // Who comes late to the end has still to send what was due before it.
                if matches!(self.shape, Shape::Open { .. }) {
                    self.send(self.tally.ends());
                    self.links.iter_mut().for_each(Link::write);
                }
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
        if let Some(rest) = self.rest {
            self::rest(rest)?;
        }
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

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener};
    use std::sync::mpsc::channel;

    use super::*;
    use crate::bench::generator::Mix;
    use crate::bench::limits::echo;
    use crate::bench::wire::request::TestPan;

    /// An echo server that lasts as long as the process of the test.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || echo::serve_on(&listener));
        address
    }

    fn load(address: SocketAddr, shape: Shape) -> Load {
        let pan = TestPan::new("9999990000000000").unwrap();
        Load {
            address,
            connections: 3,
            shape,
            mix: Mix::USUAL,
            warm_up: Duration::from_millis(50),
            windows: 2,
            window_time: Duration::from_millis(200),
            patience: Duration::from_secs(60),
            cards: vec![pan; 5].into(),
            chips: None,
        }
    }

    #[test]
    fn an_open_loop_charges_every_request_that_was_due() {
        let (marks, told) = channel();
        let result = drive(&load(echo(), Shape::Open { rate: 1_000 }), 1, &marks).unwrap();
        assert_eq!(result.faults.total(), 0, "{}", result.faults);
        let charged: Vec<u64> = result.windows.iter().map(|w| w.latencies.len()).collect();
        assert_eq!(charged, [200, 200], "however late the answers were");
        drop(marks);
        assert_eq!(told.iter().collect::<Vec<_>>(), [0, 1, 2], "a mark at each end of a window");
        assert!(result.next_number > 400 && result.next_number <= 452);
    }

    #[test]
    fn a_closed_loop_gets_an_answer_to_everything() {
        let (marks, _told) = channel();
        let result = drive(&load(echo(), Shape::Closed { window: 7 }), 1, &marks).unwrap();
        assert_eq!(result.faults.total(), 0, "{}", result.faults);
        assert!(result.windows.iter().all(|window| window.answered > 0));
    }

    #[test]
    fn a_server_that_is_silent_is_charged_with_every_request() {
        // It listens and never accepts: connections are made and nothing is answered.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut load = load(silent.local_addr().unwrap(), Shape::Open { rate: 1_000 });
        load.patience = Duration::ZERO;
        let (marks, _told) = channel();
        let result = drive(&load, 1, &marks).unwrap();
        let sent = result.next_number - 1;
        assert_eq!(result.faults.to_string(), format!("unanswered: {sent}"));
        assert!(result.windows.iter().all(|window| window.latencies.is_empty()));
    }
}
