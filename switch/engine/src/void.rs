//! Takes back an approval whose answer was never sent (W-20). It owns what a void leaves behind: no
//! hold, and a decline as the answer to the message from then on.

use switch_domain::{AuthorizationId, Cause, Event, Reason, Record, Timestamp, Voided};

use crate::{Answer, Decision, Outcome, State, reverse};

pub(crate) fn decide(
    state: &State,
    authorization: AuthorizationId,
    reason: Reason,
    now: Timestamp,
) -> Outcome {
    let decision = Decision { authorization: Some(authorization), ..Decision::plain(reason) };
    let record = state.authorization(authorization).map(|original| Record {
        at: now,
        cause: Cause::Switch,
        event: Event::Voided(Voided { authorization, reason }),
        effects: reverse::release(original),
    });
    Outcome { answer: Answer::Decided(decision), record }
}
