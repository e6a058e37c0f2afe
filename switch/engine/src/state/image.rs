//! A state as an image: what a snapshot of the journal holds (W-7). It owns which parts go in:
//! everything about money and cards, and what is still open; not what is remembered for repeats.

use switch_domain::{Fingerprint, Seq, ShardImage};

use super::State;

impl State {
    /// Lets go of every message that is closed, and of all commands: what a state rebuilt from
    /// the journal does not need. A state that answers peers must never do so.
    pub fn keep_open(&mut self) {
        self.messages.keep_open();
        self.commands = super::Commands::default();
        self.commands.set_incomplete();
    }

    /// The state after row `projected`, in a stable order. Cards come without their fingerprints,
    /// which a state does not have.
    #[must_use]
    pub fn image(&self, projected: Seq) -> ShardImage {
        let mut image = ShardImage {
            shard: self.shard,
            projected,
            last_counter: self.next_counter.saturating_sub(1),
            last_decided: self.last_at,
            control: (*self.control).clone(),
            balances: self.balances.values().cloned().collect(),
            customers: self.customers.iter().map(|(id, state)| (*id, *state)).collect(),
            cards: self.cards.values().map(|card| (card.clone(), Fingerprint([0; 16]))).collect(),
            spend_controls: self.spend_controls().cloned().collect(),
            usage: self.usages().map(|(key, usage)| (key, usage.clone())).collect(),
            counters: self.counters().map(|(card, one)| (card, one.clone())).collect(),
            shares: self.shares.iter().map(|(id, share)| (*id, *share)).collect(),
            transfers: self.open_transfers().cloned().collect(),
            received: self.transfers.received.iter().map(|(id, said)| (*id, *said)).collect(),
            authorizations: self.messages.authorizations().cloned().collect(),
            complete: false,
            reversals: Vec::new(),
            commands: Vec::new(),
        };
        image.authorizations.retain(|one| !one.closed);
        image.authorizations.sort_unstable_by_key(|one| one.id);
        image.balances.sort_unstable_by_key(|one| one.id);
        image.customers.sort_unstable_by_key(|(id, _)| *id);
        image.cards.sort_unstable_by_key(|(card, _)| card.id);
        image.counters.sort_unstable_by_key(|(card, _)| *card);
        image.shares.sort_unstable_by_key(|(id, _)| *id);
        image.usage.sort_unstable_by_key(|(key, _)| *key);
        image
    }
}
