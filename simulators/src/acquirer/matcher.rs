//! Which answer belongs to which request: same connection, same class (second digit of the message
//! type), same DE11, DE37 and DE41. Must account for every answer: matched, late, come twice or
//! asked by nobody.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::Instant;

use crate::iso::Message;

/// How many answered requests are remembered, to tell a second answer from one that nobody asked
/// for.
const REMEMBERED: usize = 65_536;

type Key = Box<[u8]>;

/// A message with what tells it from others.
pub trait Matchable {
    /// The message type, four digits.
    fn mti(&self) -> &str;
    /// A field as it stands on the wire, without its length; empty where absent.
    fn content(&self, field: u8) -> &[u8];
}

impl Matchable for Message {
    fn mti(&self) -> &str {
        Message::mti(self)
    }

    fn content(&self, field: u8) -> &[u8] {
        self.bytes(field).unwrap_or_default()
    }
}

/// What an answer turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Matched<T> {
    /// The answer to this request.
    InTime(T),
    /// The answer to this request, so long after it that its acquirer has given up.
    Late(T, Duration),
    /// Another answer to a request that has had one.
    Duplicate,
    /// No request has these keys.
    Unmatched,
}

/// The requests in flight, each with whatever its sender keeps with it.
#[derive(Debug)]
pub struct Matcher<T> {
    patience: Duration,
    waiting: HashMap<Key, (Instant, T)>,
    answered: HashSet<Key>,
    order: VecDeque<Key>,
}

impl<T> Matcher<T> {
    /// An answer that takes longer than `patience` is late.
    #[must_use]
    pub fn new(patience: Duration) -> Matcher<T> {
        Matcher {
            patience,
            waiting: HashMap::new(),
            answered: HashSet::new(),
            order: VecDeque::new(),
        }
    }

    /// A request goes out.
    ///
    /// # Errors
    /// When one with the same keys is in flight on that connection: their answers could not be told
    /// apart.
    pub fn sent(
        &mut self,
        connection: usize,
        request: &impl Matchable,
        at: Instant,
        kept: T,
    ) -> Result<()> {
        let key = key(connection, request);
        ensure!(
            !self.waiting.contains_key(&key),
            "a {} with STAN {} is in flight already",
            request.mti(),
            String::from_utf8_lossy(request.content(11))
        );
        self.answered.remove(&key); // an identical resend is answered again
        self.waiting.insert(key, (at, kept));
        Ok(())
    }

    /// An answer came.
    pub fn answered(
        &mut self,
        connection: usize,
        answer: &impl Matchable,
        at: Instant,
    ) -> Matched<T> {
        let key = key(connection, answer);
        let Some((sent, kept)) = self.waiting.remove(&key) else {
            let known = self.answered.contains(&key);
            return if known { Matched::Duplicate } else { Matched::Unmatched };
        };
        self.remember(key);
        let took = at.saturating_duration_since(sent);
        if took > self.patience { Matched::Late(kept, took) } else { Matched::InTime(kept) }
    }

    /// How many are in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.waiting.len()
    }

    /// Gives up: everything in flight stays unanswered.
    pub fn give_up(&mut self) -> Vec<T> {
        self.waiting.drain().map(|(_, (_, kept))| kept).collect()
    }

    /// Gives up on one connection, which has ended.
    pub fn give_up_on(&mut self, connection: usize) -> Vec<T> {
        let number = connection.to_be_bytes();
        let ended = self.waiting.extract_if(|key, _| key.starts_with(&number));
        ended.map(|(_, (_, kept))| kept).collect()
    }

    fn remember(&mut self, key: Key) {
        if self.order.len() >= REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.answered.remove(&oldest);
        }
        self.order.push_back(key.clone());
        self.answered.insert(key);
    }
}

fn key(connection: usize, message: &impl Matchable) -> Key {
    let mut key = connection.to_be_bytes().to_vec();
    key.extend_from_slice(message.mti().get(1..2).unwrap_or_default().as_bytes());
    for field in [11, 37, 41] {
        key.push(field);
        key.extend_from_slice(message.content(field));
    }
    key.into_boxed_slice()
}
