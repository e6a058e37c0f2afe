//! Authorizations, reversals and commands, which a shard remembers for a window. It
//! reads the tables of history as far as the window goes and no further.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres};
use switch_domain::{
    AnsweredReversal, Authorization, AuthorizationId, BalanceId, CardId, CommandDigest, Completed,
    Conversion, Counted, Country, DoneCommand, FeeTotals, IdempotencyKey, Merchant, MessageFacts,
    MinorUnits, PoolId, Portion, Reason, ShardId, Timestamp, Totals,
};
use uuid::Uuid;

use super::row::{DOING, Named, each};
use crate::error::StoreError;
use crate::format::{decode_conversion, decode_counted};
use crate::pg_timestamp::PgTimestamp;
use crate::shards::ancestors;

/// Columns of an authorization.
macro_rules! columns {
    () => {
        "id, card_id, balance_id, pool_id, currency, requested, approved, fee, reason,
            approval_code, stand_in, would_be, transaction_type, completes_id, completes_at,
            authorized, incremented, reversed, cleared, refunded, closed, decided_at,
            acquirer, class, stan, local_time, terminal, rrn, fingerprint,
            transmitted, channel, entry_mode, mcc, merchant, country, counted,
            network_trace, conversion, answered, fees_held, fees_charged, fees_invoiced"
    };
}

macro_rules! authorization {
    () => {
        concat!("SELECT ", columns!(), " FROM card_authorization ")
    };
}

/// Identifiers rise with time, and those of a shard stand together in each day's key.
const RECENT: &str = concat!(
    authorization!(),
    "WHERE id >= $1 AND id <= $2 AND decided_at >= $3 ORDER BY id DESC LIMIT $4"
);

/// Of sealed shards, those whose account lives in this one now, or whose card was never known.
const RECENT_BEFORE: &str = concat!(
    authorization!(),
    "WHERE id >= $1 AND id <= $2 AND decided_at >= $3
        AND (balance_id IS NULL OR EXISTS (
            SELECT FROM balance WHERE balance.id = balance_id AND balance.shard = $5))
    ORDER BY decided_at DESC, id DESC LIMIT $4"
);

/// Everything that is not closed, however old.
const OPEN: &str =
    concat!(authorization!(), "WHERE id >= $1 AND id <= $2 AND NOT closed ORDER BY id");

/// Whether a shard's rows go back further than a window does.
const ANY_BEFORE: &str = "\
    SELECT EXISTS (SELECT FROM card_authorization
            WHERE (id >= $1 AND id <= $2 OR id >= $5 AND id <= $6) AND decided_at < $3)
        OR EXISTS (SELECT FROM authorization_event
            WHERE shard = ANY($4) AND kind = 'reversed' AND at < $3)
        OR EXISTS (SELECT FROM audit_entry
            WHERE shard = ANY($4) AND idempotency_key IS NOT NULL AND at < $3)";

/// A look-up by a column that has an index in parts.
macro_rules! in_parts {
    ($column:literal) => {
        concat!(
            "WITH days AS (
        SELECT bounds[1]::timestamptz AS begins, bounds[2]::timestamptz AS ends
        FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid, regexp_match(
            pg_get_expr(relpartbound, pg_class.oid), 'FROM \\(''(.+)''\\) TO \\(''(.+)''\\)'
        ) AS bounds
        WHERE inhparent = 'card_authorization'::regclass AND bounds IS NOT NULL
    ), parts AS (
        SELECT begins, ends, part
        FROM days, (VALUES ($1, $2), ($4, $5)) AS shards (first, last), LATERAL (
            SELECT min(id) AS first, max(id) AS last FROM card_authorization
            WHERE decided_at >= begins AND decided_at < ends
                AND id >= shards.first AND id <= shards.last
        ) AS ids, generate_series(ids.first >> 22, ids.last >> 22) AS part
    )
    SELECT of_day.* FROM parts, LATERAL (",
            authorization!(),
            "WHERE decided_at >= begins AND decided_at < ends AND (id >> 22) = part AND ",
            $column,
            " = $3
    ) AS of_day
    UNION ALL SELECT ",
            columns!(),
            " FROM card_authorization_rest
    WHERE (id >= $1 AND id <= $2 OR id >= $4 AND id <= $5) AND ",
            $column,
            " = $3
    ORDER BY id"
        )
    };
}

/// Each day is asked for the parts that its index has (migration 0016): those between its first
/// and its last identifier. The partition of no day has few rows, and an index of its own.
pub(super) const BY_ORIGIN: &str = in_parts!("origin");

/// The same by the network's identifier, whose index has those rows alone that have one.
pub(super) const BY_TRACE: &str = in_parts!("network_trace");

/// By its key: one row of one day.
pub(super) const BY_NAME: &str = concat!(authorization!(), "WHERE id = $1 AND decided_at = $2");

/// By its name alone, which every day that is kept is asked for, with what only people ask for.
pub(crate) const EXPLAINED: &str = concat!(
    "SELECT link, partner_id, declined_by, would_decline, trace, evidence, ",
    columns!(),
    " FROM card_authorization WHERE id = $1"
);

/// Those of one day of a card or an account, the latest first, behind a place among them: all, or
/// those that were granted or not (`$6`); `$7` are the reasons of a grant here.
macro_rules! of_day {
    ($column:literal) => {
        concat!(
            authorization!(),
            "WHERE ",
            $column,
            " = $1 AND decided_at >= $2 AND decided_at < $3 AND (decided_at, id) < ($4, $5)
        AND ($6::bool IS NULL
            OR coalesce(stand_in IN ('agreed', 'forced'), reason = ANY ($7)) = $6)
    ORDER BY decided_at DESC, id DESC LIMIT $8"
        )
    };
}

pub(crate) const OF_CARD: &str = of_day!("card_id");
pub(crate) const OF_BALANCE: &str = of_day!("balance_id");

/// Those of a holder, in their order; who asks says which column that is, and whose they are.
pub(crate) const PAST: &str = concat!(
    "SELECT one.HOLDER AS holder, declined_by, trace, ",
    columns!(),
    " FROM card_authorization AS one
    WHERE SUBJECT AND decided_at >= $2 AND decided_at < $3 ORDER BY one.HOLDER, id"
);

/// Columns of a reversal.
macro_rules! reversal {
    () => {
        "SELECT id, authorization_id, reason, at,
            acquirer, class, stan, local_time, terminal, rrn, fingerprint,
            original_acquirer, original_stan, original_terminal, original_fingerprint,
            original_transmitted, original_rrn, original_class, original_network_trace, standing
        FROM authorization_event "
    };
}

const REVERSALS: &str = concat!(
    reversal!(),
    "WHERE shard = ANY($1) AND kind = 'reversed' AND at >= $2
    ORDER BY at DESC, shard DESC, seq DESC, idx DESC LIMIT $3"
);

/// The condition is that of the partial index.
pub(super) const REVERSALS_BY_ORIGIN: &str = concat!(
    reversal!(),
    "WHERE shard = ANY($1) AND origin = $2 AND kind = 'reversed' ORDER BY shard, seq, idx"
);

/// Reversals that gave nothing back, by what they say of their original: they came before it, or
/// before the advice of it. The condition is that of the partial index, which holds these alone;
/// those of one card are few, so that it serves for the network's identifier as well.
pub(super) const EARLY_REVERSALS: &str = concat!(
    reversal!(),
    "WHERE shard = ANY($1) AND original_fingerprint = $2
        AND (original_stan = $3 OR original_network_trace = $4)
        AND kind = 'reversed' AND reversed IS NULL ORDER BY shard, seq, idx"
);

/// Columns of a command.
macro_rules! command {
    () => {
        "SELECT seq, idempotency_key, digest, made_id, at,
            CASE WHEN kind = 'lock_refused' THEN split_part(detail, ' ', 1) END AS refused
        FROM audit_entry "
    };
}

const COMMANDS: &str = concat!(
    command!(),
    "WHERE shard = ANY($1) AND idempotency_key IS NOT NULL AND at >= $2
    ORDER BY at DESC, shard DESC, seq DESC, idx DESC LIMIT $3"
);

pub(super) const COMMAND_BY_KEY: &str =
    concat!(command!(), "WHERE idempotency_key = $2 AND shard = ANY($1) ORDER BY shard, seq, idx");

/// Whose history it is: a shard's own, and that of the sealed shards that it goes on from (W-12).
pub(super) struct Lineage {
    shard: ShardId,
    /// Their numbers come before its own, and are in a row.
    ancestors: Vec<ShardId>,
}

impl Lineage {
    pub(super) async fn of(tx: &mut PgConnection, shard: ShardId) -> Result<Self, StoreError> {
        Ok(Self { shard, ancestors: ancestors(tx, shard).await? })
    }

    /// All of them, as PostgreSQL numbers them.
    pub(super) fn shards(&self) -> Vec<i32> {
        let all = self.ancestors.iter().chain([&self.shard]);
        all.map(|shard| i32::from(shard.0)).collect()
    }

    /// The first and the last identifier that the shard can mint.
    pub(super) fn identifiers(&self) -> (i64, i64) {
        identifiers(self.shard, self.shard)
    }

    /// The first and the last that its ancestors can have minted.
    pub(super) fn earlier_identifiers(&self) -> Option<(i64, i64)> {
        Some(identifiers(*self.ancestors.first()?, *self.ancestors.last()?))
    }

    /// The same for a query, where none is a range that nothing is in.
    pub(super) fn earlier_or_none(&self) -> (i64, i64) {
        self.earlier_identifiers().unwrap_or((0, -1))
    }
}

/// What is loaded of what has happened.
pub(super) struct Since {
    pub(super) lineage: Lineage,
    pub(super) start: Timestamp,
    pub(super) most: usize,
}

impl Since {
    fn query(&self, sql: &'static str) -> Query<'static, Postgres, PgArguments> {
        let start = PgTimestamp(self.start);
        sqlx::query(sql).bind(self.lineage.shards()).bind(start).bind(limit(self.most))
    }
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// The first and the last identifier that shards with numbers in a row can mint.
fn identifiers(first: ShardId, last: ShardId) -> (i64, i64) {
    (i64::from(first.0) << 40, (i64::from(last.0) << 40) | ((1 << 40) - 1))
}

/// The latest authorizations, oldest first.
pub(super) async fn recent(
    tx: &mut PgConnection,
    since: &Since,
) -> Result<Vec<Authorization>, StoreError> {
    let (first, last) = since.lineage.identifiers();
    let start = PgTimestamp(since.start);
    let query = sqlx::query(RECENT).bind(first).bind(last).bind(start).bind(limit(since.most));
    let mut found = each(tx, query, authorization).await?;
    let room = since.most.saturating_sub(found.len());
    if let Some((first, last)) = since.lineage.earlier_identifiers()
        && room > 0
    {
        let query = sqlx::query(RECENT_BEFORE).bind(first).bind(last).bind(start);
        let query = query.bind(limit(room)).bind(i32::from(since.lineage.shard.0));
        found.extend(each(tx, query, authorization).await?);
    }
    found.sort_unstable_by_key(|one| one.id);
    Ok(found)
}

/// What a shard, and the sealed ones that it goes on from, minted and nobody closed.
pub(super) async fn open(
    tx: &mut PgConnection,
    shard: ShardId,
) -> Result<Vec<Authorization>, StoreError> {
    let lineage = Lineage::of(tx, shard).await?;
    let (first, last) = lineage.identifiers();
    let query = sqlx::query(OPEN).bind(first).bind(last);
    let mut found = each(tx, query, authorization).await?;
    if let Some((first, last)) = lineage.earlier_identifiers() {
        let query = sqlx::query(OPEN).bind(first).bind(last);
        found.extend(each(tx, query, authorization).await?);
    }
    found.sort_unstable_by_key(|one| one.id);
    Ok(found)
}

pub(super) async fn any_before(tx: &mut PgConnection, since: &Since) -> Result<bool, StoreError> {
    let lineage = &since.lineage;
    let ((first, last), earlier) = (lineage.identifiers(), lineage.earlier_or_none());
    let query = sqlx::query_scalar(ANY_BEFORE).bind(first).bind(last);
    let query = query.bind(PgTimestamp(since.start)).bind(lineage.shards());
    let query = query.bind(earlier.0).bind(earlier.1);
    query.fetch_one(tx).await.map_err(StoreError::database(DOING))
}

/// The latest reversals, oldest first.
pub(super) async fn reversals(
    tx: &mut PgConnection,
    since: &Since,
) -> Result<Vec<AnsweredReversal>, StoreError> {
    let mut found = each(tx, since.query(REVERSALS), reversal).await?;
    found.reverse();
    Ok(found)
}

/// The latest commands, oldest first.
pub(super) async fn commands(
    tx: &mut PgConnection,
    since: &Since,
) -> Result<Vec<DoneCommand>, StoreError> {
    let mut found = each(tx, since.query(COMMANDS), command).await?;
    found.reverse();
    Ok(found)
}

pub(super) fn command(row: &PgRow) -> Result<DoneCommand, StoreError> {
    let row = Named::new("audit_entry", row, "seq")?;
    let key: Uuid = row.get("idempotency_key")?;
    let at: PgTimestamp = row.get("at")?;
    let refused = match row.get::<Option<&str>>("refused")? {
        Some(_) => Some(row.choice("refused")?),
        None => None,
    };
    Ok(DoneCommand {
        key: IdempotencyKey(key.into_bytes()),
        digest: row.get::<Option<i64>>("digest")?.map(CommandDigest),
        made: row.get("made_id")?,
        refused,
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
        standing: MinorUnits(row.get::<Option<i64>>("standing")?.unwrap_or_default()),
        reason: row.reason()?,
        decided_at: at.0,
    })
}

fn completes(row: &Named<'_>) -> Result<Option<Completed>, StoreError> {
    let id: Option<i64> = row.get("completes_id")?;
    let at: Option<PgTimestamp> = row.get("completes_at")?;
    Ok(id
        .zip(at)
        .map(|(id, at)| Completed { authorization: AuthorizationId(id), decided_at: at.0 }))
}

/// Both or neither: most were granted just what they asked for.
fn portion(row: &Named<'_>) -> Result<Option<Box<Portion>>, StoreError> {
    let Some(approved) = row.get::<Option<i64>>("approved")? else { return Ok(None) };
    let fee = row.get::<Option<i64>>("fee")?.ok_or_else(|| row.illegal("fee", "nothing"))?;
    Ok(Some(Box::new(Portion { approved: MinorUnits(approved), fee: MinorUnits(fee) })))
}

/// All three or none.
fn fees(row: &Named<'_>) -> Result<Option<Box<FeeTotals>>, StoreError> {
    let Some(held) = row.get::<Option<i64>>("fees_held")? else { return Ok(None) };
    let there = |column| {
        let amount: Option<i64> = row.get(column)?;
        amount.map(MinorUnits).ok_or_else(|| row.illegal(column, "nothing"))
    };
    Ok(Some(Box::new(FeeTotals {
        held: MinorUnits(held),
        charged: there("fees_charged")?,
        invoiced: there("fees_invoiced")?,
    })))
}

fn country(row: &Named<'_>) -> Result<Option<Country>, StoreError> {
    let Some(code) = row.get::<Option<i16>>("country")? else { return Ok(None) };
    let country = u16::try_from(code).ok().and_then(|code| Country::from_numeric(code).ok());
    country.map(Some).ok_or_else(|| row.illegal("country", code))
}

fn counted(row: &Named<'_>) -> Result<Option<Box<[Counted]>>, StoreError> {
    let Some(bytes) = row.get::<Option<&[u8]>>("counted")? else { return Ok(None) };
    decode_counted(bytes).map(Some).map_err(|fault| row.illegal("counted", fault))
}

fn conversion(row: &Named<'_>) -> Result<Option<Box<Conversion>>, StoreError> {
    let Some(bytes) = row.get::<Option<&[u8]>>("conversion")? else { return Ok(None) };
    decode_conversion(bytes).map(Some).map_err(|fault| row.illegal("conversion", fault))
}

fn answered(row: &Named<'_>) -> Result<Option<Reason>, StoreError> {
    let Some(name) = row.get::<Option<&str>>("answered")? else { return Ok(None) };
    let reason = Reason::from_name(name);
    reason.map(Some).ok_or_else(|| row.illegal("answered", name))
}

pub(crate) fn authorization(row: &PgRow) -> Result<Authorization, StoreError> {
    let row = Named::new("card_authorization", row, "id")?;
    let decided_at: PgTimestamp = row.get("decided_at")?;
    Ok(Authorization {
        id: AuthorizationId(row.key),
        facts: MessageFacts {
            key: row.message_key()?,
            transmitted: row.narrow::<i64, u64>("transmitted")?,
            channel: row.choice("channel")?,
            entry: row.choice("entry_mode")?,
            kind: row.maybe_choice("transaction_type")?.unwrap_or_default(),
            merchant: Merchant {
                category: row.narrow::<i32, u16>("mcc")?,
                id: row.text("merchant")?,
            },
            country: country(&row)?,
            network_trace: row.network_trace("network_trace")?,
        },
        card: row.get::<Option<i64>>("card_id")?.map(CardId),
        balance: row.get::<Option<i64>>("balance_id")?.map(BalanceId),
        pool: row.get::<Option<i64>>("pool_id")?.map(PoolId),
        currency: row.currency()?,
        requested: MinorUnits(row.get("requested")?),
        portion: portion(&row)?,
        reason: row.reason()?,
        answered: answered(&row)?,
        approval_code: row.approval_code()?,
        stand_in: row.stand_in()?,
        completes: completes(&row)?,
        conversion: conversion(&row)?,
        counted: counted(&row)?,
        totals: Totals {
            authorized: MinorUnits(row.get("authorized")?),
            incremented: MinorUnits(row.get("incremented")?),
            reversed: MinorUnits(row.get("reversed")?),
            cleared: MinorUnits(row.get("cleared")?),
            refunded: MinorUnits(row.get("refunded")?),
        },
        fees: fees(&row)?,
        decided_at: decided_at.0,
        closed: row.get("closed")?,
    })
}
