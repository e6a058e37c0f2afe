//! Which certificates are known, in memory: who each is of, and which are revoked. It owns the
//! judgement of one that is shown, as a function of what is known and the time; it reads no table
//! and asks no clock. What is revoked is never forgotten while it could still be shown.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use switch_domain::{PartnerId, Timestamp};
use x509_parser::parse_x509_certificate;

use super::serial::Serial;

/// Why nobody is known by a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotIdentified {
    /// No certificate of ours looks so.
    #[error("this is no client certificate of the platform")]
    Unreadable,
    /// Ours by its signature, but not on record.
    #[error("this client certificate is not on record")]
    Unknown,
    /// Taken back.
    #[error("this client certificate is revoked")]
    Revoked,
    /// Its time is over.
    #[error("this client certificate has expired")]
    Expired,
    /// Its time has not come.
    #[error("this client certificate is not valid yet")]
    NotYet,
    /// It cannot be told whether it was revoked: the database does not answer.
    #[error("client certificates cannot be checked at present")]
    Unavailable,
}

impl NotIdentified {
    /// As metrics label it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Unknown => "unknown",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::NotYet => "not_yet",
            Self::Unavailable => "unavailable",
        }
    }
}

/// What tells a certificate that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) serial: Serial,
    pub(super) fingerprint: [u8; 32],
}

impl Shown {
    /// From its bytes; none where it is none of ours.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let (rest, certificate) = parse_x509_certificate(der).ok()?;
        let serial = Serial::of(&certificate).filter(|_| rest.is_empty())?;
        Some(Self { serial, fingerprint: Sha256::digest(der).into() })
    }
}

/// What the table says of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) partner: PartnerId,
    pub(super) fingerprint: [u8; 32],
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) revoked: bool,
}

/// What is known of one that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    Is(PartnerId),
    Not(NotIdentified),
    /// The table has to be asked.
    Ask,
}

/// What is known. The memory of good ones is bounded; that of revoked ones is as large as the
/// number of them whose time is not over, which only operators make grow.
#[derive(Debug)]
pub(super) struct Directory {
    known: HashMap<Serial, Known>,
    /// Until when each could still be shown.
    revoked: HashMap<Serial, Timestamp>,
    room: usize,
    /// When the revoked ones were last read, and when that was last tried.
    read: Option<Timestamp>,
    tried: Option<Timestamp>,
}

impl Directory {
    pub(super) fn new(room: usize) -> Self {
        let (known, revoked) = (HashMap::new(), HashMap::new());
        Self { known, revoked, room, read: None, tried: None }
    }

    /// Who it is, as far as is known.
    pub(super) fn judge(&self, shown: &Shown, now: Timestamp) -> Judged {
        if self.is_revoked(shown.serial) {
            return Judged::Not(NotIdentified::Revoked);
        }
        let Some(known) = self.known.get(&shown.serial) else { return Judged::Ask };
        if known.fingerprint != shown.fingerprint {
            return Judged::Not(NotIdentified::Unknown);
        }
        if known.revoked {
            return Judged::Not(NotIdentified::Revoked);
        }
        if now < known.from {
            return Judged::Not(NotIdentified::NotYet);
        }
        if now > known.until {
            return Judged::Not(NotIdentified::Expired);
        }
        Judged::Is(known.partner)
    }

    pub(super) fn is_revoked(&self, serial: Serial) -> bool {
        self.revoked.contains_key(&serial)
    }

    /// Remembers what the table says of one.
    pub(super) fn learn(&mut self, serial: Serial, known: Known) {
        if known.revoked {
            self.revoke(serial, known.until);
        }
        if self.known.len() >= self.room && !self.known.contains_key(&serial) {
            // All at once: they come back one by one, and it happens to nobody whose limit fits.
            self.known.clear();
        }
        self.known.insert(serial, known);
    }

    /// One is taken back, for good.
    pub(super) fn revoke(&mut self, serial: Serial, until: Timestamp) {
        self.revoked.insert(serial, until);
    }

    /// The table was read, as it stood at `now` or later. What was revoked here meanwhile stays.
    pub(super) fn refresh(
        &mut self,
        revoked: impl IntoIterator<Item = (Serial, Timestamp)>,
        now: Timestamp,
    ) {
        self.revoked.retain(|_, until| *until >= now);
        self.known.retain(|_, known| known.until >= now);
        self.revoked.extend(revoked);
        self.read = Some(now);
    }

    /// Notes that it is tried to read the table; whether that is due.
    pub(super) fn tries(&mut self, now: Timestamp, every: i64) -> bool {
        let due = self.tried.is_none_or(|tried| !within(tried, now, every));
        if due {
            self.tried = Some(now);
        }
        due
    }

    /// Whether what is known of revoked ones is no older than so.
    pub(super) fn is_fresh(&self, now: Timestamp, within_micros: i64) -> bool {
        self.read.is_some_and(|read| within(read, now, within_micros))
    }

    /// How many good and revoked ones are remembered.
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.known.len(), self.revoked.len())
    }
}

/// Whether so little time has gone by. A clock that went back has gone by too much.
fn within(then: Timestamp, now: Timestamp, micros: i64) -> bool {
    (0..micros).contains(&now.0.saturating_sub(then.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;

    fn shown(number: u8) -> Shown {
        Shown {
            serial: Serial::from_slice(&[number; 16]).expect("sixteen"),
            fingerprint: [number; 32],
        }
    }

    fn known(number: u8) -> Known {
        Known {
            partner: PartnerId(i64::from(number)),
            fingerprint: [number; 32],
            from: Timestamp(DAY),
            until: Timestamp(3 * DAY),
            revoked: false,
        }
    }

    #[test]
    fn a_certificate_is_judged_by_its_bytes_its_time_and_what_is_revoked() {
        let now = Timestamp(2 * DAY);
        let mut directory = Directory::new(10);
        assert_eq!(directory.judge(&shown(1), now), Judged::Ask);
        directory.learn(shown(1).serial, known(1));
        let judged = |directory: &Directory, at| directory.judge(&shown(1), Timestamp(at));
        for (at, expected) in [
            (DAY - 1, Judged::Not(NotIdentified::NotYet)),
            (DAY, Judged::Is(PartnerId(1))),
            (3 * DAY, Judged::Is(PartnerId(1))),
            (3 * DAY + 1, Judged::Not(NotIdentified::Expired)),
        ] {
            assert_eq!(judged(&directory, at), expected, "{at}");
        }
        // The same number on other bytes, as another authority would make it.
        let other = Shown { fingerprint: [9; 32], ..shown(1) };
        assert_eq!(directory.judge(&other, now), Judged::Not(NotIdentified::Unknown));
        directory.revoke(shown(1).serial, Timestamp(3 * DAY));
        assert_eq!(judged(&directory, 2 * DAY), Judged::Not(NotIdentified::Revoked));
        // A reading of the table that began before does not take it back.
        directory.refresh([], now);
        assert_eq!(judged(&directory, 2 * DAY), Judged::Not(NotIdentified::Revoked));
        directory.learn(shown(2).serial, Known { revoked: true, ..known(2) });
        assert_eq!(directory.judge(&shown(2), now), Judged::Not(NotIdentified::Revoked));
    }

    #[test]
    fn memory_is_bounded_and_lets_go_of_what_is_over() {
        let mut directory = Directory::new(4);
        for number in 1..=20 {
            directory.learn(shown(number).serial, known(number));
            assert!(directory.sizes().0 <= 4);
            let is = Judged::Is(PartnerId(i64::from(number)));
            assert_eq!(directory.judge(&shown(number), Timestamp(2 * DAY)), is);
        }
        directory.revoke(shown(1).serial, Timestamp(3 * DAY));
        directory.refresh([(shown(30).serial, Timestamp(9 * DAY))], Timestamp(2 * DAY));
        assert_eq!(directory.sizes().1, 2);
        directory.refresh([], Timestamp(4 * DAY));
        assert_eq!(directory.sizes(), (0, 1));
    }

    #[test]
    fn it_says_when_to_read_again_and_when_it_knows_too_little() {
        let mut directory = Directory::new(4);
        let at = Timestamp;
        assert!(!directory.is_fresh(at(100), 50));
        assert!(directory.tries(at(100), 10));
        assert!(!directory.tries(at(109), 10));
        directory.refresh([], at(100));
        assert!(directory.tries(at(110), 10));
        assert!(directory.is_fresh(at(149), 50) && !directory.is_fresh(at(150), 50));
        // A clock that went back.
        assert!(directory.tries(at(90), 10) && !directory.is_fresh(at(90), 50));
    }
}
