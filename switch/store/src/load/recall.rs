//! Looks up what a shard's memory has let go: late repeats and reversals name it (W-21). It reads
//! rows by the key of a message or command and decides nothing; the shard judges what comes back.

use sqlx::{Connection, PgConnection};
use switch_domain::{
    AnsweredReversal, Authorization, Fingerprint, Forgotten, MessageKey, NetworkTrace, OriginalKey,
    Recalled, Seq, ShardId, Traces,
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
            Forgotten::Message { original, answered, traces } => {
                let lineage = Lineage::of(&mut tx, shard).await?;
                let own = what.own();
                let keys = (original, own.as_ref());
                message(&mut tx, &lineage, keys, answered.as_ref(), traces).await?
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

async fn message(
    tx: &mut PgConnection,
    lineage: &Lineage,
    (original, own): (&OriginalKey, Option<&OriginalKey>),
    answered: Option<&MessageKey>,
    traces: &Traces,
) -> Result<Recalled, StoreError> {
    let mut recalled =
        Recalled { authorizations: by_origin(tx, lineage, original).await?, ..Recalled::default() };
    recalled.firsts = firsts(tx, &recalled.authorizations).await?;
    if let Some(key) = answered.filter(|_| own.is_none()) {
        let query = sqlx::query(REVERSALS_BY_ORIGIN);
        let query = query.bind(lineage.shards()).bind(key.as_original().origin());
        let found = each(tx, query, reversal).await?;
        recalled.reversal = found.into_iter().rfind(|one| one.key == *key);
    }
    if let Some(own) = own {
        if own != original {
            recalled.authorizations.extend(by_origin(tx, lineage, own).await?);
            recalled.authorizations.sort_unstable_by_key(|one| one.id);
        }
        recalled.early = early(tx, lineage, own, traces.own).await?;
    }
    recalled.traced = by_traces(tx, lineage, original.card, traces).await?;
    recalled.traced.retain(|one| recalled.authorizations.iter().all(|known| known.id != one.id));
    let of_traced = firsts(tx, &recalled.traced).await?;
    let unknown = |one: &Authorization| recalled.firsts.iter().all(|known| known.id != one.id);
    let of_traced: Vec<_> = of_traced.into_iter().filter(unknown).collect();
    recalled.firsts.extend(of_traced);
    recalled.firsts.sort_unstable_by_key(|one| one.id);
    Ok(recalled)
}

/// Reversals that gave nothing back, and may be of the message with this key and network trace.
async fn early(
    tx: &mut PgConnection,
    lineage: &Lineage,
    own: &OriginalKey,
    trace: NetworkTrace,
) -> Result<Vec<AnsweredReversal>, StoreError> {
    let stan = i64::try_from(own.stan).unwrap_or(i64::MAX);
    let query = sqlx::query(EARLY_REVERSALS).bind(lineage.shards());
    let query = query.bind(&own.card.0[..]).bind(stan);
    let text = (!trace.is_none()).then(|| trace.as_str());
    let mut found = each(tx, query.bind(text), reversal).await?;
    let is_traced = |one: &AnsweredReversal| text.is_some() && one.reference.network_trace == trace;
    found.retain(|one| one.reference.key == *own || is_traced(one));
    Ok(found)
}

/// The authorizations of a card that have one of these network traces.
async fn by_traces(
    tx: &mut PgConnection,
    lineage: &Lineage,
    card: Fingerprint,
    traces: &Traces,
) -> Result<Vec<Authorization>, StoreError> {
    let Traces { spoken_of, own } = *traces;
    let mut found = Vec::new();
    for trace in [Some(spoken_of), Some(own).filter(|own| *own != spoken_of)] {
        let Some(trace) = trace.filter(|trace| !trace.is_none()) else { continue };
        let ((first, last), earlier) = (lineage.identifiers(), lineage.earlier_or_none());
        let query = sqlx::query(BY_TRACE).bind(first).bind(last).bind(trace.as_str());
        let query = query.bind(earlier.0).bind(earlier.1);
        found.extend(each(tx, query, authorization).await?);
    }
    found.retain(|one| one.facts.key.card == card);
    found.sort_unstable_by_key(|one| one.id);
    Ok(found)
}

/// What these complete, refund or add to, each by the key of its row.
async fn firsts(
    tx: &mut PgConnection,
    of: &[Authorization],
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
