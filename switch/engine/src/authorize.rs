//! Decides an authorization or financial request: repeat, checks in their order, hold or
//! settlement. It owns what an approval is made of; what it does to money is in `movements`.

use switch_domain::{
    Amount, ApprovalCode, Authorization, AuthorizationId, Authorized, Cause, Effects, Event,
    MinorUnits, Reason, Record, StandIn, Timestamp, TransactionType,
};

use crate::checks::{self, Case};
use crate::outcome::AccountAmounts;
use crate::{
    Answer, Authorize, Decision, Headroom, Outcome, PartOf, State, controls, increment, movements,
    partial, verification,
};

pub(crate) fn decide(
    state: &State,
    request: &Authorize,
    headroom: &dyn Headroom,
    now: Timestamp,
) -> Outcome {
    let said = state.said_of(&request.facts.key);
    if let Some(before) = said.same {
        return Outcome { answer: Answer::Decided(again(state, before, request)), record: None };
    }
    let Some(id) = state.mint(AuthorizationId::mint) else {
        let decision = Decision::plain(Reason::SystemMalfunction);
        return Outcome { answer: Answer::Decided(decision), record: None };
    };
    let mut case = Case::new(state, request, headroom, now);
    let reason = match said.twin {
        // Its advice overtook it: it was decided in our stead, and must not hold a second time.
        Some(_) => Reason::DuplicateTransmission,
        None => checks::first_failure(&case)
            .map_or(Reason::Approved, |reason| partial::instead_of(&mut case, reason)),
    };
    let before = case.card.map_or(0, |card| card.approvals);
    let approved = reason.is_approval();
    let approvals = if approved { before.saturating_add(1) } else { before };
    let approval_code = case.card.filter(|_| approved).map(|card| {
        ApprovalCode::for_approval(approvals, u64::try_from(card.id.0).unwrap_or_default())
    });
    let verdict = Verdict { reason, stand_in: None, approval_code, approvals };
    let record = record(&case, id, verdict, now);
    let amounts = amounts(state, request, reason);
    let authorization = Some(id);
    let part = part(request, reason, case.part);
    let reason = told(&record).unwrap_or(reason);
    let decision =
        Decision { reason, approval_code, authorization, repeated: false, amounts, part };
    Outcome { answer: Answer::Decided(decision), record: Some(record) }
}

/// The answer to a message that came before. Under the same key, but for another amount, it is not
/// that message: nobody knows which of the two the peer means, so neither is granted again.
fn again(state: &State, before: &Authorization, request: &Authorize) -> Decision {
    if (before.asked(), before.facts.kind) != (request.amount, request.facts.kind) {
        return Decision::plain(Reason::DuplicateTransmission);
    }
    Decision {
        reason: before.answered.unwrap_or(before.reason),
        approval_code: before.approval_code,
        authorization: Some(before.id),
        repeated: true,
        amounts: amounts(state, request, before.reason),
        part: part(request, before.reason, Some(before.approved())),
    }
}

/// What is answered in place of the reason, where that is not told.
const fn told(record: &Record) -> Option<Reason> {
    match &record.event {
        Event::Authorized(made) => made.answered,
        _ => None,
    }
}

/// What the answer to a purchase that was granted in part says of that.
fn part(request: &Authorize, reason: Reason, approved: Option<MinorUnits>) -> Option<PartOf> {
    let minor = approved.filter(|_| reason == Reason::ApprovedPartially)?;
    let asked = request.amount;
    Some(PartOf { approved: Amount { minor, ..asked }, asked })
}

/// What a balance inquiry that was granted is told: what the account has now, also when it asks
/// again.
fn amounts(state: &State, request: &Authorize, reason: Reason) -> Option<AccountAmounts> {
    let wanted = request.facts.kind == TransactionType::BalanceInquiry && reason.is_approval();
    let card = request.card.filter(|_| wanted).and_then(|id| state.card(id))?;
    let balance = state.balance(card.balance)?;
    let (ledger, available) = (balance.ledger, balance.available());
    Some(AccountAmounts { ledger, available, currency: balance.currency })
}

/// What was made of a request or an advice.
pub(crate) struct Verdict {
    pub(crate) reason: Reason,
    pub(crate) stand_in: Option<StandIn>,
    pub(crate) approval_code: Option<ApprovalCode>,
    /// The card's count of approvals after this one.
    pub(crate) approvals: u32,
}

/// The record of a verdict, with what it does to money.
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
        requested: case.amount,
        portion: None,
        reason,
        approval_code,
        stand_in,
        completes: None,
        findings: controls::findings(case, reason, stand_in),
        trace: checks::trace(case, reason, stand_in),
        evidence: verification::recorded(case),
        answered: verification::answered(case, reason),
        conversion: case.conversion.clone(),
        approvals,
        reversed_before: reason == Reason::OriginalReversed || stand_in == Some(StandIn::Reversed),
    };
    // What was reversed before it came does not stand; all of it is no approval.
    let standing = case.stands();
    let mut effects = Effects::default();
    if authorized.holds() || authorized.settles() {
        authorized.portion = partial::portion(case);
    }
    if authorized.holds() {
        authorized.pool = case.deposit;
        effects = match &case.adds {
            Some(addition) => {
                authorized.completes = Some(addition.first);
                increment::hold_more(case, addition, id, standing, now)
            }
            None => Effects {
                usage: controls::begin(case, standing),
                ..movements::hold(case, id, standing, now)
            },
        };
    } else if authorized.settles() {
        authorized.pool = case.deposit;
        authorized.completes = case.completes.map(|hold| hold.completed);
        effects = movements::settle(case, id, standing, now);
        if authorized.completes.is_none() {
            effects.usage = controls::begin(case, standing);
        }
    }
    effects.counters = verification::counted(case, reason);
    Record {
        at: now,
        cause: Cause::Message(request.link),
        event: Event::Authorized(authorized),
        effects,
    }
}
