//! Authorizations, reversals and commands, which a shard remembers for a window. It
//! reads the tables of history as far as the window goes and no further.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres};
use switch_domain::{
    AnsweredReversal, Authorization, AuthorizationId, BalanceId, CardId, CommandDigest,
    DoneCommand, IdempotencyKey, Merchant, MessageFacts, MinorUnits, PoolId, ShardId, Timestamp,
    Totals,
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
            WHERE shard = $4 AND kind = 'reversed' AND at < $3)
        OR EXISTS (SELECT FROM audit_entry
            WHERE shard = $4 AND idempotency_key IS NOT NULL AND at < $3)";

pub(super) const BY_ORIGIN: &str =
    concat!(authorization!(), "WHERE id >= $1 AND id <= $2 AND origin = $3 ORDER BY id");

/// Columns of a reversal.
macro_rules! reversal {
    () => {
        "SELECT id, authorization_id, reason, at,
            acquirer, class, stan, local_time, terminal, rrn, fingerprint,
            original_acquirer, original_stan, original_terminal, original_fingerprint,
            original_transmitted, original_rrn
        FROM authorization_event "
    };
}

const REVERSALS: &str = concat!(
    reversal!(),
    "WHERE shard = $1 AND kind = 'reversed' AND at >= $2 ORDER BY seq DESC, idx DESC LIMIT $3"
);

/// The condition is that of the partial index.
pub(super) const REVERSALS_BY_ORIGIN: &str = concat!(
    reversal!(),
    "WHERE shard = $1 AND origin = $2 AND kind = 'reversed' ORDER BY seq, idx"
);

/// Reversals that came before their original, by what they say of it. The condition is that of the
/// partial index, which holds these few alone.
pub(super) const EARLY_REVERSALS: &str = concat!(
    reversal!(),
    "WHERE shard = $1 AND original_fingerprint = $2 AND original_stan = $3
        AND kind = 'reversed' AND authorization_id IS NULL ORDER BY seq, idx"
);

/// Columns of a command.
macro_rules! command {
    () => {
        "SELECT idempotency_key, digest, made_id, at FROM audit_entry "
    };
}

const COMMANDS: &str = concat!(
    command!(),
    "WHERE shard = $1 AND idempotency_key IS NOT NULL AND at >= $2
    ORDER BY seq DESC, idx DESC LIMIT $3"
);

pub(super) const COMMAND_BY_KEY: &str =
    concat!(command!(), "WHERE idempotency_key = $2 AND shard = $1 ORDER BY seq, idx");

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

/// The latest reversals, oldest first.
pub(super) async fn reversals(
    tx: &mut PgConnection,
    since: Since,
) -> Result<Vec<AnsweredReversal>, StoreError> {
    let mut found = each(tx, since.query(REVERSALS), reversal).await?;
    found.reverse();
    Ok(found)
}

/// The latest commands, oldest first.
pub(super) async fn commands(
    tx: &mut PgConnection,
    since: Since,
) -> Result<Vec<DoneCommand>, StoreError> {
    let mut found = each(tx, since.query(COMMANDS), command).await?;
    found.reverse();
    Ok(found)
}

pub(super) fn command(row: &PgRow) -> Result<DoneCommand, StoreError> {
    let key: Uuid = get(row, "idempotency_key")?;
    let at: PgTimestamp = get(row, "at")?;
    Ok(DoneCommand {
        key: IdempotencyKey(key.into_bytes()),
        digest: get::<Option<i64>>(row, "digest")?.map(CommandDigest),
        made: get(row, "made_id")?,
        at: at.0,
    })
}

pub(super) fn reversal(row: &PgRow) -> Result<AnsweredReversal, StoreError> {
    let row = Named::new("authorization_event", row, "id")?;
    let at: PgTimestamp = row.get("at")?;
    Ok(AnsweredReversal {
        id: AuthorizationId(row.key),
        key: row.message_key()?,
        reference: row.original_reference()?,
        original: row.get::<Option<i64>>("authorization_id")?.map(AuthorizationId),
        reason: row.reason()?,
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
