//! A card's life: status, lock, and where its number is kept. It owns the lock codes and which of
//! them can never be taken back; it holds no card number.

use crate::{BalanceId, CardId, CardReferences, Expiry, ProgrammeId, Reason};

/// Where a card stands between order and removal. A lock is something else: see [`LockCode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CardStatus {
    /// Issued, not yet activated by its holder (A-18: this is not lock code 5).
    Inactive,
    /// In use.
    Active,
    /// Removed for good; clearing and refunds still find it.
    Removed,
}

/// The lock codes of the seed system (SR-200..208), plus which of them are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockCode {
    /// 1: the holder lost it.
    Lost,
    /// 2: it was stolen.
    Stolen,
    /// 3: a query is pending.
    PendingQuery,
    /// 4: cards are being consolidated.
    Consolidation,
    /// 5: retired as no longer in use.
    Inactive,
    /// 6: the online PIN was wrong too often.
    PinTriesExceeded,
    /// 7: fraud is suspected.
    SuspectedFraud,
    /// 8: another card took its place.
    Replaced,
    /// 11: the chip's own PIN counter ran out.
    OfflinePinTriesExceeded,
}

impl LockCode {
    /// All nine, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::Lost,
        Self::Stolen,
        Self::PendingQuery,
        Self::Consolidation,
        Self::Inactive,
        Self::PinTriesExceeded,
        Self::SuspectedFraud,
        Self::Replaced,
        Self::OfflinePinTriesExceeded,
    ];

    /// The number that the seed system gives it.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Lost => 1,
            Self::Stolen => 2,
            Self::PendingQuery => 3,
            Self::Consolidation => 4,
            Self::Inactive => 5,
            Self::PinTriesExceeded => 6,
            Self::SuspectedFraud => 7,
            Self::Replaced => 8,
            Self::OfflinePinTriesExceeded => 11,
        }
    }

    /// The lock code of a number; 9 and 10 are reserved.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.number() == number)
    }

    /// Whether a card locked with it stays locked for ever (SR-174, SR-211).
    #[must_use]
    pub const fn is_irreversible(self) -> bool {
        matches!(self, Self::Lost | Self::Stolen | Self::Inactive | Self::Replaced)
    }

    /// Why an authorization of a card locked with it is declined.
    #[must_use]
    pub const fn reason(self) -> Reason {
        Reason::Locked(self)
    }
}

/// Where the encrypted number of a card is kept: a row of the vault, and the version of its content
/// (W-9: the journal names it and never carries it).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VaultRef {
    /// The row.
    pub row: i64,
    /// Counts re-encryptions of that row.
    pub version: i32,
}

/// A card as the engine knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Its name.
    pub id: CardId,
    /// The account that it spends from.
    pub balance: BalanceId,
    /// The product it belongs to.
    pub programme: ProgrammeId,
    /// Where its number is kept.
    pub vault: VaultRef,
    /// Last month of validity, as issued or renewed.
    pub expiry: Expiry,
    /// Where it stands in its life.
    pub status: CardStatus,
    /// Why it is locked, if it is.
    pub lock: Option<LockCode>,
    /// Approvals given so far: the source of DE38.
    pub approvals: u32,
    /// What its values are compared with; `None` where nothing was set. Apart, for cards are many.
    pub references: Option<Box<CardReferences>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_codes_are_those_of_the_seed_and_four_are_final() {
        let numbers: Vec<u8> = LockCode::ALL.iter().map(|code| code.number()).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 11]);
        let last: Vec<u8> =
            LockCode::ALL.iter().filter(|c| c.is_irreversible()).map(|c| c.number()).collect();
        assert_eq!(last, [1, 2, 5, 8]);
        assert_eq!(LockCode::from_number(9), None);
        assert_eq!(LockCode::from_number(11), Some(LockCode::OfflinePinTriesExceeded));
    }
}
