//! Looks up what a shard's memory has let go: late repeats and reversals name it (W-21). It reads
//! rows by the key of a message or command and decides nothing; the shard judges what comes back.

use sqlx::{Connection, PgConnection};
use switch_domain::{Authorization, Forgotten, MessageKey, OriginalKey, Recalled, Seq, ShardId};
use uuid::Uuid;

use super::authorizations::{
    BY_NAME, BY_ORIGIN, COMMAND_BY_KEY, EARLY_REVERSALS, Lineage, REVERSALS_BY_ORIGIN,
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
            Forgotten::Message { original, answered } => {
                let lineage = Lineage::of(&mut tx, shard).await?;
                let own = what.own();
                message(&mut tx, &lineage, original, answered.as_ref(), own.as_ref()).await?
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
    original: &OriginalKey,
    answered: Option<&MessageKey>,
    own: Option<&OriginalKey>,
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
        let stan = i64::try_from(own.stan).unwrap_or(i64::MAX);
        let query = sqlx::query(EARLY_REVERSALS).bind(lineage.shards());
        let query = query.bind(&own.card.0[..]).bind(stan);
        recalled.early = each(tx, query, reversal).await?;
        recalled.early.retain(|one| one.reference.key == *own);
    }
    Ok(recalled)
}

/// What increments among these add to, each by the key of its row.
async fn firsts(
    tx: &mut PgConnection,
    of: &[Authorization],
) -> Result<Vec<Authorization>, StoreError> {
    let mut names: Vec<_> = of.iter().filter_map(Authorization::adds_to).collect();
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
