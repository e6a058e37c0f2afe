//! Finds what a reversal speaks of, and whether an authorization was spoken of before it came. It
//! owns how much weight the optional fields have: they choose among several and rule out only
//! together.

use switch_domain::{AnsweredReversal, Authorization, MessageFacts, OriginalReference};

use super::State;
use super::messages::Kept;

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

/// Whether no optional field speaks against a message: an older one could fit no better.
pub(super) fn fits_fully(reference: &OriginalReference, facts: &MessageFacts) -> bool {
    let (rrn, transmitted) = agreement(reference, facts);
    rrn != Some(false) && transmitted != Some(false)
}

impl State {
    /// The authorization that a reversal speaks of: the best fit, the latest among equals.
    pub(crate) fn original_of(&self, reference: &OriginalReference) -> Option<&Authorization> {
        let candidates = self.messages.of_origin(reference.key.origin());
        candidates
            .filter_map(|kept| match kept {
                Kept::Authorization(original) => Some(original),
                Kept::Reversal(_) => None,
            })
            .filter(|original| original.facts.key.as_original() == reference.key)
            .filter_map(|original| Some((fit(reference, &original.facts)?, original)))
            .max_by_key(|(fit, original)| (*fit, original.id))
            .map(|(_, original)| original)
    }

    /// Whether a reversal that came before speaks of this message.
    pub(crate) fn was_reversed_early(&self, facts: &MessageFacts) -> bool {
        let key = facts.key.as_original();
        let mut early = self.messages.early(key.origin()).filter(|r| r.key == key);
        early.any(|reference| fit(reference, facts).is_some())
    }

    /// Of early reversals that were looked up, those whose original has not come since. Whatever
    /// authorizations there are of that origin are here by now: remembered, or looked up too.
    pub(super) fn not_used_up(&self, mut early: Vec<AnsweredReversal>) -> Vec<AnsweredReversal> {
        let Some(origin) = early.first().map(|one| one.reference.key.origin()) else {
            return early;
        };
        let mut came: Vec<&Authorization> = self
            .messages
            .of_origin(origin)
            .filter_map(|kept| match kept {
                Kept::Authorization(authorization) => Some(authorization),
                Kept::Reversal(_) => None,
            })
            .collect();
        came.sort_unstable_by_key(|one| one.id);
        for one in came {
            let speaks = |reversal: &AnsweredReversal| {
                let of_it = reversal.reference.key == one.facts.key.as_original();
                let fit = fit(&reversal.reference, &one.facts);
                fit.filter(|_| of_it && reversal.id < one.id)
            };
            let Some(best) = early.iter().filter_map(speaks).max() else { continue };
            early.retain(|reversal| speaks(reversal) != Some(best));
        }
        early
    }

    /// The message has come: the early reversals that speak of it have done their work, and must
    /// not stop a later purchase with the same STAN. Of several that fit, those that fit best.
    pub(super) fn use_up_early(&mut self, facts: &MessageFacts) {
        let key = facts.key.as_original();
        let origin = key.origin();
        let early = self.messages.early(origin).filter(|reference| reference.key == key);
        let Some(best) = early.filter_map(|reference| fit(reference, facts)).max() else { return };
        self.messages.retain_early(origin, |_, reference| {
            reference.key != key || fit(reference, facts) != Some(best)
        });
    }
}
