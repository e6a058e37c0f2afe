//! Authorizations, and what a shard remembers for a window: answers, early reversals, commands. It
//! reads the tables of history as far as the window goes and no further.

use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use switch_domain::{
    Authorization, AuthorizationId, BalanceId, CardId, IdempotencyKey, Merchant, MessageFacts,
    MinorUnits, OriginalReference, PoolId, ShardId, StoredAnswer, Timestamp, Totals,
};
use uuid::Uuid;

use super::row::{Named, each, get};
use crate::error::StoreError;
use crate::pg_timestamp::PgTimestamp;

/// The condition on what is held is that of the partial index.
const OPEN_OR_RECENT: &str = "\
    SELECT id, card_id, balance_id, pool_id, currency, requested, reason, approval_code,
        authorized, incremented, reversed, cleared, refunded, closed, decided_at,
        acquirer, class, stan, local_time, terminal, rrn, fingerprint,
        transmitted, channel, entry_mode, mcc, merchant
    FROM card_authorization
    WHERE shard = $1 AND (decided_at >= $2
        OR (NOT closed AND authorized + incremented > reversed + cleared))
    ORDER BY id";

const REVERSALS: &str = "\
    SELECT id, authorization_id, reason, at,
        acquirer, class, stan, local_time, terminal, rrn, fingerprint
    FROM authorization_event
    WHERE shard = $1 AND kind = 'reversed' AND at >= $2 ORDER BY seq, idx";

const EARLY: &str = "\
    SELECT id, original_acquirer, original_stan, original_terminal, original_fingerprint,
        original_transmitted, original_rrn
    FROM authorization_event
    WHERE shard = $1 AND kind = 'reversed' AND at >= $2 AND authorization_id IS NULL
    ORDER BY seq, idx";

const COMMANDS: &str = "\
    SELECT idempotency_key, made_id, at FROM audit_entry
    WHERE shard = $1 AND idempotency_key IS NOT NULL AND at >= $2 ORDER BY seq, idx";

pub(super) async fn open_or_recent(
    tx: &mut PgConnection,
    shard: ShardId,
    since: Timestamp,
) -> Result<Vec<Authorization>, StoreError> {
    let query = sqlx::query(OPEN_OR_RECENT).bind(i32::from(shard.0)).bind(PgTimestamp(since));
    each(tx, query, authorization).await
}

/// Answers to authorization requests are the authorizations' own, as a void may have left them;
/// answers to reversals stand in their events.
pub(super) async fn answers(
    tx: &mut PgConnection,
    shard: ShardId,
    since: Timestamp,
    authorizations: &[Authorization],
) -> Result<Vec<StoredAnswer>, StoreError> {
    let query = sqlx::query(REVERSALS).bind(i32::from(shard.0)).bind(PgTimestamp(since));
    let mut answers = each(tx, query, reversal_answer).await?;
    let recent = authorizations.iter().filter(|one| one.decided_at >= since);
    answers.extend(recent.map(|one| StoredAnswer {
        key: one.facts.key,
        reason: one.reason,
        approval_code: one.approval_code,
        authorization: Some(one.id),
        decided_at: one.decided_at,
    }));
    answers.sort_by_key(|answer| (answer.decided_at, answer.key));
    Ok(answers)
}

pub(super) async fn early(
    tx: &mut PgConnection,
    shard: ShardId,
    since: Timestamp,
) -> Result<Vec<OriginalReference>, StoreError> {
    let query = sqlx::query(EARLY).bind(i32::from(shard.0)).bind(PgTimestamp(since));
    each(tx, query, |row| Named::new("authorization_event", row, "id")?.original_reference()).await
}

pub(super) async fn commands(
    tx: &mut PgConnection,
    shard: ShardId,
    since: Timestamp,
) -> Result<Vec<(IdempotencyKey, Option<i64>, Timestamp)>, StoreError> {
    let query = sqlx::query(COMMANDS).bind(i32::from(shard.0)).bind(PgTimestamp(since));
    each(tx, query, |row| {
        let key: Uuid = get(row, "idempotency_key")?;
        let at: PgTimestamp = get(row, "at")?;
        Ok((IdempotencyKey(key.into_bytes()), get(row, "made_id")?, at.0))
    })
    .await
}

fn reversal_answer(row: &PgRow) -> Result<StoredAnswer, StoreError> {
    let row = Named::new("authorization_event", row, "id")?;
    let at: PgTimestamp = row.get("at")?;
    Ok(StoredAnswer {
        key: row.message_key()?,
        reason: row.reason()?,
        approval_code: None,
        authorization: row.get::<Option<i64>>("authorization_id")?.map(AuthorizationId),
        decided_at: at.0,
    })
}

fn authorization(row: &PgRow) -> Result<Authorization, StoreError> {
    let row = Named::new("card_authorization", row, "id")?;
    let decided_at: PgTimestamp = row.get("decided_at")?;
    Ok(Authorization {
        id: AuthorizationId(row.key),
        facts: MessageFacts {
            key: row.message_key()?,
            transmitted: row.narrow::<i64, u64>("transmitted")?,
            channel: row.choice("channel")?,
            entry: row.choice("entry_mode")?,
            merchant: Merchant {
                category: row.narrow::<i32, u16>("mcc")?,
                id: row.text("merchant")?,
            },
        },
        card: row.get::<Option<i64>>("card_id")?.map(CardId),
        balance: row.get::<Option<i64>>("balance_id")?.map(BalanceId),
        pool: row.get::<Option<i64>>("pool_id")?.map(PoolId),
        currency: row.currency()?,
        requested: MinorUnits(row.get("requested")?),
        reason: row.reason()?,
        approval_code: row.approval_code()?,
        totals: Totals {
            authorized: MinorUnits(row.get("authorized")?),
            incremented: MinorUnits(row.get("incremented")?),
            reversed: MinorUnits(row.get("reversed")?),
            cleared: MinorUnits(row.get("cleared")?),
            refunded: MinorUnits(row.get("refunded")?),
        },
        decided_at: decided_at.0,
        closed: row.get("closed")?,
    })
}
