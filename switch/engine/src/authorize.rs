//! Decides an authorization request: repeat, checks in their order, hold. It owns what an approval
//! takes: user funds and, for a deposit programme, the partner's deposit, both or neither.

use switch_domain::{
    ApprovalCode, Authorization, AuthorizationDelta, AuthorizationId, Authorized, BalanceDelta,
    Cause, Effects, Event, MinorUnits, PoolDelta, Reason, Record, Timestamp, Totals,
};

use crate::checks::{self, Case};
use crate::{Answer, Authorize, Decision, Headroom, Outcome, State};

pub(crate) fn decide(
    state: &State,
    request: &Authorize,
    headroom: &dyn Headroom,
    now: Timestamp,
) -> Outcome {
    if let Some(before) = state.authorization_by(&request.facts.key) {
        return Outcome { answer: Answer::Decided(again(before, request)), record: None };
    }
    let Some(id) = state.mint(AuthorizationId::mint) else {
        let decision = Decision::plain(Reason::SystemMalfunction);
        return Outcome { answer: Answer::Decided(decision), record: None };
    };
    let case = Case::new(state, request, headroom, now);
    let reason = match checks::first_failure(&case) {
        Some(reason) => reason,
        None => Reason::Approved,
    };
    let record = record(&case, id, reason, now);
    let Event::Authorized(authorized) = &record.event else {
        return Outcome {
            answer: Answer::Decided(Decision::plain(Reason::SystemMalfunction)),
            record: None,
        };
    };
    let decision = Decision {
        reason,
        approval_code: authorized.approval_code,
        authorization: Some(id),
        repeated: false,
    };
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

fn record(case: &Case<'_>, id: AuthorizationId, reason: Reason, now: Timestamp) -> Record {
    let request = case.request;
    let approved = reason.is_approval();
    let before = case.card.map_or(0, |card| card.approvals);
    let approvals = if approved { before.saturating_add(1) } else { before };
    let code = case.card.filter(|_| approved).map(|card| {
        ApprovalCode::for_approval(approvals, u64::try_from(card.id.0).unwrap_or_default())
    });
    let pool = case.deposit.filter(|_| approved);
    let authorized = Authorized {
        id,
        facts: request.facts,
        card: case.card.map(|card| card.id),
        balance: case.balance.map(|balance| balance.id),
        partner: case.programme.map(|programme| programme.partner),
        pool,
        requested: request.amount,
        reason,
        approval_code: code,
        approvals,
        reversed_before: reason == Reason::OriginalReversed,
    };
    let effects = if approved { hold(case, id, pool, now) } else { Effects::default() };
    Record {
        at: now,
        cause: Cause::Message(request.link),
        event: Event::Authorized(authorized),
        effects,
    }
}

fn hold(
    case: &Case<'_>,
    id: AuthorizationId,
    pool: Option<switch_domain::PoolId>,
    now: Timestamp,
) -> Effects {
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
        pool: pool.map(|pool| PoolDelta { pool, level: MinorUnits::ZERO, held: amount }),
        postings: Vec::new(),
    }
}
