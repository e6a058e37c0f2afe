//! A customer's account at its partner. It owns what ledger, held and available mean; it never
//! changes by itself: only records of the journal change it.

use crate::{
    Amount, BalanceId, Currency, CustomerId, MinorUnits, PartnerId, ProgrammeId, Timestamp,
};

/// Whether an account may be spent from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BalanceState {
    /// In use.
    Active,
    /// Suspended: answers 1041.
    Blocked,
    /// Closed for good: answers 1035.
    Closed,
}

/// Whether a customer may spend at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CustomerState {
    /// May spend.
    Active,
    /// May not.
    Blocked,
}

/// An account. Amounts are in minor units of `currency`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Its name.
    pub id: BalanceId,
    /// The product it was opened under.
    pub programme: ProgrammeId,
    /// The institution that it belongs to.
    pub partner: PartnerId,
    /// The end user.
    pub customer: CustomerId,
    /// Of what.
    pub currency: Currency,
    /// Whether it may be spent from.
    pub state: BalanceState,
    /// Sum of all postings to it.
    pub ledger: MinorUnits,
    /// Sum of all open holds on it; never negative.
    pub held: MinorUnits,
}

impl Balance {
    /// What may be spent: ledger less held. Saturates rather than wraps, towards "nothing".
    #[must_use]
    pub const fn available(&self) -> MinorUnits {
        MinorUnits(self.ledger.0.saturating_sub(self.held.0))
    }
}

/// Money that came to an account or went from it, as its holder is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movement {
    /// When it was decided.
    pub at: Timestamp,
    /// Above zero what came, below zero what went.
    pub amount: Amount,
}
