//! Finds what a reversal, a completion or an increment speaks of, the request of an advice, and
//! whether an authorization was spoken of before it came. It owns how much weight the optional
//! fields have: they choose among several and rule out only together. The network's own identifier
//! is asked only where all other fields lead to nothing; then it is enough, with card and acquirer.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use switch_domain::{
    Acquirer, AnsweredReversal, Authorization, AuthorizationId, LinkId, MessageClass, MessageFacts,
    MessageKey, MinorUnits, OriginalClass, OriginalKey, OriginalReference, Reason, StandIn, Totals,
};

use super::State;
use super::messages::{Early, Kept, traced};

/// Whether DE37 and DE7 are the same, each `None` where one side does not have it.
fn agreement(reference: &OriginalReference, facts: &MessageFacts) -> (Option<bool>, Option<bool>) {
    let rrn = (!reference.rrn.is_empty() && !facts.key.rrn.is_empty())
        .then_some(reference.rrn == facts.key.rrn);
    let transmitted = (reference.transmitted != 0 && facts.transmitted != 0)
        .then_some(reference.transmitted == facts.transmitted);
    (rrn, transmitted)
}

/// How well a reference fits a message whose key fields are equal already: `None` when both of the
/// optional fields are there and both differ, for then it is another transaction of that terminal
/// whose STAN came round again.
fn fit(reference: &OriginalReference, facts: &MessageFacts) -> Option<u8> {
    match agreement(reference, facts) {
        (Some(false), Some(false)) => None,
        (rrn, transmitted) => Some(
            u8::from(rrn == Some(true)).saturating_mul(2) | u8::from(transmitted == Some(true)),
        ),
    }
}

/// Whether a reference can be to this message at all: the fields that must be equal are.
fn names(reference: &OriginalReference, facts: &MessageFacts) -> bool {
    facts.key.as_original() == reference.key
        && (reference.class.is_none() || reference.class == facts.key.class.as_original())
}

/// Whether the network says that a reference is to the transaction of this message. A link speaks
/// of no other acquirer's: it may be bound to its own. A clearing file names none.
fn is_traced(reference: &OriginalReference, facts: &MessageFacts) -> bool {
    let OriginalKey { acquirer, card, .. } = reference.key;
    let of_anyone = acquirer == Acquirer::Link(LinkId::CLEARING);
    !reference.network_trace.is_none()
        && reference.network_trace == facts.network_trace
        && card == facts.key.card
        && (of_anyone || acquirer == facts.key.acquirer)
        && (reference.class.is_none() || reference.class == facts.key.class.as_original())
}

/// How much a reversal that came early speaks of a message: by its fields, the better they fit, the
/// more; by its network trace alone, the least; `None` where it speaks of another. What has been
/// settled stands unless that class is named: a transaction may be settled after its authorization
/// was reversed, and all its messages have one trace.
fn weight(reference: &OriginalReference, facts: &MessageFacts) -> Option<u8> {
    let by_fields = names(reference, facts).then(|| fit(reference, facts)).flatten();
    let by_fields = by_fields.map(|fit| fit.saturating_add(1));
    let stands = reference.class.is_none() && facts.key.class == MessageClass::FinancialAdvice;
    by_fields.or_else(|| (!stands && is_traced(reference, facts)).then_some(BY_TRACE))
}

const BY_TRACE: u8 = 0;

/// Whether every optional field that the reference has speaks for a message: an older one could fit
/// no better.
fn fits_fully(reference: &OriginalReference, facts: &MessageFacts) -> bool {
    let (rrn, transmitted) = agreement(reference, facts);
    (reference.rrn.is_empty() || rrn == Some(true))
        && (reference.transmitted == 0 || transmitted == Some(true))
}

/// What memory has of a message.
#[derive(Clone, Copy, Default)]
pub(crate) struct Said<'a> {
    /// The authorization that it made when it came before.
    pub(crate) same: Option<&'a Authorization>,
    /// That of its advice or, of an advice, that of its request.
    pub(crate) twin: Option<&'a Authorization>,
}

/// Whether a reversal that came early speaks of such a message: one that found a request which had
/// been declined can mean its advice alone.
const fn may_mean(early: &Early, facts: &MessageFacts) -> bool {
    !early.of_declined || facts.key.class.is_advice()
}

impl State {
    /// What a request or an advice with this key made when it came before, and its twin: the latest
    /// of each, where one was forgotten and came again.
    pub(crate) fn said_of(&self, key: &MessageKey) -> Said<'_> {
        let (mut said, twin) = (Said::default(), key.twin());
        for kept in self.messages.of_origin(key.as_original().origin()) {
            let Kept::Authorization(one) = kept else { continue };
            if one.facts.key == *key {
                said.same = said.same.or(Some(one));
            } else if Some(one.facts.key) == twin {
                said.twin = said.twin.or(Some(one));
            }
        }
        said
    }

    /// The authorization that a reversal speaks of: the best fit, the latest among equals.
    pub(crate) fn original_of(&self, reference: &OriginalReference) -> Option<&Authorization> {
        let found = self.original_by_key(reference);
        found.or_else(|| self.by_trace(reference, |_| true)).map(|original| self.holder(original))
    }

    fn original_by_key(&self, reference: &OriginalReference) -> Option<&Authorization> {
        let candidates = self.messages.of_origin(reference.key.origin());
        candidates
            .filter_map(|kept| match kept {
                Kept::Authorization(original) => Some(original),
                Kept::Reversal(_) => None,
            })
            .filter(|original| names(reference, &original.facts))
            .filter_map(|original| Some((fit(reference, &original.facts)?, original)))
            .max_by_key(|(fit, original)| (*fit, original.id))
            .map(|(_, original)| original)
    }

    /// Of the messages that the network says are of one transaction the one that is meant: the one
    /// that holds, else one that had effect, else any; of several the first, which holds for all.
    /// So a reversal means no settlement of what was authorized before, unless it names its class.
    fn by_trace(
        &self,
        reference: &OriginalReference,
        may_be: impl Fn(&Authorization) -> bool,
    ) -> Option<&Authorization> {
        let candidates = self.messages.of_trace(reference.key.card, reference.network_trace);
        Self::meant_of_trace(candidates.filter(|one| may_be(one)), reference)
    }

    fn meant_of_trace<'a>(
        candidates: impl Iterator<Item = &'a Authorization>,
        reference: &OriginalReference,
    ) -> Option<&'a Authorization> {
        candidates
            .filter(|one| is_traced(reference, &one.facts))
            .max_by_key(|one| (one.held().is_positive(), had_effect(one), Reverse(one.id)))
    }

    /// The key of what a reversal's network trace leads to among what was decided here: no table
    /// need have that yet. What was looked up is in the tables, and so is what it leads to.
    pub(super) fn traced_original(&self, reference: &OriginalReference) -> Option<OriginalKey> {
        let own = self.messages.decided_of_trace(reference.key.card, reference.network_trace);
        Self::meant_of_trace(own, reference).map(|one| one.facts.key.as_original())
    }

    /// The authorization that a financial message or an increment speaks of: one that was granted,
    /// the best fit, the latest among equals. It may be an increment itself.
    pub(crate) fn completed_by(
        &self,
        reference: &OriginalReference,
        named: bool,
    ) -> Option<&Authorization> {
        self.completed_by_key(reference, named)
            .or_else(|| self.by_trace(reference, |one| is_authorization(one) && was_granted(one)))
    }

    fn completed_by_key(
        &self,
        reference: &OriginalReference,
        named: bool,
    ) -> Option<&Authorization> {
        let candidates = self.messages.of_origin(reference.key.origin());
        candidates
            .filter_map(|kept| match kept {
                Kept::Authorization(one) => Some(one),
                Kept::Reversal(_) => None,
            })
            .filter(|one| is_authorization(one) && was_granted(one))
            .filter(|one| names(reference, &one.facts))
            .filter(|one| named || agreement(reference, &one.facts).0 == Some(true))
            .filter_map(|one| Some((fit(reference, &one.facts)?, one)))
            .max_by_key(|(fit, one)| (*fit, one.id))
            .map(|(_, one)| one)
    }

    /// The authorization that holds for a purchase: that which an increment adds to, or one that
    /// is none itself. `None` where memory has let it go.
    pub(crate) fn first_of<'a>(&'a self, found: &'a Authorization) -> Option<&'a Authorization> {
        match found.adds_to() {
            Some(first) => self.messages.get(first.authorization),
            None => Some(found),
        }
    }

    /// Whether what a reference is to, as far as memory has it, can be judged and changed by what
    /// is here: what it completes, refunds or adds to is here, too.
    pub(super) fn has_first_of(&self, found: Option<&Authorization>) -> bool {
        let first = found.and_then(|one| one.completes);
        first.is_none_or(|first| self.messages.get(first.authorization).is_some())
    }

    /// Whether an increment, or what completes, finds what it speaks of without the tables: no
    /// older one fits better. One that only the network trace leads to is none: the tables may have
    /// what the fields name.
    pub(super) fn is_certain_original(&self, reference: &OriginalReference, named: bool) -> bool {
        let found = self.completed_by_key(reference, named);
        found.is_some_and(|one| fits_fully(reference, &one.facts)) && self.has_first_of(found)
    }

    /// Of a request and its advice the one that has effect: whoever reverses either means that.
    fn holder<'a>(&'a self, found: &'a Authorization) -> &'a Authorization {
        if has_effect(found) {
            return found;
        }
        match self.said_of(&found.facts.key).twin {
            Some(twin) if has_effect(twin) || is_known(found) => twin,
            _ => found,
        }
    }

    /// Whether nothing speaks for there being another that a reversal means, among those that were
    /// let go: what fits fully is the latest such, unless it is one of two and has no effect; and
    /// unless the network trace alone leads to it.
    pub(super) fn is_certain(&self, reference: &OriginalReference) -> bool {
        let found = self.original_by_key(reference).map(|original| self.holder(original));
        found.is_some_and(|one| {
            let refused_as_twin = one.reason == Reason::DuplicateTransmission;
            let hides_twin = one.class().is_advice() && !has_effect(one);
            fits_fully(reference, &one.facts) && !hides_twin && !refused_as_twin
        }) && self.has_first_of(found)
    }

    /// What stands of this message by a reversal that came before it: zero where all of it was
    /// reversed, the least where several came; `None` where none did.
    pub(crate) fn standing_before(&self, facts: &MessageFacts) -> Option<MinorUnits> {
        let early = self.early_of(facts).map(|(weight, one)| (weight == BY_TRACE, one.standing));
        early.min().map(|(_, standing)| standing)
    }

    /// The reversals that came before a message and may mean it, each once, with their weight.
    fn early_of<'a>(
        &'a self,
        facts: &'a MessageFacts,
    ) -> impl Iterator<Item = (u8, &'a Early)> + 'a {
        let origin = facts.key.as_original().origin();
        let traced = traced(facts.key.card, facts.network_trace);
        let by_trace = traced.into_iter().flat_map(move |number| self.messages.early(number));
        let by_trace = by_trace.filter(move |one| one.reference.key.origin() != origin);
        let all = self.messages.early(origin).chain(by_trace);
        all.filter(move |one| may_mean(one, facts))
            .filter_map(move |one| Some((weight(&one.reference, facts)?, one)))
    }

    /// Whether a reversal found a request that had never been granted: what it means may yet come,
    /// as an advice of what was approved in our stead.
    pub(super) fn found_declined(&self, reversal: &AnsweredReversal) -> bool {
        let original = reversal.original.and_then(|id| self.messages.get(id));
        original.is_some_and(|one| one.stand_in.is_none() && !one.reason.is_approval())
    }

    /// Of early reversals that were looked up, those whose original has not come since. Whatever
    /// authorizations there are that they may mean are here by now: remembered, or looked up too.
    pub(super) fn not_used_up(
        &self,
        early: Vec<AnsweredReversal>,
    ) -> Vec<(AnsweredReversal, bool)> {
        let came = self.came_of(&early);
        let waiting = early.into_iter().filter_map(|reversal| match reversal.original {
            None => Some((reversal, false)),
            Some(_) => self.found_declined(&reversal).then_some((reversal, true)),
        });
        let mut early: Vec<(AnsweredReversal, bool)> = waiting.collect();
        for one in came.into_values() {
            let speaks = |(reversal, of_declined): &(AnsweredReversal, bool)| {
                let comes_later = reversal.id < one.id;
                let may_mean = !of_declined || one.facts.key.class.is_advice();
                weight(&reversal.reference, &one.facts).filter(|_| comes_later && may_mean)
            };
            let Some(best) = early.iter().filter_map(speaks).max() else { continue };
            if one.facts.key.class.is_advice() {
                early.retain(|reversal| speaks(reversal) != Some(best));
            } else {
                let done = early.iter_mut().filter(|reversal| speaks(reversal) == Some(best));
                done.for_each(|(_, of_declined)| *of_declined = true);
            }
        }
        early
    }

    /// The authorizations that are here of those that reversals may mean, oldest first.
    fn came_of(&self, early: &[AnsweredReversal]) -> BTreeMap<AuthorizationId, &Authorization> {
        let mut came = BTreeMap::new();
        for AnsweredReversal { reference, .. } in early {
            let of_origin = self.messages.of_origin(reference.key.origin());
            let of_origin = of_origin.filter_map(|kept| match kept {
                Kept::Authorization(authorization) => Some(authorization),
                Kept::Reversal(_) => None,
            });
            let traced = self.messages.of_trace(reference.key.card, reference.network_trace);
            came.extend(of_origin.chain(traced).map(|one| (one.id, one)));
        }
        came
    }

    /// The message has come: the early reversals that speak of it have done their work, and must
    /// not stop a later purchase with the same STAN. Of several that fit, those that fit best. Of a
    /// request they are kept for its advice: it may have been approved in our stead all the same.
    pub(super) fn use_up_early(&mut self, facts: &MessageFacts) {
        let Some(best) = self.early_of(facts).map(|(weight, _)| weight).max() else { return };
        let used = self.early_of(facts).filter(|(weight, _)| *weight == best);
        let used: Vec<Early> = used.map(|(_, one)| *one).collect();
        for one in used {
            if facts.key.class.is_advice() {
                self.messages.drop_early(one.id, &one.reference);
            } else {
                self.messages.wait_for_advice(&one);
            }
        }
    }

    /// Notes a reversal whose original has not come, or may have an advice to come.
    pub(super) fn note_early(&mut self, reversal: &AnsweredReversal) {
        let of_declined = self.found_declined(reversal);
        if of_declined || reversal.original.is_none() {
            self.messages.add_early(Early::of(reversal, of_declined));
        }
    }
}

/// Whether it was granted as an authorization; an increment that lowered its purchase's amount
/// authorized nothing itself.
fn was_granted(one: &Authorization) -> bool {
    one.totals.authorized.is_positive() || one.adds_to().is_some()
}

fn is_authorization(one: &Authorization) -> bool {
    one.class().as_original() == Some(OriginalClass::Authorization)
}

/// Whether it ever held or settled anything, alone or with another.
fn had_effect(one: &Authorization) -> bool {
    let Totals { authorized, cleared, .. } = one.totals;
    authorized.is_positive() || cleared.is_positive() || one.completes.is_some()
}

/// Whether a reversal of it has anything to take back.
fn has_effect(one: &Authorization) -> bool {
    one.held().is_positive()
        || (one.class().is_financial() && one.totals.cleared.is_positive())
        || (one.adds_to().is_some() && one.totals.authorized > one.totals.reversed)
}

fn is_known(one: &Authorization) -> bool {
    one.stand_in == Some(StandIn::Known)
}
