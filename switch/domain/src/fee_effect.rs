//! Where the fees of a purchase stand, and what a record does to them. It owns the shape: how much
//! is held, charged or given back was decided before.

use crate::{FeeCharged, MinorUnits};

/// Where the fees of a purchase stand, or how that changes, in minor units of the currency of its
/// account. As totals none is ever below zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeeTotals {
    /// Held on the account beside the amount: nothing unless something of that is held.
    pub held: MinorUnits,
    /// Taken out of the account, for what was settled.
    pub charged: MinorUnits,
    /// Put down for the invoice, for what was settled.
    pub invoiced: MinorUnits,
}

impl FeeTotals {
    /// These and `delta`, each by itself; `None` past the range of an i64.
    #[must_use]
    pub fn checked_add(self, delta: Self) -> Option<Self> {
        Some(Self {
            held: self.held.checked_add(delta.held)?,
            charged: self.charged.checked_add(delta.charged)?,
            invoiced: self.invoiced.checked_add(delta.invoiced)?,
        })
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

/// What a record does to the fees of purchases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeeEffect {
    /// Change of those of the authorization whose totals it changes as its own.
    pub own: FeeTotals,
    /// Change of those of the authorization that it completes or adds to.
    pub completed: FeeTotals,
    /// What is charged or, below zero, given back, each fee by itself; their sums are those of
    /// `own`, as far as they are charged or invoiced.
    pub lines: Vec<FeeCharged>,
}
