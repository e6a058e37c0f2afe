//! Takes back an approval whose answer was never sent (W-20). It owns what a void leaves behind: no
//! hold, and a decline as the answer to the message from then on. It never replaces a decline, nor
//! what another void left: that answer may have been sent by now. It never takes back what the peer
//! has advised us of since: that was approved in our stead, and this is its hold.

use switch_domain::{
    Authorization, AuthorizationDelta, AuthorizationId, Cause, Effects, Event, MinorUnits, Reason,
    Record, StandIn, Timestamp, Totals, Voided,
};

use crate::{Answer, Decision, Outcome, State, movements};

pub(crate) fn decide(
    state: &State,
    authorization: AuthorizationId,
    reason: Reason,
    now: Timestamp,
) -> Outcome {
    let original = state.authorization(authorization);
    let answered = original.map(|original| original.reason).filter(|stored| !stored.is_approval());
    let decision = Decision {
        authorization: Some(authorization),
        ..Decision::plain(answered.unwrap_or(reason))
    };
    let approval = original
        .filter(|original| original.reason.is_approval() && !was_advised_of(state, original));
    let record = approval.map(|original| Record {
        at: now,
        cause: Cause::Switch,
        event: Event::Voided(Voided { authorization, reason }),
        effects: give_back(state, original),
    });
    Outcome { answer: Answer::Decided(decision), record }
}

/// Its row is found by what the record says of it, also where nothing was held or moved: the answer
/// has changed all the same.
fn give_back(state: &State, original: &Authorization) -> Effects {
    let mut effects = movements::give_back(state, original, MinorUnits::ZERO);
    effects.authorization.get_or_insert_with(|| AuthorizationDelta {
        authorization: original.id,
        decided_at: original.decided_at,
        totals: Totals::default(),
        closes: true,
    });
    effects
}

fn was_advised_of(state: &State, original: &Authorization) -> bool {
    let advice = state.said_of(&original.facts.key).twin;
    advice.is_some_and(|advice| advice.stand_in == Some(StandIn::Known))
}
