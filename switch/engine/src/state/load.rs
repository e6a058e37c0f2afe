//! Builds a state from the rows of the tables. It owns nothing of their meaning: the tail of the
//! journal is replayed over it afterwards.

use std::sync::Arc;

use switch_domain::{AnsweredReversal, Authorization, ShardImage};

use super::State;
use super::card_security::Counting;
use super::messages::Kept;
use crate::convert::RATE_LIFE_MICROS;

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
            counting: image
                .counters
                .into_iter()
                .map(|(card, counters)| (card, Counting::settled(counters)))
                .collect(),
            shares: image.shares.into_iter().collect(),
            spending: Default::default(),
            messages: Default::default(),
            commands: Default::default(),
            transfers: Default::default(),
            in_flight: Default::default(),
            rate_life: RATE_LIFE_MICROS,
            control_limits: Default::default(),
        };
        image.spend_controls.into_iter().for_each(|one| state.spending.commit(one));
        state.spending.usage.extend(image.usage);
        image.transfers.into_iter().for_each(|one| state.transfers.send(one));
        state.transfers.received.extend(image.received);
        if !image.complete {
            state.messages.set_incomplete();
            state.commands.set_incomplete();
        }
        state.load_messages(image.authorizations, image.reversals);
        for command in image.commands {
            state.commands.insert(command, command.at);
        }
        state
    }

    /// Rows of reversals do not tell whether their original has come since. In the order of their
    /// identifiers they do: an authorization that fits one came after it, for a reversal that came
    /// second would have found it.
    fn load_messages(
        &mut self,
        authorizations: Vec<Authorization>,
        reversals: Vec<AnsweredReversal>,
    ) {
        let authorizations = authorizations.into_iter().map(Kept::Authorization);
        let mut all: Vec<_> =
            authorizations.chain(reversals.into_iter().map(Kept::Reversal)).collect();
        all.sort_unstable_by_key(Kept::id);
        for kept in all {
            self.remember(kept);
        }
    }

    /// Remembers the newest message. False where its identifier is not above all others.
    pub(super) fn remember(&mut self, kept: Kept) -> bool {
        let at = match &kept {
            Kept::Authorization(authorization) => {
                self.use_up_early(&authorization.facts);
                authorization.decided_at
            }
            Kept::Reversal(reversal) => {
                self.note_early(reversal);
                reversal.decided_at
            }
        };
        self.messages.push(kept, at)
    }
}
