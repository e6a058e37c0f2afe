//! Finds what a reversal speaks of, and whether an authorization was spoken of before it came. It
//! owns how much weight the optional fields have: they choose among several and rule out only
//! together.

use switch_domain::{Authorization, MessageFacts, OriginalReference};

use super::State;

/// How well a reference fits a message whose key fields are equal already: `None` when both of the
/// optional fields are there and both differ, for then it is another transaction of that terminal
/// whose STAN came round again.
fn fit(reference: &OriginalReference, facts: &MessageFacts) -> Option<u8> {
    let rrn = (!reference.rrn.is_empty() && !facts.key.rrn.is_empty())
        .then_some(reference.rrn == facts.key.rrn);
    let transmitted = (reference.transmitted != 0 && facts.transmitted != 0)
        .then_some(reference.transmitted == facts.transmitted);
    match (rrn, transmitted) {
        (Some(false), Some(false)) => None,
        (rrn, transmitted) => Some(
            u8::from(rrn == Some(true)).saturating_mul(2) | u8::from(transmitted == Some(true)),
        ),
    }
}

impl State {
    /// The authorization that a reversal speaks of: the best fit, the latest among equals.
    pub(crate) fn original_of(&self, reference: &OriginalReference) -> Option<&Authorization> {
        let candidates = self.originals.get(&reference.key)?.iter();
        candidates
            .filter_map(|id| self.authorizations.get(id))
            .filter_map(|original| Some((fit(reference, &original.facts)?, original)))
            .max_by_key(|(fit, original)| (*fit, original.id))
            .map(|(_, original)| original)
    }

    /// Whether a reversal that came before speaks of this message.
    pub(crate) fn was_reversed_early(&self, facts: &MessageFacts) -> bool {
        let early = self.early_reversals.get(&facts.key.as_original());
        early.is_some_and(|references| references.iter().any(|(_, r)| fit(r, facts).is_some()))
    }

    /// The message has come: the early reversals that speak of it have done their work, and must
    /// not stop a later purchase with the same STAN. Of several that fit, those that fit best.
    pub(super) fn use_up_early(&mut self, facts: &MessageFacts) {
        let key = facts.key.as_original();
        let Some(references) = self.early_reversals.get_mut(&key) else { return };
        let best = references.iter().filter_map(|(_, reference)| fit(reference, facts)).max();
        references.retain(|(_, reference)| best.is_none() || fit(reference, facts) != best);
        if references.is_empty() {
            self.early_reversals.remove(&key);
        }
    }
}
