//! Messages that wait for their decision. It owns the count, the order of their ages, and what is
//! kept of each: the fields that its answer echoes. Tracks, PIN blocks and chip data are not kept.

use std::collections::VecDeque;

use codecs::framing::Header;
use codecs::iso8583::{EncodedFields, Mti};
use metrics::Gauge;
use switch_domain::{CardId, Fingerprint};
use switch_security::Verified;
use switch_shard::Decision;
use tokio::time::Instant;

use crate::key_change;
use crate::reconciliation::Reconciling;
use crate::statement::Telling;
use crate::verify::PinService;

/// One message in flight.
pub(crate) struct Waiting {
    /// What its answer echoes, encoded in the link's dialect.
    pub(crate) echoed: EncodedFields,
    /// The answer's message type.
    pub(crate) mti: Mti,
    /// The transport header of the request, if the link has them.
    pub(crate) header: Option<Header>,
    /// When the request was cut from the stream.
    pub(crate) received: Instant,
    /// What it waits for besides a decision, or instead of one: few do.
    pub(crate) asking: Option<Box<Asking>>,
    /// What its chip may be told, by what is decided: of a right cryptogram alone.
    pub(crate) chip: Option<Verified>,
}

/// What a message waits for that no shard decides.
pub(crate) enum Asking {
    /// What was settled.
    Reconciling(Reconciling),
    /// What moved on an account.
    Statement(Telling),
    /// Whether a key was taken in.
    KeyChange(key_change::Place),
    /// Whether a PIN was changed, once that is granted.
    Pin(PinAsked),
}

/// A request about a PIN.
pub(crate) struct PinAsked {
    /// The card.
    pub(crate) card: CardId,
    pub(crate) print: Fingerprint,
    /// Another PIN is wanted; else the chip is to be unblocked.
    pub(crate) changes: bool,
    /// What an approval brings about, as far as it could be made.
    pub(crate) service: Box<PinService>,
    /// The approval, while what it brings about is on its way to the journal.
    pub(crate) granted: Option<Decision>,
}

/// The messages in flight of one connection. Tokens are given in order, so that a message's place
/// is its token less the first one's: no hashing, and the oldest stands in front.
pub(crate) struct Pending {
    /// By token, the first of which is `first`. Empty places were answered before older ones.
    places: VecDeque<Option<Waiting>>,
    first: u64,
    count: usize,
    gauge: Gauge,
    /// What the gauge was told.
    shown: usize,
}

impl Pending {
    pub(crate) const fn new(gauge: Gauge) -> Self {
        Self { places: VecDeque::new(), first: 1, count: 0, gauge, shown: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    /// A name for the next message, never used before on this connection. Its place stays empty
    /// where the message is not inserted.
    pub(crate) fn token(&mut self) -> u64 {
        let token = self.first.wrapping_add(self.places.len() as u64);
        self.places.push_back(None);
        token
    }

    pub(crate) fn insert(&mut self, token: u64, waiting: Waiting) {
        if let Some(place) = self.index(token).and_then(|index| self.places.get_mut(index))
            && place.replace(waiting).is_none()
        {
            self.count = self.count.saturating_add(1);
        }
    }

    /// Takes a message out; `None` where nothing waits under this name (any more).
    pub(crate) fn take(&mut self, token: u64) -> Option<Waiting> {
        let index = self.index(token)?;
        let waiting = self.places.get_mut(index)?.take()?;
        self.count = self.count.saturating_sub(1);
        Some(waiting)
    }

    /// A message in flight; `None` where nothing waits under this name (any more).
    pub(crate) fn get_mut(&mut self, token: u64) -> Option<&mut Waiting> {
        let index = self.index(token)?;
        self.places.get_mut(index)?.as_mut()
    }

    /// When the oldest message in flight came.
    pub(crate) fn oldest(&mut self) -> Option<Instant> {
        while let Some(place) = self.places.front() {
            if let Some(waiting) = place {
                return Some(waiting.received);
            }
            self.places.pop_front();
            self.first = self.first.wrapping_add(1);
        }
        None
    }

    /// Stops waiting for messages that came at `limit` or before; how many they were.
    pub(crate) fn give_up(&mut self, limit: Instant) -> u64 {
        let mut given_up = 0u64;
        while self.oldest().is_some_and(|received| received <= limit) {
            if self.take(self.first).is_some() {
                given_up = given_up.saturating_add(1);
            }
        }
        given_up
    }

    /// Tells the link's gauge, which all its connections share, what has changed.
    pub(crate) fn show(&mut self) {
        if self.shown != self.count {
            self.gauge.increment(self.count as f64 - self.shown as f64);
            self.shown = self.count;
        }
    }

    fn index(&self, token: u64) -> Option<usize> {
        usize::try_from(token.checked_sub(self.first)?).ok()
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.gauge.decrement(self.shown as f64);
    }
}
