//! Where the verification of a customer stands, and who may move it where. It owns the table of
//! moves; it knows no database and no clock.

use serde::{Deserialize, Serialize};

/// Where a verification stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KycState {
    /// Nobody began it.
    NotStarted,
    /// It is looked into.
    Pending,
    /// The customer is who they say.
    Verified,
    /// It was not shown; it can be tried again.
    Rejected,
    /// What was shown is too old.
    Expired,
    /// It was taken back.
    Revoked,
}

/// How a partner's customers are verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// By the partner itself, which says what came of it.
    Own,
    /// By an operator of the platform.
    Manual,
    /// By a provider that the platform asks.
    Automated,
}

/// Who moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mover {
    /// The partner, over its own channel.
    Partner,
    /// The customer.
    Customer,
    /// An operator of the platform.
    Operator,
    /// The provider.
    Provider,
}

/// Why a move is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// From here there is no way there.
    #[error("a verification does not go from {} to {}", .0.name(), .1.name())]
    NoMove(KycState, KycState),
    /// There is, but it is somebody else's.
    #[error("whether a verification becomes {} is not for the {} to say", .0.name(), .1.name())]
    NotTheirs(KycState, Mover),
}

/// Whether somebody may move a verification, where the partner's customers are verified so.
///
/// # Errors
/// Why not.
pub fn judge(from: KycState, to: KycState, by: Mover, mode: Mode) -> Result<(), Refused> {
    use KycState::{Expired, NotStarted, Pending, Rejected, Revoked, Verified};
    let theirs = match (from, to) {
        (NotStarted | Rejected | Expired | Revoked, Pending) => begins(by, mode),
        (Pending, Verified | Rejected) => decides(by, mode),
        (Verified, Expired | Revoked) => matches!(by, Mover::Partner | Mover::Operator),
        _ => return Err(Refused::NoMove(from, to)),
    };
    if theirs { Ok(()) } else { Err(Refused::NotTheirs(to, by)) }
}

/// Who has a verification begun: where the platform does it, the customer may ask as well.
const fn begins(by: Mover, mode: Mode) -> bool {
    match by {
        Mover::Partner | Mover::Operator => true,
        Mover::Customer => !matches!(mode, Mode::Own),
        Mover::Provider => false,
    }
}

/// Who says what came of it. Where the provider gave up, an operator does.
const fn decides(by: Mover, mode: Mode) -> bool {
    match mode {
        Mode::Own => matches!(by, Mover::Partner),
        Mode::Manual => matches!(by, Mover::Operator),
        Mode::Automated => matches!(by, Mover::Provider | Mover::Operator),
    }
}

/// Names in tables and answers.
macro_rules! names {
    ($of:ident { $($value:ident => $name:literal,)* }) => {
        impl $of {
            /// All there are.
            pub const ALL: &[Self] = &[$(Self::$value,)*];

            /// As in tables and answers.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$value => $name,)* }
            }

            /// The one with this name.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$value),)* _ => None }
            }
        }
    };
}

names!(KycState {
    NotStarted => "NOT_STARTED",
    Pending => "PENDING",
    Verified => "VERIFIED",
    Rejected => "REJECTED",
    Expired => "EXPIRED",
    Revoked => "REVOKED",
});
names!(Mode {
    Own => "own",
    Manual => "manual",
    Automated => "automated",
});
names!(Mover {
    Partner => "partner",
    Customer => "customer",
    Operator => "operator",
    Provider => "provider",
});

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    /// Every move that is allowed, and to whom: by mode, who is a letter. All others are refused.
    const ALLOWED: &[(&str, &str, [&str; 3])] = &[
        // From, to, own, manual, automated: p partner, c customer, o operator, v provider.
        ("NOT_STARTED", "PENDING", ["po", "pco", "pco"]),
        ("REJECTED", "PENDING", ["po", "pco", "pco"]),
        ("EXPIRED", "PENDING", ["po", "pco", "pco"]),
        ("REVOKED", "PENDING", ["po", "pco", "pco"]),
        ("PENDING", "VERIFIED", ["p", "o", "ov"]),
        ("PENDING", "REJECTED", ["p", "o", "ov"]),
        ("VERIFIED", "EXPIRED", ["po", "po", "po"]),
        ("VERIFIED", "REVOKED", ["po", "po", "po"]),
    ];

    fn letter(by: Mover) -> char {
        match by {
            Mover::Partner => 'p',
            Mover::Customer => 'c',
            Mover::Operator => 'o',
            Mover::Provider => 'v',
        }
    }

    // covers: SR-032
    #[test]
    fn every_move_by_everybody_in_every_mode_is_allowed_or_refused_as_the_table_says() {
        let mut seen = 0;
        for (from, to) in
            KycState::ALL.iter().flat_map(|f| KycState::ALL.iter().map(move |t| (f, t)))
        {
            let row = ALLOWED.iter().find(|row| row.0 == from.name() && row.1 == to.name());
            for (column, mode) in Mode::ALL.iter().enumerate() {
                for by in Mover::ALL {
                    let expected = match row {
                        None => Err(Refused::NoMove(*from, *to)),
                        Some((_, _, who)) if who[column].contains(letter(*by)) => Ok(()),
                        Some(_) => Err(Refused::NotTheirs(*to, *by)),
                    };
                    assert_eq!(judge(*from, *to, *by, *mode), expected, "{from:?} {to:?} {by:?}");
                    seen += 1;
                }
            }
        }
        assert_eq!(seen, 6 * 6 * 3 * 4);
    }

    #[test]
    fn names_are_read_back() {
        for state in KycState::ALL {
            assert_eq!(KycState::named(state.name()), Some(*state));
        }
        assert_eq!((KycState::named("verified"), Mode::named("")), (None, None));
    }

    proptest! {
        /// Whatever is asked in whatever order: nobody is verified without somebody who decides
        /// having said so after it was begun.
        #[test]
        fn nobody_is_verified_but_by_who_decides(
            asks in proptest::collection::vec((0..6usize, 0..4usize), 0..40), mode in 0..3usize,
        ) {
            let mode = Mode::ALL[mode];
            let (mut state, mut begun) = (KycState::NotStarted, false);
            for (to, by) in asks {
                let (to, by) = (KycState::ALL[to], Mover::ALL[by]);
                if judge(state, to, by, mode).is_err() { continue; }
                if to == KycState::Verified {
                    prop_assert!(begun && decides(by, mode));
                    prop_assert_eq!(state, KycState::Pending);
                }
                begun = to == KycState::Pending;
                state = to;
            }
        }
    }
}
