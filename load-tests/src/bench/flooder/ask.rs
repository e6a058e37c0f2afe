//! What is asked, and with what each kind may be answered. Must be a mixture without a period: the
//! API takes one request in twenty milliseconds, and would take the same kind each time.

use std::fmt::Write;

use crate::bench::subject::api::{PIN, PROOFS_A_SECOND, People, Person, TAKEN_A_SECOND};

/// Kinds of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Reads the customer.
    Profile,
    /// Lists the customer's accounts.
    Accounts,
    /// Opens an account.
    NewAccount,
    /// Opens a session with the right PIN: a hash that is meant to be heavy.
    SignIn,
    /// Bears a token that nobody was given.
    WrongToken,
    /// A body that is none.
    Nonsense,
    /// A path that is none.
    Nowhere,
}

/// Of twenty requests so many are of each kind.
const MIXTURE: [(Kind, u64); 7] = [
    (Kind::Profile, 6),
    (Kind::Accounts, 2),
    (Kind::NewAccount, 4),
    (Kind::SignIn, 4),
    (Kind::WrongToken, 2),
    (Kind::Nonsense, 1),
    (Kind::Nowhere, 1),
];

/// Requests in a second that are let through, of those that the API takes of an address: all but
/// the sessions above their own rate.
pub(crate) fn let_through_a_second() -> f64 {
    let sessions = MIXTURE.iter().filter(|(kind, _)| *kind == Kind::SignIn);
    let sessions = sessions.map(|(_, share)| *share as f64 / 20.0).sum::<f64>();
    let taken = f64::from(TAKEN_A_SECOND);
    taken - (taken * sessions - f64::from(PROOFS_A_SECOND)).max(0.0)
}

impl Kind {
    /// All of them.
    pub(super) const ALL: [Kind; 7] = [
        Kind::Profile,
        Kind::Accounts,
        Kind::NewAccount,
        Kind::SignIn,
        Kind::WrongToken,
        Kind::Nonsense,
        Kind::Nowhere,
    ];

    /// As people read it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Kind::Profile => "profile",
            Kind::Accounts => "accounts",
            Kind::NewAccount => "new account",
            Kind::SignIn => "session",
            Kind::WrongToken => "wrong token",
            Kind::Nonsense => "nonsense",
            Kind::Nowhere => "no such path",
        }
    }

    /// The status where it was heard.
    pub(super) const fn heard(self) -> u16 {
        match self {
            Kind::Profile | Kind::Accounts => 200,
            Kind::NewAccount | Kind::SignIn => 201,
            Kind::WrongToken => 401,
            Kind::Nonsense => 400,
            Kind::Nowhere => 404,
        }
    }

    /// Whether a status is an answer to it: heard, too many of this caller, too many of all.
    pub(super) fn may_be_answered(self, status: u16) -> bool {
        // Who has all the accounts that a customer may have is told so.
        let full = self == Kind::NewAccount && status == 409;
        status == self.heard() || status == 429 || status == 503 || full
    }

    /// Drawn by a number; evenly drawn numbers give the mixture.
    fn drawn(number: u64) -> Kind {
        let mut left = number % 20;
        for (kind, share) in MIXTURE {
            match left.checked_sub(share) {
                Some(rest) => left = rest,
                None => return kind,
            }
        }
        Kind::Profile
    }
}

/// Writes requests. It lives as long as its database: each key is used once.
#[derive(Debug)]
pub(super) struct Asker {
    /// Their sessions bear requests; they open none, so that none of theirs is ended for another.
    callers: Vec<Person>,
    /// They open sessions.
    openers: Vec<Person>,
    programme: i64,
    number: u64,
}

impl Asker {
    /// A third of them open sessions.
    pub(super) fn new(people: People) -> Asker {
        let People { programme, people: mut openers } = people;
        let callers = openers.split_off(openers.len() / 3);
        Asker { callers, openers, programme, number: 0 }
    }

    /// Writes the next request, and says which kind it is.
    pub(super) fn append(&mut self, out: &mut Vec<u8>) -> Kind {
        self.number += 1;
        let drawn = mixed(self.number);
        let kind = Kind::drawn(drawn);
        let of =
            |people: &[Person]| people.get((drawn >> 8) as usize % people.len().max(1)).cloned();
        let who = if kind == Kind::SignIn { of(&self.openers) } else { of(&self.callers) };
        let Some(who) = who else { return kind };
        let text = match kind {
            Kind::Profile => read("/customers/me", &who.token),
            Kind::Accounts => read("/customers/me/balances", &who.token),
            Kind::WrongToken => read("/customers/me", &who.secret),
            Kind::Nowhere => read("/customers/nowhere", &who.token),
            Kind::NewAccount => {
                let body = format!("{{\"programmeId\":{}}}", self.programme);
                self.change("/customers/me/balances", Some(&who.token), &body)
            }
            Kind::Nonsense => self.change("/customers/me/balances", Some(&who.token), "{\"pro"),
            Kind::SignIn => {
                let Person { installation, secret, .. } = &who;
                let body = format!(
                    "{{\"installationId\":\"{installation}\",\
                     \"installationSecret\":\"{secret}\",\"pin\":\"{PIN}\"}}"
                );
                self.change("/customers/sessions", None, &body)
            }
        };
        out.extend_from_slice(text.as_bytes());
        kind
    }

    fn change(&self, path: &str, token: Option<&str>, body: &str) -> String {
        let mut text = format!("POST {path} HTTP/1.1\r\nHost: flood\r\n");
        if let Some(token) = token {
            let _ = write!(text, "Authorization: Bearer {token}\r\n");
        }
        let (key, length) = (self.number, body.len());
        let _ = write!(
            text,
            "Idempotency-Key: flood-{key}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        text
    }
}

fn read(path: &str, token: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: flood\r\nAuthorization: Bearer {token}\r\n\r\n")
}

/// A number that looks drawn, the same in every run (the finalizer of SplitMix64).
const fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn asker() -> Asker {
        let person = |number: u32| Person {
            installation: Uuid::from_u128(number.into()),
            secret: format!("secret-{number}"),
            token: format!("token-{number}"),
        };
        Asker::new(People { programme: 7, people: (0..9).map(person).collect() })
    }

    #[test]
    fn one_request_in_ten_is_of_every_kind_as_the_mixture_says() {
        let mut asker = asker();
        let kinds: Vec<Kind> = (0..20_000).map(|_| asker.append(&mut Vec::new())).collect();
        // What a limit that takes each tenth would let through, and all of them.
        for step in [10, 1] {
            let taken: Vec<Kind> = kinds.iter().step_by(step).copied().collect();
            for (kind, share) in MIXTURE {
                let count = taken.iter().filter(|one| **one == kind).count() as f64;
                let wanted = taken.len() as f64 * share as f64 / 20.0;
                assert!((count / wanted - 1.0).abs() < 0.3, "{kind:?}: {count} of {wanted}");
            }
        }
    }

    #[test]
    fn keys_are_used_once_and_bodies_are_as_long_as_they_say() {
        let mut asker = asker();
        let mut keys = std::collections::BTreeSet::new();
        for _ in 0..1_000 {
            let mut out = Vec::new();
            let kind = asker.append(&mut out);
            let text = String::from_utf8(out).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let line = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
            if let Some(key) = line("Idempotency-Key: ") {
                assert!(keys.insert(key.to_owned()), "{key}");
                assert_eq!(line("Content-Length: ").unwrap(), body.len().to_string());
            }
            assert_eq!(kind == Kind::SignIn, body.contains("\"pin\":\"271828\""));
            assert_eq!(kind == Kind::WrongToken, head.contains("Bearer secret-"));
        }
    }

    #[test]
    fn answers_are_as_wanted_or_not() {
        assert!(Kind::Profile.may_be_answered(200) && !Kind::Profile.may_be_answered(401));
        assert!(Kind::NewAccount.may_be_answered(409) && !Kind::SignIn.may_be_answered(409));
        for kind in Kind::ALL {
            let wanted = [429, 503, kind.heard()].map(|status| kind.may_be_answered(status));
            assert_eq!(wanted, [true; 3]);
            assert!(!kind.may_be_answered(500) && !kind.may_be_answered(502));
        }
    }
}
