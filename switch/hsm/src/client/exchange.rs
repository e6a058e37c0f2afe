//! Commands on one connection and the answers that belong to them. It owns the matching: by the
//! header, and by the letters besides; it knows no socket and reads no clock.

use std::collections::{BTreeSet, HashMap, HashSet};

use tokio::time::Instant;

use crate::fields::answer_code;
use crate::frame::Header;

/// A command that waits for its answer.
pub(super) struct Call<P> {
    answer_code: [u8; 2],
    deadline: Instant,
    /// When it was sent.
    pub(super) sent: Instant,
    /// Who waits.
    pub(super) purpose: P,
}

/// What an answer is.
pub(super) enum Answered<P> {
    /// Of this call.
    Call(Call<P>),
    /// Of a call whose time was over.
    Late,
    /// Of no call of this connection.
    Stray,
    /// It has the header of a call and the letters of another one's answer.
    Mismatched(Call<P>),
}

/// What waits on one connection.
pub(super) struct Exchange<P> {
    window: usize,
    header_length: usize,
    calls: HashMap<Header, Call<P>>,
    deadlines: BTreeSet<(Instant, Header)>,
    /// Headers of calls whose time was over: their answers may still come.
    abandoned: HashSet<Header>,
}

impl<P> Exchange<P> {
    pub(super) fn new(window: usize, header_length: usize) -> Self {
        Self {
            window,
            header_length,
            calls: HashMap::new(),
            deadlines: BTreeSet::new(),
            abandoned: HashSet::new(),
        }
    }

    /// Whether one more may be sent. What was given up still takes its place in the unit.
    pub(super) fn has_room(&self) -> bool {
        self.calls.len().saturating_add(self.abandoned.len()) < self.window
    }

    /// Whether so much was given up that the connection is worth nothing any more.
    pub(super) fn is_worn_out(&self) -> bool {
        self.abandoned.len().saturating_mul(2) > self.window
    }

    /// A command of these letters is sent: under which header.
    pub(super) fn begin(
        &mut self,
        code: [u8; 2],
        now: Instant,
        deadline: Instant,
        purpose: P,
    ) -> Header {
        let mut header = Header::draw(self.header_length);
        while self.calls.contains_key(&header) || self.abandoned.contains(&header) {
            header = Header::draw(self.header_length);
        }
        let call = Call { answer_code: answer_code(code), deadline, sent: now, purpose };
        self.calls.insert(header, call);
        self.deadlines.insert((deadline, header));
        header
    }

    /// An answer has come under this header, with these letters.
    pub(super) fn answered(&mut self, header: Header, code: [u8; 2]) -> Answered<P> {
        if self.abandoned.remove(&header) {
            return Answered::Late;
        }
        let Some(call) = self.calls.remove(&header) else { return Answered::Stray };
        self.deadlines.remove(&(call.deadline, header));
        if call.answer_code == code { Answered::Call(call) } else { Answered::Mismatched(call) }
    }

    /// When the next call's time is over.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// A call whose time is over; its header stays known.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Call<P>> {
        let (deadline, header) = *self.deadlines.first()?;
        if deadline > now {
            return None;
        }
        self.deadlines.pop_first();
        self.abandoned.insert(header);
        self.calls.remove(&header)
    }

    /// All that wait: the connection has ended.
    pub(super) fn end(self) -> impl Iterator<Item = Call<P>> {
        self.calls.into_values()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn exchange() -> Exchange<u8> {
        Exchange::new(4, 8)
    }

    fn of(answered: Answered<u8>) -> String {
        match answered {
            Answered::Call(call) => format!("call {}", call.purpose),
            Answered::Late => "late".into(),
            Answered::Stray => "stray".into(),
            Answered::Mismatched(call) => format!("mismatched {}", call.purpose),
        }
    }

    #[test]
    fn answers_find_their_calls_in_any_order_and_once() {
        let (mut exchange, now) = (exchange(), Instant::now());
        let later = now + Duration::from_secs(1);
        let first = exchange.begin(*b"CY", now, later, 1);
        let second = exchange.begin(*b"EC", now, later, 2);
        assert_eq!(of(exchange.answered(second, *b"ED")), "call 2");
        assert_eq!(of(exchange.answered(second, *b"ED")), "stray");
        assert_eq!(of(exchange.answered(Header::of(b"????????").unwrap(), *b"ED")), "stray");
        assert_eq!(of(exchange.answered(first, *b"ED")), "mismatched 1");
        assert_eq!(of(exchange.answered(first, *b"CZ")), "stray");
        assert_eq!(exchange.next_deadline(), None);
    }

    #[test]
    fn what_comes_late_answers_nobody() {
        let (mut exchange, now) = (exchange(), Instant::now());
        let second = Duration::from_secs(1);
        let headers = [3u8, 1, 2].map(|place| {
            let deadline = now + second * u32::from(place);
            exchange.begin(*b"CY", now, deadline, place)
        });
        assert_eq!(exchange.next_deadline(), Some(now + second));
        assert!(exchange.expire(now).is_none());
        assert_eq!(exchange.expire(now + second * 2).map(|call| call.purpose), Some(1));
        assert_eq!(exchange.expire(now + second * 2).map(|call| call.purpose), Some(2));
        assert!(exchange.expire(now + second * 2).is_none());
        assert_eq!(of(exchange.answered(headers[1], *b"CZ")), "late");
        assert_eq!(of(exchange.answered(headers[1], *b"CZ")), "stray");
        assert_eq!(of(exchange.answered(headers[0], *b"CZ")), "call 3");
    }

    #[test]
    fn there_is_room_for_so_many_and_what_was_given_up_counts() {
        let (mut exchange, now) = (exchange(), Instant::now());
        for place in 0..4 {
            assert!(exchange.has_room());
            exchange.begin(*b"CY", now, now, place);
        }
        assert!(!exchange.has_room() && !exchange.is_worn_out());
        for _ in 0..3 {
            assert!(exchange.expire(now).is_some());
        }
        assert!(!exchange.has_room() && exchange.is_worn_out());
        assert_eq!(exchange.end().count(), 1);
    }
}
