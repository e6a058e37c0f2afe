//! Requests of ours that wait for their answers on one connection. It owns how an answer finds its
//! request, how many wait, and what is late; it reads no clock.

use std::collections::VecDeque;

use codecs::iso8583::{Message, Mti};
use tokio::time::Instant;

/// Requests given up whose answers are still known when they come.
const REMEMBERED: usize = 256;

/// By what an answer is known: the class of its type, and fields as they are on the wire.
pub(crate) type Key = Box<[u8]>;

/// The key of a request or an answer.
///
/// # Errors
/// The field that is not there.
pub(crate) fn key(message: &Message<'_>, fields: &[u8]) -> Result<Key, u8> {
    let mut key = vec![message.mti().map_or(0, Mti::class)];
    for field in fields {
        let raw = message.raw(*field).ok_or(*field)?;
        key.extend((raw.len() as u64).to_be_bytes());
        key.extend(raw);
    }
    Ok(key.into())
}

/// What an answer was for.
pub(crate) enum Found<T> {
    /// A request that waits, which does so no more.
    Waiting(T, Instant),
    /// One that was given up.
    Late,
    /// None of ours.
    Nothing,
}

/// Requests in the order in which they were sent, which is the order of their deadlines.
pub(crate) struct Outstanding<T> {
    most: usize,
    waiting: VecDeque<(Key, Instant, T)>,
    late: VecDeque<Key>,
}

impl<T> Outstanding<T> {
    pub(crate) const fn new(most: usize) -> Self {
        Self { most, waiting: VecDeque::new(), late: VecDeque::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= self.most
    }

    /// Adds a request, unless there is no room or its answer could not be told from another's.
    pub(crate) fn add(&mut self, key: Key, sent: Instant, request: T) -> Result<(), T> {
        if self.is_full() || self.waiting.iter().any(|(other, ..)| *other == key) {
            return Err(request);
        }
        self.late.retain(|other| *other != key);
        self.waiting.push_back((key, sent, request));
        Ok(())
    }

    pub(crate) fn answered(&mut self, key: &Key) -> Found<T> {
        if let Some(place) = self.waiting.iter().position(|(other, ..)| other == key)
            && let Some((_, sent, request)) = self.waiting.remove(place)
        {
            return Found::Waiting(request, sent);
        }
        match self.late.iter().position(|other| other == key) {
            Some(place) => {
                self.late.remove(place);
                Found::Late
            }
            None => Found::Nothing,
        }
    }

    /// When the oldest was sent.
    pub(crate) fn oldest(&self) -> Option<Instant> {
        self.waiting.front().map(|(_, sent, _)| *sent)
    }

    /// Gives up the oldest, if it was sent at `limit` or before.
    pub(crate) fn give_up(&mut self, limit: Instant) -> Option<T> {
        if self.oldest()? > limit {
            return None;
        }
        let (key, _, request) = self.waiting.pop_front()?;
        if self.late.len() >= REMEMBERED {
            self.late.pop_front();
        }
        self.late.push_back(key);
        Some(request)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.waiting.iter().map(|(_, _, request)| request)
    }

    /// All that wait, when the connection ends.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = T> + '_ {
        self.waiting.drain(..).map(|(_, _, request)| request)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn key(number: u16) -> Key {
        number.to_be_bytes().to_vec().into()
    }

    #[test]
    fn answers_are_found_late_or_of_nothing() {
        let mut outstanding = Outstanding::new(3);
        let start = Instant::now();
        let second = Duration::from_secs(1);
        for number in 0..3 {
            let sent = start + second * u32::from(number);
            outstanding.add(key(number), sent, number).expect("room");
        }
        assert_eq!(outstanding.add(key(9), start, 9), Err(9), "no room");
        let (found, since) = (outstanding.answered(&key(1)), start + second);
        assert!(matches!(found, Found::Waiting(1, sent) if sent == since));
        assert_eq!(outstanding.add(key(2), start, 7), Err(7), "not to be told apart");
        assert_eq!(outstanding.give_up(start), Some(0));
        assert_eq!(outstanding.give_up(start + second), None, "the next was sent later");
        assert!(matches!(outstanding.answered(&key(0)), Found::Late));
        assert!(matches!(outstanding.answered(&key(0)), Found::Nothing), "late once");
        assert!(matches!(outstanding.answered(&key(1)), Found::Nothing), "answered twice");
        assert_eq!((outstanding.len(), outstanding.oldest()), (1, Some(start + second * 2)));
    }

    #[test]
    fn what_is_remembered_of_late_ones_is_bounded() {
        let mut outstanding = Outstanding::new(1);
        let now = Instant::now();
        for number in 0..1_000 {
            outstanding.add(key(number), now, ()).expect("room");
            assert!(outstanding.give_up(now).is_some());
        }
        assert_eq!(outstanding.late.len(), REMEMBERED);
        assert!(matches!(outstanding.answered(&key(999)), Found::Late));
        assert!(matches!(outstanding.answered(&key(1)), Found::Nothing));
    }
}
