//! Which cards the demo has, and what each must be answered. It owns the mixture; the simulator has
//! its own table of the answers and does not read this one's.

use switch_domain::{LockCode, Reason};

/// What is wrong with a test card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing.
    Good,
    /// Locked.
    Locked(LockCode),
    /// Its month is over.
    Expired,
    /// Its balance is nearly empty.
    Short,
    /// It was not activated.
    Inactive,
    /// It was never issued.
    Unknown,
}

impl Kind {
    /// Its name in demo.json.
    pub(super) fn name(self) -> String {
        match self {
            Self::Good => "good".into(),
            Self::Locked(lock) => format!("lock-{}", lock.number()),
            Self::Expired => "expired".into(),
            Self::Short => "short".into(),
            Self::Inactive => "inactive".into(),
            Self::Unknown => "unknown".into(),
        }
    }

    /// The reason that its purchases are answered for.
    pub(super) const fn reason(self) -> Reason {
        match self {
            Self::Good => Reason::Approved,
            Self::Locked(lock) => Reason::Locked(lock),
            Self::Expired => Reason::ExpiredCard,
            Self::Short => Reason::InsufficientFunds,
            Self::Inactive => Reason::CardNotActive,
            Self::Unknown => Reason::InvalidCardNumber,
        }
    }
}

/// The kinds of `cards` cards: one in ten is not good, and every kind is there.
pub(super) fn kinds(cards: u32) -> Vec<Kind> {
    let mut odd: Vec<Kind> = LockCode::ALL.into_iter().map(Kind::Locked).collect();
    odd.extend([Kind::Expired, Kind::Short, Kind::Inactive, Kind::Unknown]);
    let rounds = (cards as usize / 10 / odd.len()).max(1);
    let mut kinds: Vec<Kind> = odd.iter().copied().cycle().take(odd.len() * rounds).collect();
    kinds.resize(cards as usize, Kind::Good);
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_there_and_most_cards_are_good() {
        for cards in [40, 1_000] {
            let kinds = kinds(cards);
            assert_eq!(kinds.len(), cards as usize);
            for lock in LockCode::ALL {
                assert!(kinds.contains(&Kind::Locked(lock)));
            }
            for kind in [Kind::Expired, Kind::Short, Kind::Inactive, Kind::Unknown] {
                assert!(kinds.contains(&kind));
            }
            let good = kinds.iter().filter(|kind| **kind == Kind::Good).count();
            assert!(good * 2 > kinds.len());
        }
    }
}
