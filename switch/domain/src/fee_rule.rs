//! How much a fee is. It owns the one formula of `docs/fees.md` and what of its terms is legal; it
//! never says what a fee is charged for, and never uses a float.

use crate::conversion::half_away;
use crate::{BasisPoints, FeeEvent, MinorUnits};

/// The most that a term of a fee may be, in minor units: far above any fee, and far below where
/// sums of them could leave the range of amounts.
pub const MOST_OF_A_FEE: MinorUnits = MinorUnits(1_000_000_000_000);

/// Ten thousand basis points are the whole.
const WHOLE: u128 = 10_000;

/// Why terms are no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPrice {
    /// A term is below zero, or above [`MOST_OF_A_FEE`].
    #[error("a term of a fee is below zero or above {MOST_OF_A_FEE} minor units")]
    OutOfRange,
    /// The most is below the least.
    #[error("the most of a fee is below the least of it")]
    MostBelowLeast,
}

/// The terms of a price, all in minor units of the currency of the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PriceTerms {
    /// Whatever the amount.
    pub fixed: MinorUnits,
    /// A share of the amount, on top of that.
    pub rate: BasisPoints,
    /// It is never less.
    pub least: MinorUnits,
    /// It is never more.
    pub most: Option<MinorUnits>,
}

/// What is charged for one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Price(PriceTerms);

impl Price {
    /// Of these terms.
    ///
    /// # Errors
    /// A term is out of range, or the most is below the least.
    pub fn new(terms: PriceTerms) -> Result<Self, InvalidPrice> {
        let most = terms.most.unwrap_or(MOST_OF_A_FEE);
        let legal = MinorUnits::ZERO..=MOST_OF_A_FEE;
        if ![terms.fixed, terms.least, most].iter().all(|term| legal.contains(term)) {
            return Err(InvalidPrice::OutOfRange);
        }
        if most < terms.least {
            return Err(InvalidPrice::MostBelowLeast);
        }
        Ok(Self(terms))
    }

    /// Its terms.
    #[must_use]
    pub const fn terms(&self) -> &PriceTerms {
        &self.0
    }

    /// For something that has no amount: the fixed part, within its bounds.
    #[must_use]
    pub fn of_act(&self) -> MinorUnits {
        self.bounded(self.0.fixed)
    }

    /// For an amount: the fixed part and the share, which is rounded once to the nearest minor
    /// unit, the half up; then its bounds. Of nothing, nothing. Never less for more.
    #[must_use]
    pub fn of_amount(&self, amount: MinorUnits) -> MinorUnits {
        if !amount.is_positive() {
            return MinorUnits::ZERO;
        }
        // Both are small enough for a u128, and the share is at most the amount.
        let product =
            u128::from(amount.0.unsigned_abs()).saturating_mul(u128::from(self.0.rate.points()));
        let share = half_away(product, WHOLE).and_then(|share| i64::try_from(share).ok());
        self.bounded(MinorUnits(self.0.fixed.0.saturating_add(share.unwrap_or(i64::MAX))))
    }

    fn bounded(&self, fee: MinorUnits) -> MinorUnits {
        fee.max(self.0.least).min(self.0.most.unwrap_or(MinorUnits(i64::MAX)))
    }
}

/// What a card is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CardForm {
    /// A number alone.
    Virtual,
    /// A plastic card.
    Physical,
}

/// How a fee is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Taken {
    /// Out of the account, with what it is charged for.
    AtOnce,
    /// From the partner, by the invoice of the month.
    Invoiced,
}

/// One line of a schedule of fees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FeeRule {
    /// For what.
    pub event: FeeEvent,
    /// For cards of this form alone; all where none is named.
    pub form: Option<CardForm>,
    /// How much.
    pub price: Price,
    /// How.
    pub taken: Taken,
}
