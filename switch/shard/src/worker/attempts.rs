//! What a shard asks and tells the watch over attempts at guessing cards (T-13). It owns what is no
//! attempt: a card whose chip proved itself, a message that was answered before, and whatever was
//! refused for a block. The counts and the blocks are the watch's, the decline is the engine's.

use switch_attacks::{Kinds, Pair, Verdict};
use switch_domain::{Event, Finding, Reason, Record};
use switch_engine::{Authorize, Command, State};

use super::Worker;

impl Worker {
    /// Marks a request whose merchant is refused cards of its BIN. As long as nobody is, that is a
    /// look at one flag.
    pub(super) fn mark_blocked(&self, command: &mut Command) {
        let settings = &self.shared.settings;
        let Some(watch) = settings.attacks.as_deref().filter(|watch| watch.has_blocks()) else {
            return;
        };
        let Command::Authorize(request) = command else { return };
        if is_proven(request) {
            return;
        }
        let Some(pair) = pair(&self.state, request) else { return };
        let now = settings.clock.now_after(self.state.last_at());
        request.blocked = watch.judge(&pair, now) == Verdict::Blocked;
    }

    /// Counts a request that was decided for the first time.
    pub(super) fn count_attempt(&self, command: &Command, record: Option<&Record>) {
        let Some(watch) = self.shared.settings.attacks.as_deref() else { return };
        let Command::Authorize(request) = command else { return };
        let Some(Record { at, event: Event::Authorized(made), .. }) = record else { return };
        if made.reason == Reason::AttemptsBlocked || is_proven(request) {
            return;
        }
        let (facts, small) = (&request.facts, watch.settings().small);
        let kinds = Kinds::of(facts, request.amount.minor, made.reason, small);
        if kinds.is_empty() && !watch.has_counts() {
            return;
        }
        if let Some(pair) = pair(&self.state, request) {
            watch.count(&pair, kinds, *at);
        }
    }
}

/// Whether the card's own chip made the message: nobody guesses such a card.
fn is_proven(request: &Authorize) -> bool {
    let chip = request.evidence.as_deref().and_then(|evidence| evidence.chip.as_ref());
    chip.is_some_and(|chip| chip.cryptogram == Finding::Matched)
}

/// Who tries cards of what; `None` for cards of nobody here, of which there is nothing to learn.
fn pair(state: &State, request: &Authorize) -> Option<Pair> {
    let programme = state.control().programme_of(request.bin)?;
    let (acquirer, merchant) = (request.facts.key.acquirer, request.facts.merchant.id);
    Some(Pair { bin: programme.bins.low, acquirer, merchant })
}
