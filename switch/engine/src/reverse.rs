//! Decides a reversal, of all or of a part. It owns the rule that a reversal is always accepted:
//! afterwards no more of its original stands than it says, however often it comes.

use switch_domain::{
    AnsweredReversal, Authorization, AuthorizationId, Cause, Effects, Event, MinorUnits, Portion,
    Reason, Record, Reversed, Timestamp,
};

use crate::{Answer, Decision, Outcome, Reverse, State, movements};

pub(crate) fn decide(state: &State, request: &Reverse, now: Timestamp) -> Outcome {
    if let Some(before) = state.reversal_by(&request.key) {
        return Outcome { answer: Answer::Decided(again(before, request)), record: None };
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
        standing: standing(request),
        reason,
    });
    let record = Record {
        at: now,
        cause: Cause::Message(request.link),
        event,
        effects: original.map_or_else(Effects::default, |one| undo(state, one, request)),
    };
    let authorization = original.map(|original| original.id);
    let decision = Decision { authorization, ..Decision::plain(reason) };
    Outcome { answer: Answer::Decided(decision), record: Some(record) }
}

/// The answer to a reversal that came before. One that leaves another amount is another message
/// under its key.
fn again(before: &AnsweredReversal, request: &Reverse) -> Decision {
    if before.standing != standing(request) {
        return Decision::plain(Reason::DuplicateTransmission);
    }
    let decision = Decision::plain(before.reason);
    Decision { authorization: before.original, repeated: true, ..decision }
}

fn standing(request: &Reverse) -> MinorUnits {
    request.standing.map_or(MinorUnits::ZERO, |amount| amount.minor)
}

/// What is given back, at the rate of the original. An amount of another currency says nothing of
/// it: people have to look at that, and until then it stands.
fn undo(state: &State, original: &Authorization, request: &Reverse) -> Effects {
    let left = match request.standing {
        Some(amount) => original.in_account(amount),
        None => Some(MinorUnits::ZERO),
    };
    left.map_or_else(Effects::default, |left| {
        movements::give_back(state, original, Portion::standing(original.fee(), left))
    })
}
