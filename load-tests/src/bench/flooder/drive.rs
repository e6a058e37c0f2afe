//! The loop of the flood: send what is due on a connection that is free, read what has come. Must
//! never hold a request back for the answer to another.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::ask::Asker;
use super::lane::Lane;
use super::tally::Flooded;
use crate::bench::generator::Schedule;
use crate::bench::subject::api::People;

/// Connections at most. A session that waits for its hash holds one for up to a second.
const LANES: usize = 256;
/// How long what is on its way at the end may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Without anything due, the clock is looked at so often.
const LOOK: Duration = Duration::from_millis(50);

/// Who floods, one time after another.
#[derive(Debug)]
pub(crate) struct Flooder {
    address: SocketAddr,
    rate: u32,
    asker: Asker,
}

impl Flooder {
    /// At so many requests a second.
    pub(crate) fn new(address: SocketAddr, rate: u32, people: People) -> Flooder {
        Flooder { address, rate, asker: Asker::new(people) }
    }

    /// Floods on the calling thread until told to stop. It takes its turns at the processors like
    /// everybody: unlike a late authorization, a late request of a flood is nobody's loss.
    ///
    /// # Errors
    /// A first connection cannot be made. What happens later is counted.
    pub(crate) fn run(&mut self, stop: &AtomicBool) -> Result<Flooded> {
        let mut flow = Flow {
            address: self.address,
            lanes: vec![Lane::connect(self.address)?],
            flooded: Flooded::default(),
        };
        let (start, mut schedule) = (Instant::now(), Schedule::new(self.rate));
        loop {
            // Read first, so that what was due before it is sent.
            let stopping = stop.load(Ordering::Acquire);
            let now = start.elapsed();
            while let Some(due) = schedule.take(now) {
                flow.send(&mut self.asker, due);
            }
            if stopping {
                flow.flooded.lasted(now);
                break;
            }
            flow.receive(schedule.due().saturating_sub(start.elapsed()).min(LOOK))?;
        }
        let end = start.elapsed() + PATIENCE;
        while flow.waiting() > 0 && start.elapsed() < end {
            flow.receive(LOOK)?;
        }
        let waiting = flow.waiting();
        flow.flooded.faults.add("unanswered", waiting);
        Ok(flow.flooded)
    }
}

struct Flow {
    address: SocketAddr,
    lanes: Vec<Lane>,
    flooded: Flooded,
}

impl Flow {
    /// On the first connection that is free, or on a new one.
    fn send(&mut self, asker: &mut Asker, due: Duration) {
        self.flooded.due += 1;
        let free = self.lanes.iter().position(|lane| lane.asked.is_none());
        let lane = match free {
            Some(free) => self.lanes.get_mut(free),
            None if self.lanes.len() < LANES => match Lane::connect(self.address) {
                Ok(lane) => {
                    self.lanes.push(lane);
                    self.lanes.last_mut()
                }
                Err(_) => None,
            },
            None => None,
        };
        let Some(lane) = lane else {
            self.flooded.faults.count("no connection to send on");
            return;
        };
        let kind = asker.append(&mut lane.output);
        lane.asked = Some((kind, due));
        lane.write();
    }

    /// Waits until something came, at most so long, and reads it.
    fn receive(&mut self, longest: Duration) -> Result<()> {
        let mut watched: Vec<PollFd<'_>> = self.lanes.iter().map(Lane::watch).collect();
        match poll(&mut watched, Some(&Timespec::try_from(longest)?)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<PollFlags> = watched.iter().map(PollFd::revents).collect();
        let Flow { lanes, flooded, .. } = self;
        for (lane, ready) in lanes.iter_mut().zip(ready) {
            if ready.contains(PollFlags::OUT) {
                lane.write();
            }
            if !ready.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
                continue;
            }
            match (lane.read(), lane.asked) {
                (Ok(None), _) => {}
                (Ok(Some(status)), Some(asked)) => {
                    lane.asked = None;
                    flooded.answered(asked, status);
                }
                (Ok(Some(_)), None) => flooded.faults.count("an answer to no request"),
                (Err(what), _) => {
                    flooded.faults.count(what);
                    (lane.asked, lane.open) = (None, false);
                }
            }
        }
        // One that was closed while nothing was asked is no loss: the server ends idle ones.
        let lost = lanes.iter().filter(|lane| !lane.open && lane.asked.is_some()).count();
        flooded.faults.add("connection closed", lost as u64);
        lanes.retain(|lane| lane.open);
        Ok(())
    }

    fn waiting(&self) -> u64 {
        self.lanes.iter().filter(|lane| lane.asked.is_some()).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use uuid::Uuid;

    use super::*;
    use crate::bench::subject::api::Person;

    /// Answers whatever comes with this, for as long as the process of the test lasts.
    fn server(answer: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                std::thread::spawn(move || {
                    let mut request = [0; 4096];
                    while stream.read(&mut request).is_ok_and(|count| count > 0) {
                        if stream.write_all(answer).is_err() || answer.is_empty() {
                            return;
                        }
                    }
                });
            }
        });
        address
    }

    fn people() -> People {
        let installation = Uuid::from_u128(1);
        let person = Person { installation, secret: "secret".into(), token: "token".into() };
        People { programme: 1, people: vec![person; 3] }
    }

    /// Stopped before it began: what was due until then is all that it sends.
    fn flood(address: SocketAddr) -> Flooded {
        Flooder::new(address, 1_000, people()).run(&AtomicBool::new(true)).unwrap()
    }

    #[test]
    fn every_request_is_counted_by_its_answer() {
        let flooded = flood(server(b"HTTP/1.1 429 No\r\ncontent-length: 0\r\n\r\n"));
        assert!(flooded.due > 0 && flooded.lines().contains("429: "));
        assert_eq!(flooded.faults.total(), 0, "{}", flooded.faults);
    }

    #[test]
    fn who_is_cut_off_counts_it() {
        let flooded = flood(server(b""));
        assert_eq!(flooded.faults.to_string(), format!("connection closed: {}", flooded.due));
    }
}
