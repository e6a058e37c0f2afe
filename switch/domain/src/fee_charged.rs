//! A fee that was charged for an act or a period, as its record has it. It owns the shape; fees of
//! purchases stand in the effects of their own records.

use crate::{Amount, AsciiText, BalanceId, CardId, FeeEvent, PartnerId, Taken};

/// A fee was charged, or one was given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeeCharged {
    /// The account.
    pub balance: BalanceId,
    /// Its institution.
    pub partner: PartnerId,
    /// The card, where it is charged for one.
    pub card: Option<CardId>,
    /// For what.
    pub event: FeeEvent,
    /// How much; below zero where it is given back.
    pub amount: Amount,
    /// How.
    pub taken: Taken,
    /// The caller's reference.
    pub reference: AsciiText<40>,
}
