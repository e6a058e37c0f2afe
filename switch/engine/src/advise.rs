//! Decides an advice of what was decided in our stead, or of what an authorization came to: repeat,
//! original, hold or settlement. It owns which advices of approvals take effect and which go to
//! suspense. It never declines: what has happened cannot be undone by an answer, so that an account
//! may go below zero here, and the record says why that would not have been granted.

use switch_domain::{Authorization, AuthorizationId, MinorUnits, Reason, StandIn, Timestamp};

use crate::authorize::{Verdict, record};
use crate::checks::{self, Case};
use crate::complete::Completion;
use crate::{Advise, Answer, Decision, Headroom, Outcome, State};

pub(crate) fn decide(
    state: &State,
    advice: &Advise,
    headroom: &dyn Headroom,
    now: Timestamp,
) -> Outcome {
    let said = state.said_of(&advice.request.facts.key);
    if let Some(before) = said.same {
        return Outcome { answer: Answer::Decided(again(before, advice)), record: None };
    }
    let Some(id) = state.mint(AuthorizationId::mint) else {
        let decision = Decision::plain(Reason::SystemMalfunction);
        return Outcome { answer: Answer::Decided(decision), record: None };
    };
    let mut case = Case::new(state, &advice.request, headroom, now);
    if advice.approved && !said.twin.is_some_and(|ours| ours.reason.is_approval()) {
        let original = advice.original.as_ref();
        case.completes = original.and_then(|original| Completion::of(&case, original));
    }
    let stand_in = stand_in(&case, advice.approved, said.twin);
    let reason = Reason::AdviceAccepted;
    let verdict = Verdict {
        reason,
        stand_in: Some(stand_in),
        approval_code: advice.approval_code,
        approvals: case.card.map_or(0, |card| card.approvals),
    };
    let record = record(&case, id, verdict, now);
    let decision = Decision { authorization: Some(id), ..Decision::plain(reason) };
    Outcome { answer: Answer::Decided(decision), record: Some(record) }
}

/// The answer to an advice that came before. One of another amount, or of the other outcome, is
/// another message under its key.
fn again(before: &Authorization, advice: &Advise) -> Decision {
    let (amount, kind) = (advice.request.amount, advice.request.facts.kind);
    let approved = before.stand_in != Some(StandIn::Declined);
    if (before.asked(), before.facts.kind, approved) != (amount, kind, advice.approved) {
        return Decision::plain(Reason::DuplicateTransmission);
    }
    let decision = Decision::plain(before.reason);
    Decision { authorization: Some(before.id), repeated: true, ..decision }
}

/// What an advice comes to; `request` is what we made of the request itself, where that came.
fn stand_in(case: &Case<'_>, approved: bool, request: Option<&Authorization>) -> StandIn {
    if !approved {
        return StandIn::Declined;
    }
    if let Some(ours) = request.filter(|ours| ours.reason.is_approval()) {
        // For another amount nobody knows which of the two stands: ours holds, people decide.
        let same = ours.granted() == case.request.amount;
        let other = StandIn::Suspense(Reason::DuplicateTransmission);
        return if same { StandIn::Known } else { other };
    }
    if case.standing == Some(MinorUnits::ZERO) {
        return StandIn::Reversed;
    }
    if let Some(reason) = checks::cannot_be_held(case) {
        return StandIn::Suspense(reason);
    }
    // Whatever else is wrong, this is what people can claim back from the merchant.
    if case.completes.is_some_and(|hold| hold.exceeds) {
        return StandIn::Forced(Reason::ExceedsPreauthorizedAmount);
    }
    // What is held for it was approved when it was asked for; its fees may come to more.
    if case.completes.is_some() && case.needs().is_zero() {
        return checks::funds(case).map_or_else(StandIn::Forced, |()| StandIn::Agreed);
    }
    checks::first_failure(case).map_or(StandIn::Agreed, StandIn::Forced)
}
