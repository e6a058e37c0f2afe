//! Three of the bugs that the fault harness puts in to see its checker catch them. It must never do
//! anything without the feature `deliberate-bugs`: every function begins by asking, and the answer
//! is a constant then.

use switch_domain::{
    AsciiText, AuthorizationDelta, BalanceDelta, Effects, Event, MinorUnits, PoolDelta, Totals,
};
use switch_engine::{Command, Outcome, State};
use switch_store::fault_points::{Bug, has};

use crate::batch::Batch;
use crate::submission::ReplyOutcome;

/// A repeat that nobody recognizes.
pub(super) fn renamed(mut command: Box<Command>) -> Box<Command> {
    if has(Bug::RepeatAppliedTwice)
        && let Command::Authorize(request) = command.as_mut()
        && request.repeat
    {
        request.facts.key.rrn = AsciiText::EMPTY;
    }
    command
}

/// A second reversal that gives back once more.
pub(super) fn released_again(state: &State, outcome: Option<Outcome>) -> Option<Outcome> {
    let mut outcome = outcome?;
    if !has(Bug::ReversalReleasedTwice) {
        return Some(outcome);
    }
    let Some(record) = outcome.record.as_mut() else { return Some(outcome) };
    let Event::Reversed(reversed) = &record.event else { return Some(outcome) };
    let original = reversed.original.and_then(|id| state.authorization(id));
    let Some(original) = original.filter(|original| original.closed) else {
        return Some(outcome);
    };
    let Some(back) = original.requested.checked_neg() else { return Some(outcome) };
    let ledger = MinorUnits::ZERO;
    record.effects = Effects {
        authorization: Some(AuthorizationDelta {
            authorization: original.id,
            decided_at: original.decided_at,
            totals: Totals { reversed: original.requested, ..Totals::default() },
            closes: true,
        }),
        balance: original.balance.map(|balance| BalanceDelta { balance, ledger, held: back }),
        pool: original.pool.map(|pool| PoolDelta { pool, level: ledger, held: back }),
        ..Effects::default()
    };
    Some(outcome)
}

/// Answers that leave with the row.
pub(super) fn answered_early(batch: &mut Batch) {
    if has(Bug::AnswerBeforeCommit) {
        for message in batch.messages.drain(..) {
            message.reply.send(ReplyOutcome::Decided(message.decision));
        }
    }
}
