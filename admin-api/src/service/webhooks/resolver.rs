//! How names are looked up: by the system, which blocks a thread until it knows, or has given up.
//! It owns that names whose servers do not answer take few threads however many there are and
//! however long that lasts, and none of those that are kept for names which were found in time
//! before.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::addresses::{LookedUp, Resolver};

/// Look-ups at a time: each has a thread of its own for as long as the system takes for it.
const TURNS: Turns<usize> = Turns { all: 8, unproven: 4, late: 2 };
/// For one of them, the wait for its turn included.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(5);
/// Names of which is known how it went; then all are forgotten, and each is new.
const KNOWN: usize = 10_000;

/// How many look-ups may be under way,
#[derive(Clone, Debug)]
struct Turns<T> {
    /// of all names,
    all: T,
    /// of those that were not found in time the last time,
    unproven: T,
    /// and of those of them that were late then. The others are new.
    late: T,
}

/// How the last look-ups went.
#[derive(Debug, Default)]
struct Known {
    found: HashSet<String>,
    late: HashSet<String>,
}

/// The system's.
#[derive(Clone, Debug)]
pub struct SystemResolver {
    turns: Turns<Arc<Semaphore>>,
    known: Arc<Mutex<Known>>,
    within: Duration,
    ask: fn(&str) -> io::Result<Vec<IpAddr>>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self::asking(ask_system, TURNS, LOOK_UP_WITHIN)
    }
}

impl SystemResolver {
    fn asking(
        ask: fn(&str) -> io::Result<Vec<IpAddr>>,
        turns: Turns<usize>,
        within: Duration,
    ) -> Self {
        let Turns { all, unproven, late } = turns;
        let room = |turns| Arc::new(Semaphore::new(turns));
        let turns = Turns { all: room(all), unproven: room(unproven), late: room(late) };
        Self { turns, known: Arc::default(), within, ask }
    }

    /// What a name waits for: the narrowest place first, so that who waits holds nothing that
    /// others could use.
    async fn turn(&self, name: &str) -> io::Result<Vec<OwnedSemaphorePermit>> {
        let (found, late) = {
            let known = self.known();
            (known.found.contains(name), known.late.contains(name))
        };
        let Turns { all, unproven, late: of_late } = &self.turns;
        let mut turn = Vec::with_capacity(3);
        for (place, is_needed) in [(of_late, late), (unproven, !found), (all, true)] {
            if is_needed {
                turn.push(Arc::clone(place).acquire_owned().await.map_err(io::Error::other)?);
            }
        }
        Ok(turn)
    }

    async fn looked_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let turn = self.turn(name).await?;
        let (ask, name) = (self.ask, name.to_owned());
        let asked = tokio::task::spawn_blocking(move || {
            let found = ask(&name);
            // Whoever stopped waiting does not end the look-up: its turn is over when it is.
            drop(turn);
            found
        });
        asked.await.map_err(io::Error::other)?
    }

    fn note(&self, name: &str, in_time: bool) {
        let mut known = self.known();
        let Known { found, late } = &mut *known;
        let (here, there) = if in_time { (found, late) } else { (late, found) };
        there.remove(name);
        if here.len() >= KNOWN {
            here.clear();
        }
        here.insert(name.to_owned());
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ask_system(name: &str) -> io::Result<Vec<IpAddr>> {
    Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}

impl Resolver for SystemResolver {
    fn look_up<'a>(&'a self, name: &'a str) -> LookedUp<'a> {
        Box::pin(async move {
            let found = tokio::time::timeout(self.within, self.looked_up(name)).await;
            self.note(name, found.is_ok());
            let late = |_| io::Error::new(io::ErrorKind::TimedOut, "the name is not known in time");
            found.map_err(late)?
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    static ASKED: AtomicUsize = AtomicUsize::new(0);
    /// Servers of names that do not answer, until the test says so.
    static OVER: Barrier = Barrier::new(4);

    fn silent(name: &str) -> io::Result<Vec<IpAddr>> {
        if name.starts_with("quick") {
            return ask_system("127.0.0.1");
        }
        ASKED.fetch_add(1, Ordering::SeqCst);
        OVER.wait();
        Ok(Vec::new())
    }

    // covers: API-04, API-07
    #[tokio::test]
    async fn names_that_nobody_answers_for_take_few_threads_and_none_of_those_that_are_found() {
        let turns = Turns { all: 4, unproven: 3, late: 2 };
        let resolver = SystemResolver::asking(silent, turns, Duration::from_millis(100));
        assert_eq!(resolver.look_up("quick").await.expect("known").len(), 1);
        for _ in 0..10 {
            for name in ["one.example", "two.example", "three.example", "four.example"] {
                let late = resolver.look_up(name).await.expect_err("nobody answers");
                assert_eq!(late.kind(), io::ErrorKind::TimedOut);
            }
        }
        assert_eq!(ASKED.load(Ordering::SeqCst), 3, "the others have no turn");
        let patient = SystemResolver { within: Duration::from_secs(60), ..resolver.clone() };
        assert_eq!(patient.look_up("quick").await.expect("known").len(), 1, "it was found before");
        assert!(resolver.look_up("quick.new").await.is_err(), "whether this one is, nobody knows");
        tokio::task::spawn_blocking(|| OVER.wait()).await.expect("over");
        assert_eq!(patient.look_up("quick.new").await.expect("known").len(), 1, "turns come back");
    }
}
