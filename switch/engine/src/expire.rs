//! Decides the end of a hold that lived its life. It owns that what is held is given back once, and
//! that the answer to the message stays what it was: the totals do not change, so that they tell
//! what was never cleared. Whether it is time is for who asks to know.

use switch_domain::{
    Authorization, AuthorizationDelta, Cause, Effects, Event, Expired, Hold, MinorUnits, Record,
    Timestamp, Totals,
};

use crate::{Answer, HoldEnd, Outcome, State, movements};

pub(crate) fn decide(state: &State, hold: &Hold, now: Timestamp) -> Outcome {
    let authorization = hold.authorization;
    let Some(original) = state.authorization(authorization) else {
        return Outcome { answer: Answer::HoldEnded(HoldEnd::NotThere), record: None };
    };
    let held = original.held();
    if !held.is_positive() {
        return Outcome { answer: Answer::HoldEnded(HoldEnd::HeldNothing), record: None };
    }
    if original.totals.incremented != hold.incremented {
        return Outcome { answer: Answer::HoldEnded(HoldEnd::BegunAgain), record: None };
    }
    let partner = state.partner_of(original);
    let record = Record {
        at: now,
        cause: Cause::Switch,
        event: Event::Expired(Expired { authorization, partner }),
        effects: give_back(state, original),
    };
    Outcome { answer: Answer::HoldEnded(HoldEnd::GivenBack(held)), record: Some(record) }
}

/// What a reversal of all that is held would give back, without being one.
pub(crate) fn give_back(state: &State, original: &Authorization) -> Effects {
    let released = movements::give_back(state, original, MinorUnits::ZERO);
    let closed = |delta| AuthorizationDelta { totals: Totals::default(), ..delta };
    Effects { authorization: released.authorization.map(closed), ..released }
}
