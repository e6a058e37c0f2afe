//! Reads what commands will need before they are decided one by one. It owns no rule and changes
//! nothing: it makes what lies far away in memory be near when it is wanted. Each place is asked
//! for in a loop of its own, so that the processor waits for many of them at once, where deciding
//! would wait for each in turn.

use switch_domain::{CardId, MessageKey};

use super::State;
use crate::Command;

/// What a command will look for.
fn wanted(command: &Command) -> Option<(&MessageKey, Option<CardId>)> {
    match command {
        Command::Authorize(request) => Some((&request.facts.key, request.card)),
        Command::Advise(advice) => Some((&advice.request.facts.key, advice.request.card)),
        _ => None,
    }
}

impl State {
    /// Reads the places of cards, accounts and earlier messages that these commands will need. How
    /// many there were is of no use but to be used, so that the reading is done.
    #[must_use]
    pub fn look_ahead<'a>(&self, commands: impl Iterator<Item = &'a Command> + Clone) -> usize {
        let wanted = commands.filter_map(wanted);
        let cards = wanted.clone().filter_map(|(_, card)| self.cards.get(&card?));
        let accounts = cards.clone().filter_map(|card| self.balances.get(&card.balance));
        let known = cards.filter(|card| card.approvals > 0).count();
        let used = accounts.filter(|account| account.held.is_positive()).count();
        let spoken_of =
            wanted.filter(|(key, _)| self.messages.has_origin(key.as_original().origin()));
        known.saturating_add(used).saturating_add(spoken_of.count())
    }
}
