//! Messages that wait for their decision. It owns the count, the order of their ages, and what is
//! kept of each: the fields that its answer echoes. Tracks, PIN blocks and chip data are not kept.

use std::collections::{HashMap, VecDeque};

use codecs::framing::Tpdu;
use codecs::iso8583::Mti;
use metrics::Gauge;
use tokio::time::Instant;

/// One message in flight.
pub(crate) struct Waiting {
    /// The answer so far: its message type and the echoed fields, encoded in the link's dialect.
    pub(crate) answer: Box<[u8]>,
    /// The answer's message type.
    pub(crate) mti: Mti,
    /// The transport header of the request, if the link has them.
    pub(crate) header: Option<Tpdu>,
    /// When the request was cut from the stream.
    pub(crate) received: Instant,
}

/// The messages in flight of one connection, by token.
pub(crate) struct Pending {
    waiting: HashMap<u64, Waiting>,
    /// Oldest first; holds tokens that are answered already until they come to the front.
    by_age: VecDeque<(Instant, u64)>,
    next_token: u64,
    gauge: Gauge,
}

impl Pending {
    pub(crate) fn new(gauge: Gauge) -> Self {
        Self { waiting: HashMap::new(), by_age: VecDeque::new(), next_token: 0, gauge }
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// A name for the next message, never used before on this connection.
    pub(crate) const fn token(&mut self) -> u64 {
        self.next_token = self.next_token.wrapping_add(1);
        self.next_token
    }

    pub(crate) fn insert(&mut self, token: u64, waiting: Waiting) {
        self.by_age.push_back((waiting.received, token));
        self.waiting.insert(token, waiting);
        self.gauge.increment(1.0);
    }

    /// Takes a message out; `None` where nothing waits under this name (any more).
    pub(crate) fn take(&mut self, token: u64) -> Option<Waiting> {
        let waiting = self.waiting.remove(&token)?;
        self.gauge.decrement(1.0);
        Some(waiting)
    }

    /// When the oldest message in flight came.
    pub(crate) fn oldest(&mut self) -> Option<Instant> {
        while let Some((received, token)) = self.by_age.front() {
            if self.waiting.contains_key(token) {
                return Some(*received);
            }
            self.by_age.pop_front();
        }
        None
    }

    /// Stops waiting for messages that came at `limit` or before; how many they were.
    pub(crate) fn give_up(&mut self, limit: Instant) -> u64 {
        let mut given_up = 0u64;
        while self.oldest().is_some_and(|received| received <= limit) {
            if let Some((_, token)) = self.by_age.pop_front() {
                self.take(token);
                given_up = given_up.saturating_add(1);
            }
        }
        given_up
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.gauge.decrement(self.waiting.len() as f64);
    }
}
