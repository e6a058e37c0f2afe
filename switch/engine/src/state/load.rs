//! Builds a state from the rows of the tables. It owns nothing of their meaning: the tail of the
//! journal is replayed over it afterwards.

use std::sync::Arc;

use switch_domain::{Authorization, OriginalReference, ShardImage, StoredAnswer, Timestamp};

use super::State;

impl State {
    /// The state that an image describes.
    #[must_use]
    pub fn from_image(image: ShardImage) -> Self {
        let mut state = Self {
            shard: image.shard,
            next_counter: image.last_counter.saturating_add(1),
            last_at: image.last_decided,
            control: Arc::new(image.control),
            reserved_bins: Default::default(),
            balances: image.balances.into_iter().map(|b| (b.id, b)).collect(),
            customers: image.customers.into_iter().collect(),
            cards: image.cards.into_iter().map(|(card, _)| (card.id, card)).collect(),
            shares: image.shares.into_iter().collect(),
            authorizations: Default::default(),
            originals: Default::default(),
            early_reversals: Default::default(),
            early_order: Default::default(),
            answers: Default::default(),
            answer_order: Default::default(),
            commands: Default::default(),
            command_order: Default::default(),
            in_flight: Default::default(),
        };
        let mut originals: Vec<_> = image.authorizations.iter().map(|a| (a.id, a.facts)).collect();
        originals.sort_unstable_by_key(|(id, _)| *id);
        for authorization in image.authorizations {
            state.insert_authorization(authorization);
        }
        for answer in image.answers {
            state.remember_answer(answer);
        }
        for reference in image.early_reversals {
            state.remember_early(reference, image.last_decided);
        }
        // Rows of reversals do not tell whether their original has come since. An authorization
        // that fits one came after it, for a reversal that came second would have found it.
        for (_, facts) in originals {
            state.use_up_early(&facts);
        }
        for (key, made, at) in image.commands {
            state.commands.insert(key, made);
            state.command_order.push_back((at, key));
        }
        state
    }

    pub(super) fn insert_authorization(&mut self, authorization: Authorization) {
        let key = authorization.facts.key.as_original();
        self.originals.entry(key).or_default().push(authorization.id);
        self.authorizations.insert(authorization.id, authorization);
    }

    pub(super) fn remember_answer(&mut self, answer: StoredAnswer) {
        self.answer_order.push_back((answer.decided_at, answer.key));
        self.answers.insert(answer.key, answer);
    }

    pub(super) fn remember_early(&mut self, reference: OriginalReference, at: Timestamp) {
        self.early_order.push_back((at, reference.key));
        self.early_reversals.entry(reference.key).or_default().push((at, reference));
    }
}
