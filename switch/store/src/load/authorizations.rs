//! Authorizations, and what a shard remembers for a window: answers, early reversals, commands. It
//! reads the tables of history as far as the window goes and no further.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres};
use switch_domain::{
    Authorization, AuthorizationId, BalanceId, CardId, IdempotencyKey, Merchant, MessageFacts,
    MinorUnits, OriginalReference, PoolId, ShardId, StoredAnswer, Timestamp, Totals,
};
use uuid::Uuid;

use super::row::{DOING, Named, each, get};
use crate::error::StoreError;
use crate::pg_timestamp::PgTimestamp;

/// Columns of an authorization.
macro_rules! authorization {
    () => {
        "SELECT id, card_id, balance_id, pool_id, currency, requested, reason, approval_code,
            authorized, incremented, reversed, cleared, refunded, closed, decided_at,
            acquirer, class, stan, local_time, terminal, rrn, fingerprint,
            transmitted, channel, entry_mode, mcc, merchant
        FROM card_authorization "
    };
}

/// Identifiers rise with time, and those of a shard stand together in each day's key.
const RECENT: &str = concat!(
    authorization!(),
    "WHERE id >= $1 AND id <= $2 AND decided_at >= $3 ORDER BY id DESC LIMIT $4"
);

/// Whether a shard's rows go back further than a window does.
const ANY_BEFORE: &str = "\
    SELECT EXISTS (SELECT FROM card_authorization
            WHERE id >= $1 AND id <= $2 AND decided_at < $3)
        OR EXISTS (SELECT FROM authorization_event
            WHERE shard = $4 AND kind = 'reversed' AND at < $3)";

pub(super) const BY_ORIGIN: &str =
    concat!(authorization!(), "WHERE id >= $1 AND id <= $2 AND origin = $3 ORDER BY id");

const REVERSALS: &str = "\
    SELECT id, authorization_id, reason, at,
        acquirer, class, stan, local_time, terminal, rrn, fingerprint
    FROM authorization_event
    WHERE shard = $1 AND kind = 'reversed' AND at >= $2 ORDER BY seq DESC, idx DESC LIMIT $3";

const EARLY: &str = "\
    SELECT id, original_acquirer, original_stan, original_terminal, original_fingerprint,
        original_transmitted, original_rrn
    FROM authorization_event
    WHERE shard = $1 AND kind = 'reversed' AND at >= $2 AND authorization_id IS NULL
    ORDER BY seq DESC, idx DESC LIMIT $3";

const COMMANDS: &str = "\
    SELECT idempotency_key, made_id, at FROM audit_entry
    WHERE shard = $1 AND idempotency_key IS NOT NULL AND at >= $2
    ORDER BY seq DESC, idx DESC LIMIT $3";

/// What is loaded of what has happened.
#[derive(Clone, Copy)]
pub(super) struct Since {
    pub(super) shard: ShardId,
    pub(super) start: Timestamp,
    pub(super) most: usize,
}

impl Since {
    fn most(self) -> i64 {
        i64::try_from(self.most).unwrap_or(i64::MAX)
    }

    fn query(self, sql: &'static str) -> Query<'static, Postgres, PgArguments> {
        let start = PgTimestamp(self.start);
        sqlx::query(sql).bind(i32::from(self.shard.0)).bind(start).bind(self.most())
    }
}

/// The first and the last identifier that a shard can mint.
pub(super) fn identifiers(shard: ShardId) -> (i64, i64) {
    let first = i64::from(shard.0) << 40;
    (first, first | ((1 << 40) - 1))
}

/// The latest authorizations, oldest first.
pub(super) async fn recent(
    tx: &mut PgConnection,
    since: Since,
) -> Result<Vec<Authorization>, StoreError> {
    let (first, last) = identifiers(since.shard);
    let query = sqlx::query(RECENT)
        .bind(first)
        .bind(last)
        .bind(PgTimestamp(since.start))
        .bind(since.most());
    let mut found = each(tx, query, authorization).await?;
    found.reverse();
    Ok(found)
}

pub(super) async fn any_before(tx: &mut PgConnection, since: Since) -> Result<bool, StoreError> {
    let (first, last) = identifiers(since.shard);
    let query = sqlx::query_scalar(ANY_BEFORE).bind(first).bind(last);
    let query = query.bind(PgTimestamp(since.start)).bind(i32::from(since.shard.0));
    query.fetch_one(tx).await.map_err(StoreError::database(DOING))
}

/// Answers to authorization requests are the authorizations' own, as a void may have left them;
/// answers to reversals stand in their events.
pub(super) async fn answers(
    tx: &mut PgConnection,
    since: Since,
    authorizations: &[Authorization],
) -> Result<Vec<StoredAnswer>, StoreError> {
    let mut answers = each(tx, since.query(REVERSALS), reversal_answer).await?;
    answers.extend(authorizations.iter().map(answer));
    answers.sort_by_key(|answer| (answer.decided_at, answer.key));
    Ok(answers)
}

/// What an authorization says when its message comes again.
pub(super) fn answer(one: &Authorization) -> StoredAnswer {
    StoredAnswer {
        key: one.facts.key,
        reason: one.reason,
        approval_code: one.approval_code,
        authorization: Some(one.id),
        decided_at: one.decided_at,
    }
}

pub(super) async fn early(
    tx: &mut PgConnection,
    since: Since,
) -> Result<Vec<OriginalReference>, StoreError> {
    let mut found = each(tx, since.query(EARLY), |row| {
        Named::new("authorization_event", row, "id")?.original_reference()
    })
    .await?;
    found.reverse();
    Ok(found)
}

pub(super) async fn commands(
    tx: &mut PgConnection,
    since: Since,
) -> Result<Vec<(IdempotencyKey, Option<i64>, Timestamp)>, StoreError> {
    let mut found = each(tx, since.query(COMMANDS), |row| {
        let key: Uuid = get(row, "idempotency_key")?;
        let at: PgTimestamp = get(row, "at")?;
        Ok((IdempotencyKey(key.into_bytes()), get(row, "made_id")?, at.0))
    })
    .await?;
    found.reverse();
    Ok(found)
}

pub(super) fn reversal_answer(row: &PgRow) -> Result<StoredAnswer, StoreError> {
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

pub(super) fn authorization(row: &PgRow) -> Result<Authorization, StoreError> {
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
