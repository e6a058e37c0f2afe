//! Looks up what a shard's memory has let go: late repeats and reversals name it (W-21). It reads
//! rows by the key of a message and decides nothing; the shard judges what comes back.

use sqlx::{Connection, PgConnection};
use switch_domain::{Authorization, MessageKey, OriginalKey, ShardId, StoredAnswer};

use super::authorizations::{BY_ORIGIN, authorization, identifiers, reversal_answer};
use super::row::{DOING, each};
use crate::error::StoreError;

/// The condition is that of the partial index.
const ANSWERS: &str = "\
    SELECT id, authorization_id, reason, at,
        acquirer, class, stan, local_time, terminal, rrn, fingerprint
    FROM authorization_event
    WHERE shard = $1 AND origin = $2 AND kind = 'reversed' ORDER BY seq, idx";

const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// What a message names that memory may have let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// The authorizations with this key.
    pub original: OriginalKey,
    /// The answer that a reversal with this key got.
    pub reversal: Option<MessageKey>,
}

/// What the tables have of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recalled {
    /// The authorizations, oldest first.
    pub authorizations: Vec<Authorization>,
    /// The answer to the reversal, if it was answered.
    pub reversal: Option<StoredAnswer>,
}

pub(crate) async fn recall(
    connection: &mut PgConnection,
    shard: ShardId,
    what: &Forgotten,
) -> Result<Recalled, StoreError> {
    let mut tx = connection.begin_with(SNAPSHOT).await.map_err(StoreError::database(DOING))?;
    let (first, last) = identifiers(shard);
    let query = sqlx::query(BY_ORIGIN).bind(first).bind(last).bind(what.original.origin());
    let mut authorizations = each(&mut tx, query, authorization).await?;
    authorizations.retain(|one| one.facts.key.as_original() == what.original);
    let mut reversal = None;
    if let Some(key) = what.reversal {
        let query = sqlx::query(ANSWERS);
        let query = query.bind(i32::from(shard.0)).bind(key.as_original().origin());
        let answers = each(&mut tx, query, reversal_answer).await?;
        reversal = answers.into_iter().rfind(|answer| answer.key == key);
    }
    tx.rollback().await.map_err(StoreError::database(DOING))?;
    Ok(Recalled { authorizations, reversal })
}
