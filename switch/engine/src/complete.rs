//! What a financial message completes or refunds: the authorization that it speaks of, what it
//! takes out of its hold, and whether it settles more than that was for. It owns which
//! authorization may be completed at all; what is done to money is in `movements`.

use switch_domain::{Authorization, Completed, Direction, MinorUnits, Portion};

use crate::Original;
use crate::checks::Case;
use crate::movements::less;

/// An earlier authorization that a financial message completes, and what that does to its hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Completion {
    pub(crate) completed: Completed,
    /// How much of its hold is set free.
    pub(crate) releases: MinorUnits,
    /// Whether nothing is held of it from then on.
    pub(crate) closes: bool,
    /// Whether more is settled of it with this than it was for and its merchant is allowed on top.
    pub(crate) exceeds: bool,
}

impl Completion {
    /// How much of its hold is set free where so much stands of what is settled: all that it sets
    /// free, where that is the whole of it. Where more is to come, the totals hold what is not
    /// settled yet.
    pub(crate) fn released(&self, standing: MinorUnits, whole: bool) -> MinorUnits {
        if self.closes || whole { self.releases } else { self.releases.min(standing) }
    }

    /// The authorization that a financial message completes, and what it takes out of its hold; or
    /// the purchase that it refunds. One of another currency is left alone: what its hold is worth
    /// in this one nobody has said. So is one that holds elsewhere: it ends when it has lived its
    /// life. Whoever names an increment means the purchase that it belongs to.
    pub(crate) fn of(case: &Case<'_>, original: &Original) -> Option<Self> {
        let found = case.state.completed_by(&original.reference, original.named)?;
        let found = case.state.first_of(found)?;
        let (currency, amount) = (case.amount.currency, case.comes_to());
        let here = (case.balance.map(|balance| balance.id), case.deposit);
        if found.currency != currency || (found.balance, found.pool) != here {
            return None;
        }
        let takes = case.direction() == Direction::Debit;
        let held = if takes { found.held() } else { MinorUnits::ZERO };
        let share = share(case, found);
        let part = share.unwrap_or(amount);
        let last = original.last || held <= part;
        let most = original.tolerance.most(authorized(found));
        let all = MinorUnits(found.totals.cleared.0.saturating_add(settled(case).0));
        // What was settled of it before was at other rates; so was what increments added.
        let above = match share {
            None => all > most,
            Some(share) => share > most && (found.totals.incremented.is_zero() || all > most),
        };
        Some(Self {
            completed: Completed { authorization: found.id, decided_at: found.decided_at },
            releases: if last { held } else { part.max(amount).min(held) },
            closes: takes && last,
            exceeds: takes && above,
        })
    }
}

/// What of a hold that was converted belongs to what is settled of it, at the rate of the hold: the
/// rate of the day moves no more of it, and is no fault of the merchant's. `None` where nothing was
/// converted, or it is of another currency.
fn share(case: &Case<'_>, found: &Authorization) -> Option<MinorUnits> {
    let (conversion, asked) = (found.conversion.as_ref()?, case.request.amount);
    let alike = conversion.transaction.currency == asked.currency;
    alike.then(|| Portion { approved: conversion.of_part(asked.minor), fee: case.fee() }.sum())
}

/// What a request asks for. Of an advice, what stands of it by a reversal that came before it: the
/// rest was never settled.
fn settled(case: &Case<'_>) -> MinorUnits {
    let is_advice = case.request.facts.key.class.is_advice();
    if is_advice { case.stands() } else { case.comes_to() }
}

/// What was authorized of a purchase and was not taken back, whether it is held, settled, or given
/// back because nothing was heard of it. Of a completion that was taken back nothing is left here.
fn authorized(found: &Authorization) -> MinorUnits {
    let totals = &found.totals;
    let up = MinorUnits(totals.authorized.0.saturating_add(totals.incremented.0));
    less(up, totals.reversed)
}
