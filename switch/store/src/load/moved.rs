//! Brings rows that are flushed apart to where history is: what moved in between is read from the
//! journal (W-23). A flush is one transaction with its watermark, so every row reflects exactly
//! what the watermark says, and nothing behind it; a row made since begins at zero.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgConnection;
use switch_domain::{ControlId, MinorUnits, Part, Seq, ShardId, ShardImage, Usage, Used};

use crate::error::StoreError;
use crate::projection::Moves;
use crate::store::Store;

/// What moved in the journal behind row `from`, up to row `to`.
pub(crate) async fn moves(
    tx: &mut PgConnection,
    shard: ShardId,
    from: Seq,
    to: Seq,
) -> Result<Moves, StoreError> {
    let (mut at, mut moves) = (from, Moves::default());
    while at < to {
        let rows = Store::some_rows(tx, shard, at).await?;
        let Some((last, _)) = rows.last() else { break };
        at = *last;
        for (seq, records) in rows.iter().filter(|(seq, _)| *seq <= to) {
            moves.add(*seq, records);
        }
    }
    Ok(moves)
}

/// Adds what moved to an image.
pub(crate) fn apply(image: &mut ShardImage, moves: &Moves) {
    let sum = |one: MinorUnits, other: MinorUnits| MinorUnits(one.0.saturating_add(other.0));
    for balance in &mut image.balances {
        if let Some(moved) = moves.balances.get(&balance.id) {
            balance.ledger = sum(balance.ledger, moved.ledger);
            balance.held = sum(balance.held, moved.held);
        }
    }
    for (card, _) in &mut image.cards {
        if let Some(moved) = moves.cards.get(&card.id) {
            card.approvals = card.approvals.max(moved.approvals);
        }
    }
    if !moves.counters.is_empty() {
        let mut counters: BTreeMap<_, _> = image.counters.drain(..).collect();
        let moved = moves.counters.iter();
        counters.extend(moved.map(|(card, moved)| (*card, moved.counters.clone())));
        image.counters.extend(counters);
    }
    for (pool, moved) in &moves.shares {
        let known = image.shares.iter_mut().find(|(id, _)| id == pool);
        let share = match known {
            Some((_, share)) => share,
            None => {
                image.shares.push((*pool, Default::default()));
                let Some((_, share)) = image.shares.last_mut() else { continue };
                share
            }
        };
        share.level = sum(share.level, moved.added.level);
        share.held = sum(share.held, moved.added.held);
    }
    image.shares.sort_unstable_by_key(|(id, _)| *id);
    apply_usage(image, moves);
}

/// What was used since; what is given back to a part that is not there is nobody's.
fn apply_usage(image: &mut ShardImage, moves: &Moves) {
    image.usage.retain(|((control, _), _)| !moves.removed_controls.contains_key(control));
    // What began to count towards a control that was removed meanwhile is of no use.
    let controls: BTreeSet<ControlId> = image.spend_controls.iter().map(|one| one.id).collect();
    let is_known = |id: ControlId| id.shard() == ShardId::CONTROL || controls.contains(&id);
    for (key, moved) in moves.usage.iter().filter(|((control, _), _)| is_known(*control)) {
        let known = image.usage.iter_mut().find(|(known, _)| known == key);
        let usage = match known {
            Some((_, usage)) => usage,
            None => {
                image.usage.push((*key, Usage::default()));
                let Some((_, usage)) = image.usage.last_mut() else { continue };
                usage
            }
        };
        let kept = usage.parts().iter().filter(|(part, _)| *part >= moved.oldest);
        let mut parts: BTreeMap<Part, Used> = kept.copied().collect();
        for (part, (used, made)) in &moved.parts {
            match parts.get_mut(part) {
                Some(before) => *before = before.plus(*used),
                None if *made => {
                    parts.insert(*part, *used);
                }
                None => {}
            }
        }
        *usage = Usage::from_parts(parts.into_iter().collect());
    }
    image.usage.retain(|(_, usage)| !usage.parts().is_empty());
    image.usage.sort_unstable_by_key(|(key, _)| *key);
}
