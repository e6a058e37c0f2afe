//! Decides a full reversal. It owns the matching of an original and the rule that a reversal is
//! always accepted: it releases what its original still holds, once, or nothing.

use switch_domain::{
    Authorization, AuthorizationDelta, AuthorizationId, BalanceDelta, Cause, Effects, Event,
    MinorUnits, PoolDelta, Reason, Record, Reversed, Timestamp, Totals,
};

use crate::{Answer, Decision, Outcome, Reverse, State};

pub(crate) fn decide(state: &State, request: &Reverse, now: Timestamp) -> Outcome {
    if let Some(before) = state.reversal_by(&request.key) {
        let decision = Decision {
            authorization: before.original,
            repeated: true,
            ..Decision::plain(before.reason)
        };
        return Outcome { answer: Answer::Decided(decision), record: None };
    }
    let Some(id) = state.mint(AuthorizationId::mint) else {
        let decision = Decision::plain(Reason::SystemMalfunction);
        return Outcome { answer: Answer::Decided(decision), record: None };
    };
    let original = state.original_of(&request.reference);
    let reason = Reason::ReversalAccepted;
    let event = Event::Reversed(Reversed {
        id,
        key: request.key,
        reference: request.reference,
        original: original.map(|original| original.id),
        partner: original.and_then(|original| state.partner_of(original)),
        reason,
    });
    let record = Record {
        at: now,
        cause: Cause::Message(request.link),
        event,
        effects: original.map(release).unwrap_or_default(),
    };
    let decision = Decision {
        reason,
        approval_code: None,
        authorization: original.map(|original| original.id),
        repeated: false,
    };
    Outcome { answer: Answer::Decided(decision), record: Some(record) }
}

/// Everything that an authorization still holds, given back; nothing for one that holds nothing.
pub(crate) fn release(original: &Authorization) -> Effects {
    let held = original.held();
    let Some(back) = held.checked_neg().filter(|_| held.is_positive()) else {
        return Effects::default();
    };
    let totals = Totals { reversed: held, ..Totals::default() };
    Effects {
        authorization: Some(AuthorizationDelta {
            authorization: original.id,
            decided_at: original.decided_at,
            totals,
            closes: true,
        }),
        balance: original.balance.map(|balance| BalanceDelta {
            balance,
            ledger: MinorUnits::ZERO,
            held: back,
        }),
        pool: original.pool.map(|pool| PoolDelta { pool, level: MinorUnits::ZERO, held: back }),
        postings: Vec::new(),
    }
}
