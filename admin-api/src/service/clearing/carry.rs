//! The way of records to the shards and back: submitted in the order of the file, answered once
//! they are committed, sent again where nobody knows. It owns the patience for that.

use std::collections::HashMap;
use std::time::Duration;

use switch_domain::{AuthorizationId, Fingerprint, Reason, ShardId, StandIn, TransactionType};
use switch_shard::{Admission, Command, Decision, Node, ReplyOutcome, ReplyTo, Submission};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Outcome;
use crate::Problem;

/// The first wait before what got silence is sent again; it doubles up to the longest.
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// One record on its way.
pub(super) struct Item {
    pub(super) command: Command,
    pub(super) card: Fingerprint,
}

/// What was decided of one.
#[derive(Clone, Copy)]
pub(super) struct Said {
    decision: Decision,
    /// The first to say it was our own second sending: what is told as a repeat is none.
    sent_again: bool,
}

/// Submits them in their order, and gives what was decided of each once all of it is committed.
///
/// # Errors
/// Some got silence for as long as there is patience: they are to be sent again.
pub(super) async fn carry(
    node: &Node,
    items: &[Item],
    patience: Duration,
) -> Result<Vec<Said>, Problem> {
    let started = Instant::now();
    let until = started.checked_add(patience).unwrap_or(started);
    let mut decided: HashMap<u64, Said> = HashMap::new();
    let (mut wait, mut sent_again) = (FIRST_WAIT, false);
    loop {
        for (token, decision) in round(node, items, until, &decided).await {
            decided.insert(token, Said { decision, sent_again });
        }
        sent_again = true;
        if decided.len() == items.len() {
            break;
        }
        if Instant::now() >= until {
            return Err(Problem::new(
                "OVERLOADED",
                "the switch has no room for these records, or its database does not answer; \
                 what was taken is committed. Import the file again later: nothing is posted twice",
            ));
        }
        tokio::time::sleep(wait).await;
        wait = wait.saturating_mul(2).min(LONGEST_WAIT);
    }
    Ok((0..).zip(items).filter_map(|(token, _)| decided.get(&token).copied()).collect())
}

/// Sends once what is not decided, and takes what is said to it.
async fn round(
    node: &Node,
    items: &[Item],
    until: Instant,
    decided: &HashMap<u64, Said>,
) -> Vec<(u64, Decision)> {
    let (sender, mut replies) = mpsc::unbounded_channel();
    for (token, item) in (0..).zip(items) {
        if decided.contains_key(&token) {
            continue;
        }
        let submission = Submission {
            command: Box::new(item.command.clone()),
            card: item.card,
            deadline: until,
            reply: ReplyTo::new(sender.clone(), token),
        };
        if node.submit(submission) != Admission::Accepted {
            // A later record of the card must not go before this one.
            break;
        }
    }
    drop(sender);
    let mut said = Vec::with_capacity(items.len());
    while let Some(reply) = replies.recv().await {
        if let ReplyOutcome::Decided(decision) = reply.outcome
            && !reply.is_stale()
        {
            said.push((reply.token, decision));
        }
    }
    said
}

/// What decisions came to: what their answers do not tell is read from the shards.
pub(super) async fn outcomes(node: &Node, decided: &[Said]) -> Vec<Outcome> {
    let mut by_shard: HashMap<ShardId, Vec<AuthorizationId>> = HashMap::new();
    for said in decided {
        let advice = said.decision.reason == Reason::AdviceAccepted && said.is_new();
        if let Some(id) = said.decision.authorization.filter(|_| advice) {
            by_shard.entry(id.shard()).or_default().push(id);
        }
    }
    let mut told: HashMap<AuthorizationId, Outcome> = HashMap::new();
    for (shard, ids) in by_shard {
        let seen = node.read(shard, move |state| {
            let look = |id| Some((id, state.authorization(id)?));
            let seen = ids.into_iter().filter_map(look);
            seen.map(|(id, one)| (id, of_advice(one))).collect::<Vec<_>>()
        });
        told.extend(seen.await.unwrap_or_default());
    }
    decided.iter().map(|said| outcome(*said, &told)).collect()
}

impl Said {
    const fn is_new(self) -> bool {
        !self.decision.repeated || self.sent_again
    }
}

fn outcome(said: Said, told: &HashMap<AuthorizationId, Outcome>) -> Outcome {
    match (said.decision.reason, said.decision.authorization) {
        (Reason::DuplicateTransmission, _) => Outcome::Refused,
        _ if !said.is_new() => Outcome::Duplicate,
        (Reason::ReversalAccepted, Some(_)) => Outcome::Reversed,
        (Reason::ReversalAccepted, None) => Outcome::Unmatched,
        (Reason::AdviceAccepted, Some(id)) => told.get(&id).copied().unwrap_or(Outcome::Posted),
        _ => Outcome::NotTaken,
    }
}

fn of_advice(one: &switch_domain::Authorization) -> Outcome {
    match one.stand_in {
        Some(StandIn::Suspense(reason)) => Outcome::Suspense(reason),
        Some(StandIn::Reversed) => Outcome::ReversedBefore,
        _ if one.facts.kind == TransactionType::Refund => Outcome::Refunded,
        _ if one.completes.is_some() => Outcome::Completed,
        _ => Outcome::Posted,
    }
}
