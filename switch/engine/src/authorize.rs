//! Decides an authorization request: repeat, checks in their order, hold. It owns what an approval
//! takes: user funds and, for a deposit programme, the partner's deposit, both or neither.

use switch_domain::{
    ApprovalCode, Authorization, AuthorizationDelta, AuthorizationId, Authorized, BalanceDelta,
    Cause, Effects, Event, MinorUnits, PoolDelta, Reason, Record, StandIn, Timestamp, Totals,
};

use crate::checks::{self, Case};
use crate::{Answer, Authorize, Decision, Headroom, Outcome, State};

pub(crate) fn decide(
    state: &State,
    request: &Authorize,
    headroom: &dyn Headroom,
    now: Timestamp,
) -> Outcome {
    let said = state.said_of(&request.facts.key);
    if let Some(before) = said.same {
        return Outcome { answer: Answer::Decided(again(before, request)), record: None };
    }
    let Some(id) = state.mint(AuthorizationId::mint) else {
        let decision = Decision::plain(Reason::SystemMalfunction);
        return Outcome { answer: Answer::Decided(decision), record: None };
    };
    let case = Case::new(state, request, headroom, now);
    let reason = match said.twin {
        // Its advice overtook it: it was decided in our stead, and must not hold a second time.
        Some(_) => Reason::DuplicateTransmission,
        None => checks::first_failure(&case).unwrap_or(Reason::Approved),
    };
    let before = case.card.map_or(0, |card| card.approvals);
    let approved = reason.is_approval();
    let approvals = if approved { before.saturating_add(1) } else { before };
    let approval_code = case.card.filter(|_| approved).map(|card| {
        ApprovalCode::for_approval(approvals, u64::try_from(card.id.0).unwrap_or_default())
    });
    let verdict = Verdict { reason, stand_in: None, approval_code, approvals };
    let record = record(&case, id, verdict, now);
    let decision = Decision { reason, approval_code, authorization: Some(id), repeated: false };
    Outcome { answer: Answer::Decided(decision), record: Some(record) }
}

/// The answer to a message that came before. Under the same key, but for another amount, it is not
/// that message: nobody knows which of the two the peer means, so neither is granted again.
fn again(before: &Authorization, request: &Authorize) -> Decision {
    if (before.requested, before.currency) != (request.amount.minor, request.amount.currency) {
        return Decision::plain(Reason::DuplicateTransmission);
    }
    Decision {
        reason: before.reason,
        approval_code: before.approval_code,
        authorization: Some(before.id),
        repeated: true,
    }
}

/// What was made of a request or an advice.
pub(crate) struct Verdict {
    pub(crate) reason: Reason,
    pub(crate) stand_in: Option<StandIn>,
    pub(crate) approval_code: Option<ApprovalCode>,
    /// The card's count of approvals after this one.
    pub(crate) approvals: u32,
}

/// The record of a verdict, with the hold that it makes.
pub(crate) fn record(
    case: &Case<'_>,
    id: AuthorizationId,
    verdict: Verdict,
    now: Timestamp,
) -> Record {
    let request = case.request;
    let Verdict { reason, stand_in, approval_code, approvals } = verdict;
    let mut authorized = Authorized {
        id,
        facts: request.facts,
        card: case.card.map(|card| card.id),
        balance: case.balance.map(|balance| balance.id),
        partner: case.programme.map(|programme| programme.partner),
        pool: None,
        requested: request.amount,
        reason,
        approval_code,
        stand_in,
        approvals,
        reversed_before: reason == Reason::OriginalReversed || stand_in == Some(StandIn::Reversed),
    };
    let mut effects = Effects::default();
    if authorized.holds() {
        authorized.pool = case.deposit;
        effects = hold(case, id, now);
    }
    Record {
        at: now,
        cause: Cause::Message(request.link),
        event: Event::Authorized(authorized),
        effects,
    }
}

fn hold(case: &Case<'_>, id: AuthorizationId, now: Timestamp) -> Effects {
    let amount = case.request.amount.minor;
    let totals = Totals { authorized: amount, ..Totals::default() };
    Effects {
        authorization: Some(AuthorizationDelta {
            authorization: id,
            decided_at: now,
            totals,
            closes: false,
        }),
        balance: case.balance.map(|balance| BalanceDelta {
            balance: balance.id,
            ledger: MinorUnits::ZERO,
            held: amount,
        }),
        pool: case.deposit.map(|pool| PoolDelta { pool, level: MinorUnits::ZERO, held: amount }),
        postings: Vec::new(),
    }
}
