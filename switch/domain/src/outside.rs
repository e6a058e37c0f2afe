//! Locks that somebody outside sets: a network or an acquirer (SR-209). It owns the words: what is
//! asked of a card's lock, which codes a source may set, and why it was refused. Who may set which
//! is said by the configuration; which lock may follow which is the engine's affair.

use crate::{LockCode, Reason};

/// What is asked of a card's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutsideAsk {
    /// Lock the card with this code.
    Lock(LockCode),
    /// Unlock it: from whatever lock it has, or from this one alone.
    Unlock(Option<LockCode>),
}

impl OutsideAsk {
    /// Whether a source with these codes may ask for it at all. An unlock that names no code is
    /// judged by the lock that the card turns out to have.
    #[must_use]
    pub fn is_within(self, codes: LockCodes) -> bool {
        match self {
            Self::Lock(code) | Self::Unlock(Some(code)) => codes.contains(code),
            Self::Unlock(None) => codes != LockCodes::NONE,
        }
    }
}

/// The words of an audit row: `lock 7`, `unlock 7`, `unlock`.
impl std::fmt::Display for OutsideAsk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lock(code) => write!(f, "lock {}", code.number()),
            Self::Unlock(Some(code)) => write!(f, "unlock {}", code.number()),
            Self::Unlock(None) => f.write_str("unlock"),
        }
    }
}

/// A set of lock codes: those that a source may set, and so may take back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LockCodes(u16);

impl LockCodes {
    /// No code.
    pub const NONE: Self = Self(0);

    /// Every code of the seed's table.
    #[must_use]
    pub fn all() -> Self {
        LockCode::ALL.into_iter().collect()
    }

    /// Whether a code is among them.
    #[must_use]
    pub fn contains(self, code: LockCode) -> bool {
        self.0 & bit(code) != 0
    }
}

impl FromIterator<LockCode> for LockCodes {
    fn from_iter<I: IntoIterator<Item = LockCode>>(codes: I) -> Self {
        Self(codes.into_iter().fold(0, |bits, code| bits | bit(code)))
    }
}

/// Numbers go up to 11, so every code has a bit of its own.
const fn bit(code: LockCode) -> u16 {
    1u16.rotate_left(code.number() as u32)
}

/// Why a lock from outside was not set, or not taken back. The card stays as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum LockRefusal {
    /// The source has no authority over this card number or this code.
    #[error("the source may not set or take back this lock on this card")]
    NotAllowed,
    /// There is no such card, or it was removed.
    #[error("there is no such card")]
    NoSuchCard,
    /// The card's lock can never be taken back (SR-211).
    #[error("the card is locked with a code that cannot be taken back")]
    Final,
    /// The card has another lock, which must be taken back first.
    #[error("the card is locked with another code already")]
    LockedOtherwise,
}

impl LockRefusal {
    /// Every refusal once.
    pub const ALL: [Self; 4] =
        [Self::NotAllowed, Self::NoSuchCard, Self::Final, Self::LockedOtherwise];

    /// What a file action is answered that was refused so.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::NotAllowed => Reason::LockNotAllowed,
            Self::NoSuchCard => Reason::FileRecordNotFound,
            Self::Final => Reason::LockFinal,
            Self::LockedOtherwise => Reason::LockedOtherwise,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_the_codes_that_it_was_made_of() {
        for code in LockCode::ALL {
            let one: LockCodes = [code].into_iter().collect();
            let held: Vec<_> = LockCode::ALL.into_iter().filter(|it| one.contains(*it)).collect();
            assert_eq!(held, [code]);
            assert!(LockCodes::all().contains(code) && !LockCodes::NONE.contains(code));
        }
    }

    #[test]
    fn an_unlock_without_a_code_wants_authority_over_any() {
        let seven: LockCodes = [LockCode::SuspectedFraud].into_iter().collect();
        let rows = [
            (OutsideAsk::Lock(LockCode::SuspectedFraud), true),
            (OutsideAsk::Lock(LockCode::Lost), false),
            (OutsideAsk::Unlock(Some(LockCode::SuspectedFraud)), true),
            (OutsideAsk::Unlock(Some(LockCode::PendingQuery)), false),
            (OutsideAsk::Unlock(None), true),
        ];
        for (ask, within) in rows {
            assert_eq!(ask.is_within(seven), within, "{ask}");
            assert!(!ask.is_within(LockCodes::NONE), "{ask}");
        }
    }
}
