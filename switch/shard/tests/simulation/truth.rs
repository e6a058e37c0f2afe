//! What the journal says of one authorization, account or pool, summed up record by record. It owns
//! the arithmetic of totals, written apart from the engine's.

use switch_domain::{
    ApprovalCode, AuthorizationDelta, AuthorizationId, Authorized, BalanceId, Direction, FeeTotals,
    MessageKey, PoolId, Reason, StandIn, Timestamp, Totals,
};

/// An authorization by its records.
#[derive(Clone, Debug)]
pub(crate) struct Truth {
    pub(crate) key: MessageKey,
    pub(crate) requested: i64,
    pub(crate) reason: Reason,
    pub(crate) code: Option<ApprovalCode>,
    pub(crate) totals: Totals,
    pub(crate) decided_at: Timestamp,
    pub(crate) balance: Option<BalanceId>,
    pub(crate) pool: Option<PoolId>,
    /// What it completes, refunds or adds to.
    pub(crate) belongs_to: Option<AuthorizationId>,
    pub(crate) closed: bool,
    /// Held and charged for its fees.
    pub(crate) fees: [i64; 2],
}

impl Truth {
    /// What it holds.
    pub(crate) const fn held(&self) -> i64 {
        let Totals { authorized, incremented, reversed, cleared, .. } = self.totals;
        let open = authorized.0 + incremented.0 - reversed.0 - cleared.0;
        if self.closed || open < 0 { 0 } else { open }
    }

    /// Takes in what a record adds to its totals: by how much it holds more.
    pub(crate) fn add(&mut self, delta: &AuthorizationDelta) -> Result<i64, String> {
        let before = self.held();
        let Totals { authorized, incremented, reversed, cleared, refunded } = delta.totals;
        let totals = &mut self.totals;
        for (total, added) in [
            (&mut totals.authorized, authorized),
            (&mut totals.incremented, incremented),
            (&mut totals.reversed, reversed),
            (&mut totals.cleared, cleared),
            (&mut totals.refunded, refunded),
        ] {
            total.0 += added.0;
            if total.0 < 0 {
                return Err(format!("a total of {} fell below zero (I7)", delta.authorization));
            }
        }
        self.closed |= delta.closes;
        Ok(self.held() - before)
    }

    /// Takes in what a record adds to its fees: by how much more is held for them. Nothing is held
    /// for what holds nothing.
    pub(crate) fn add_fees(&mut self, delta: FeeTotals) -> Result<i64, String> {
        self.fees[0] += delta.held.0;
        self.fees[1] += delta.charged.0;
        let [held, charged] = self.fees;
        if held < 0 || charged < 0 {
            return Err(format!("fees fell below zero: {self:?} (I7)"));
        }
        Ok(delta.held.0)
    }
}

/// Ledger and held amount of an account or pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amounts {
    pub(crate) ledger: i64,
    pub(crate) held: i64,
}

impl Amounts {
    pub(crate) const fn available(self) -> i64 {
        self.ledger - self.held
    }
}

/// What came of a message, where that is more than an answer.
pub(crate) fn became(one: &Authorized) -> Option<&'static str> {
    let financial = one.facts.key.class.is_financial();
    match (one.completes, one.stand_in) {
        (Some(_), _) if !financial => Some("holds added to"),
        (Some(_), _) if one.facts.kind.direction() == Direction::Credit => Some("refunded"),
        (Some(_), _) => Some("completed"),
        (None, Some(StandIn::Forced(_))) => Some("advices forced"),
        (None, Some(StandIn::Known)) => Some("advices of what was known"),
        (None, Some(StandIn::Reversed)) => Some("advices reversed before"),
        (None, Some(StandIn::Declined)) => Some("advices of declines"),
        _ => None,
    }
}
