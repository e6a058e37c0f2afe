//! Incremental authorizations: what one adds to the authorization before it, on top of its amount
//! or in place of it, and what the reversal of one takes back. It owns that a purchase has one
//! hold, that of its first authorization, whose totals have the whole: so that a completion, a
//! reversal and the end of its life find everything in one place. An increment that finds no open
//! authorization of its account stands for itself; it is no concern of this file then.

use switch_domain::{
    Authorization, AuthorizationDelta, AuthorizationId, BalanceDelta, Completed, Direction,
    Effects, MinorUnits, PoolDelta, Timestamp, Totals,
};

use crate::checks::Case;
use crate::movements::{less, negative};
use crate::{Increment, State, fees};

/// An open authorization that an increment adds to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addition {
    pub(crate) first: Completed,
    /// What is held of the purchase now; above zero.
    held: MinorUnits,
    /// What was authorized of it so far, where the amount takes its place.
    replaces: Option<MinorUnits>,
}

impl Addition {
    /// The purchase that an increment is of: one that is open, of the same account, deposit and
    /// currency. Only what takes money adds to a hold.
    pub(crate) fn of(case: &Case<'_>, increment: &Increment) -> Option<Self> {
        if case.direction() != Direction::Debit || case.request.facts.key.class.is_financial() {
            return None;
        }
        let found = case.state.completed_by(&increment.reference, increment.named)?;
        let first = case.state.first_of(found)?;
        let here = (case.balance.map(|balance| balance.id), case.deposit);
        let fits = first.currency == case.amount.currency
            && (first.balance, first.pool) == here
            && first.held().is_positive();
        fits.then(|| Self {
            first: Completed { authorization: first.id, decided_at: first.decided_at },
            held: first.held(),
            replaces: increment.replaces.then(|| authorized(&first.totals)),
        })
    }

    /// The same where it is known already what an increment was of, and that it came on top.
    pub(crate) fn onto(state: &State, first: Completed) -> Self {
        let purchase = state.authorization(first.authorization);
        Self { first, held: purchase.map_or(MinorUnits::ZERO, Authorization::held), replaces: None }
    }

    /// What is held more where this much is asked for.
    pub(crate) fn added(&self, amount: MinorUnits) -> MinorUnits {
        self.replaces.map_or(amount, |before| less(amount, before))
    }

    /// What is held less: only a smaller amount in place of a larger one gives anything back.
    pub(crate) fn freed(&self, amount: MinorUnits) -> MinorUnits {
        self.replaces.map_or(MinorUnits::ZERO, |before| less(before, amount).min(self.held))
    }
}

/// What was authorized of a purchase and not taken back, settled or not.
fn authorized(totals: &Totals) -> MinorUnits {
    let up = totals.authorized.0.saturating_add(totals.incremented.0);
    MinorUnits(up.saturating_sub(totals.reversed.0).max(0))
}

/// What an increment that was granted does: `standing` of it is held more, by the first; its own
/// totals say what it added, for its reversal.
pub(crate) fn hold_more(
    case: &Case<'_>,
    addition: &Addition,
    id: AuthorizationId,
    standing: MinorUnits,
    now: Timestamp,
) -> Effects {
    let (more, fewer) = (addition.added(standing), addition.freed(standing));
    // What was reversed before it came, of an amount that comes on top, shows in its totals.
    let asked = match addition.replaces {
        Some(_) => more,
        None => case.comes_to(),
    };
    let own = Totals { authorized: asked, reversed: less(asked, more), ..Totals::default() };
    let firsts = Totals { incremented: more, reversed: fewer, ..Totals::default() };
    let held = MinorUnits(more.0.saturating_sub(fewer.0));
    let level = MinorUnits::ZERO;
    let mut effects = Effects {
        authorization: Some(AuthorizationDelta {
            authorization: id,
            decided_at: now,
            totals: own,
            closes: true,
        }),
        completed: Some(Box::new(AuthorizationDelta {
            authorization: addition.first.authorization,
            decided_at: addition.first.decided_at,
            totals: firsts,
            closes: fewer == addition.held,
        })),
        balance: case.balance.map(|balance| BalanceDelta {
            balance: balance.id,
            ledger: level,
            held,
        }),
        pool: case.deposit.map(|pool| PoolDelta { pool, level, held }),
        ..Effects::default()
    };
    fees::add(&mut effects, fees::held_more(case, standing));
    effects
}

/// What the reversal or void of an increment takes back, so that `standing` of its amount is left:
/// no more than it added, and no more than the purchase still holds.
pub(crate) fn take_back(
    state: &State,
    increment: &Authorization,
    first: Completed,
    standing: MinorUnits,
) -> Effects {
    let Some(purchase) = state.authorization(first.authorization) else {
        return Effects::default();
    };
    let Totals { authorized, reversed, .. } = increment.totals;
    let above = less(less(increment.came_to(), reversed), standing);
    let held = purchase.held();
    let back = above.min(less(authorized, reversed)).min(held);
    if !back.is_positive() {
        return Effects::default();
    }
    let totals = Totals { reversed: back, ..Totals::default() };
    let delta = |one: &Authorization, closes| AuthorizationDelta {
        authorization: one.id,
        decided_at: one.decided_at,
        totals,
        closes,
    };
    let (level, released) = (MinorUnits::ZERO, negative(back));
    let mut effects = Effects {
        authorization: Some(delta(increment, true)),
        completed: Some(Box::new(delta(purchase, back == held))),
        balance: purchase.balance.map(|balance| BalanceDelta {
            balance,
            ledger: level,
            held: released,
        }),
        pool: purchase.pool.map(|pool| PoolDelta { pool, level, held: released }),
        ..Effects::default()
    };
    fees::add(&mut effects, fees::freed_of_first(state, purchase, less(held, back)));
    effects
}
