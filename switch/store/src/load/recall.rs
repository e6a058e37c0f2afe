//! Looks up what a shard's memory has let go: late repeats and reversals name it (W-21). It reads
//! rows by the key of a message or command and decides nothing; the shard judges what comes back.

use std::collections::BTreeSet;

use sqlx::{Connection, PgConnection};
use switch_domain::{
    AnsweredReversal, Authorization, Fingerprint, Forgotten, MessageKey, NetworkTrace, OriginalKey,
    Reach, Recalled, Seq, ShardId,
};
use uuid::Uuid;

use super::authorizations::{
    BY_NAME, BY_ORIGIN, BY_TRACE, COMMAND_BY_KEY, EARLY_REVERSALS, Lineage, REVERSALS_BY_ORIGIN,
    authorization, command, reversal,
};
use super::row::{DOING, each};
use crate::error::StoreError;
use crate::pg_timestamp::PgTimestamp;
use crate::store::SNAPSHOT;

const POSITION: &str = "SELECT seq FROM projection WHERE shard = $1";

/// Reads one snapshot, whose watermark says whether it is late enough.
pub(crate) async fn recall(
    connection: &mut PgConnection,
    shard: ShardId,
    at_least: Seq,
    what: &Forgotten,
) -> Result<Option<Recalled>, StoreError> {
    let mut tx = connection.begin_with(SNAPSHOT).await.map_err(StoreError::database(DOING))?;
    let position: Option<i64> = sqlx::query_scalar(POSITION)
        .bind(i32::from(shard.0))
        .fetch_optional(&mut *tx)
        .await
        .map_err(StoreError::database(DOING))?;
    let recalled = if position.map_or(Seq::NONE, Seq) < at_least {
        None
    } else {
        Some(match what {
            Forgotten::Message { original, answered, .. } => {
                let lineage = Lineage::of(&mut tx, shard).await?;
                let reach = Reach::of(what);
                let mut recalled = match reach {
                    Some(reach) => message(&mut tx, &lineage, original.card, reach).await?,
                    None => Recalled::default(),
                };
                if let Some(key) = answered.as_ref().filter(|_| what.own().is_none()) {
                    recalled.reversal = answered_reversal(&mut tx, &lineage, key).await?;
                }
                recalled
            }
            Forgotten::Hold(hold) => {
                let query = sqlx::query(BY_NAME).bind(hold.authorization.0);
                let query = query.bind(PgTimestamp(hold.decided_at));
                let hold = each(&mut tx, query, authorization).await?.pop();
                Recalled { hold, ..Recalled::default() }
            }
            Forgotten::Command(key) => {
                let lineage = Lineage::of(&mut tx, shard).await?;
                let query = sqlx::query(COMMAND_BY_KEY);
                let query = query.bind(lineage.shards()).bind(Uuid::from_bytes(key.0));
                let command = each(&mut tx, query, command).await?.pop();
                Recalled { command, ..Recalled::default() }
            }
        })
    };
    tx.rollback().await.map_err(StoreError::database(DOING))?;
    Ok(recalled)
}

/// Everything that a question about a message reaches: each key and each trace is asked for once.
async fn message(
    tx: &mut PgConnection,
    lineage: &Lineage,
    card: Fingerprint,
    mut reach: Reach,
) -> Result<Recalled, StoreError> {
    let mut recalled = Recalled::default();
    let (mut keys, mut traces) = (BTreeSet::new(), BTreeSet::new());
    let (mut early_keys, mut early_traces) = (BTreeSet::new(), BTreeSet::new());
    loop {
        for key in reach.keys().iter().filter(|key| keys.insert(**key)) {
            recalled.authorizations.extend(by_origin(tx, lineage, key).await?);
        }
        for trace in reach.traces().iter().filter(|trace| traces.insert(**trace)) {
            recalled.traced.extend(by_trace(tx, lineage, card, *trace).await?);
        }
        // What is wanted by its key, too, stands among those.
        recalled.traced.retain(|one| reach.has_trace(&one.facts));
        for key in reach.early_keys().iter().filter(|key| early_keys.insert(**key)) {
            recalled.early.extend(early_of_key(tx, lineage, key).await?);
        }
        for trace in reach.early_traces().iter().filter(|trace| early_traces.insert(**trace)) {
            recalled.early.extend(early_of_trace(tx, lineage, card, *trace).await?);
        }
        recalled.early.sort_unstable_by_key(|one| one.id);
        recalled.early.dedup_by_key(|one| one.id);
        if !reach.grow(&recalled) {
            break;
        }
    }
    recalled.authorizations.sort_unstable_by_key(|one| one.id);
    recalled.traced.sort_unstable_by_key(|one| one.id);
    let all: Vec<_> = recalled.authorizations.iter().chain(&recalled.traced).collect();
    recalled.firsts = firsts(tx, &all).await?;
    Ok(recalled)
}

/// The reversal with this key, if it was answered.
async fn answered_reversal(
    tx: &mut PgConnection,
    lineage: &Lineage,
    key: &MessageKey,
) -> Result<Option<AnsweredReversal>, StoreError> {
    let query = sqlx::query(REVERSALS_BY_ORIGIN);
    let query = query.bind(lineage.shards()).bind(key.as_original().origin());
    let found = each(tx, query, reversal).await?;
    Ok(found.into_iter().rfind(|one| one.key == *key))
}

/// Reversals that gave nothing back, and may be of the message with this key.
async fn early_of_key(
    tx: &mut PgConnection,
    lineage: &Lineage,
    key: &OriginalKey,
) -> Result<Vec<AnsweredReversal>, StoreError> {
    let stan = i64::try_from(key.stan).unwrap_or(i64::MAX);
    let query = sqlx::query(EARLY_REVERSALS).bind(lineage.shards());
    let query = query.bind(&key.card.0[..]).bind(Some(stan)).bind(None::<&str>);
    let mut found = each(tx, query, reversal).await?;
    found.retain(|one| one.reference.key == *key);
    Ok(found)
}

/// Reversals that gave nothing back, and name this network trace of the card.
async fn early_of_trace(
    tx: &mut PgConnection,
    lineage: &Lineage,
    card: Fingerprint,
    trace: NetworkTrace,
) -> Result<Vec<AnsweredReversal>, StoreError> {
    let query = sqlx::query(EARLY_REVERSALS).bind(lineage.shards());
    let query = query.bind(&card.0[..]).bind(None::<i64>).bind(Some(trace.as_str()));
    let mut found = each(tx, query, reversal).await?;
    found.retain(|one| one.reference.network_trace == trace);
    Ok(found)
}

/// The authorizations of a card that have this network trace.
async fn by_trace(
    tx: &mut PgConnection,
    lineage: &Lineage,
    card: Fingerprint,
    trace: NetworkTrace,
) -> Result<Vec<Authorization>, StoreError> {
    let ((first, last), earlier) = (lineage.identifiers(), lineage.earlier_or_none());
    let query = sqlx::query(BY_TRACE).bind(first).bind(last).bind(trace.as_str());
    let query = query.bind(earlier.0).bind(earlier.1);
    let mut found = each(tx, query, authorization).await?;
    found.retain(|one| one.facts.key.card == card);
    Ok(found)
}

/// What these complete, refund or add to, each by the key of its row.
async fn firsts(
    tx: &mut PgConnection,
    of: &[&Authorization],
) -> Result<Vec<Authorization>, StoreError> {
    let mut names: Vec<_> = of.iter().filter_map(|one| one.completes).collect();
    names.sort_unstable_by_key(|one| one.authorization);
    names.dedup();
    let mut found = Vec::with_capacity(names.len());
    for one in names {
        let query = sqlx::query(BY_NAME).bind(one.authorization.0);
        let query = query.bind(PgTimestamp(one.decided_at));
        found.extend(each(tx, query, authorization).await?);
    }
    Ok(found)
}

async fn by_origin(
    tx: &mut PgConnection,
    lineage: &Lineage,
    key: &OriginalKey,
) -> Result<Vec<Authorization>, StoreError> {
    let ((first, last), earlier) = (lineage.identifiers(), lineage.earlier_or_none());
    let query = sqlx::query(BY_ORIGIN).bind(first).bind(last).bind(key.origin());
    let query = query.bind(earlier.0).bind(earlier.1);
    let mut found = each(tx, query, authorization).await?;
    found.retain(|one| one.facts.key.as_original() == *key);
    Ok(found)
}
