//! What is to be sent, and what follows from a try, in SQL. It owns the order: of one key at one
//! endpoint a message goes only when none before it waits; and that what follows from a try is one
//! transaction with its record.

use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row};
use switch_domain::Timestamp;
use switch_store::PgTimestamp;
use uuid::Uuid;

use super::schedule::{Schedule, asked_pause, later};
use super::{Outcome, Said, attempts};
use crate::Problem;

const PLACES: &str = "\
    SELECT id, public_id, url, secret, failures,
        CASE WHEN previous_until > $1 THEN previous_secret END AS previous
    FROM webhook_endpoint AS e
    WHERE state = 'ENABLED' AND (paused_until IS NULL OR paused_until <= $1)
        AND EXISTS (SELECT FROM webhook_message AS m
            WHERE m.endpoint_id = e.id AND m.state = 'WAITING' AND m.next_at <= $1)
    ORDER BY id";

const DUE: &str = "\
    SELECT id, public_id, ordering_key, body FROM webhook_message AS m
    WHERE endpoint_id = $1 AND state = 'WAITING' AND next_at <= $2 AND id <> ALL ($3)
        AND NOT (in_order AND EXISTS (SELECT FROM webhook_message AS before
            WHERE before.endpoint_id = $1 AND before.state = 'WAITING' AND before.in_order
                AND before.ordering_key = m.ordering_key AND before.id < m.id))
    ORDER BY next_at, id LIMIT $4";

/// Those behind one that is not due yet are not due either: else they would be looked at in vain
/// all the time that an endpoint is out. They are written once for each try of that one; whatever
/// ends it wakes the next (`NEXT_OF_KEY`, `wake`).
const HOLD_BACK: &str = "\
    UPDATE webhook_message AS m SET next_at = first.next_at
    FROM (SELECT id, ordering_key FROM webhook_message
        WHERE endpoint_id = $1 AND state = 'WAITING' AND in_order AND next_at <= $2) AS behind
    CROSS JOIN LATERAL (SELECT id, next_at FROM webhook_message
        WHERE endpoint_id = $1 AND state = 'WAITING' AND in_order
            AND ordering_key = behind.ordering_key
        ORDER BY id LIMIT 1) AS first
    WHERE m.id = behind.id AND m.state = 'WAITING' AND m.next_at <= $2
        AND first.id < m.id AND first.next_at > $2";

const ENDED: &str = "\
    UPDATE webhook_message SET state = $2, attempts = attempts + 1, tries = tries + 1,
        ended_at = $3
    WHERE id = $1 RETURNING attempts";

const LATER: &str = "\
    UPDATE webhook_message SET attempts = attempts + 1, tries = tries + 1, next_at = $2
    WHERE id = $1 RETURNING attempts";

const NEXT_OF_KEY: &str = "\
    UPDATE webhook_message SET next_at = least(next_at, $3) WHERE id = (
        SELECT min(id) FROM webhook_message
        WHERE endpoint_id = $1 AND ordering_key = $2 AND state = 'WAITING' AND in_order)";

/// The same of several keys, whose first ones are no more.
const WAKE: &str = "\
    UPDATE webhook_message SET next_at = least(next_at, $3) WHERE id IN (
        SELECT min(m.id) FROM UNNEST($1::int8[], $2::text[]) AS ended (endpoint, key)
        JOIN webhook_message AS m ON m.endpoint_id = ended.endpoint
            AND m.ordering_key = ended.key AND m.state = 'WAITING' AND m.in_order
        GROUP BY m.endpoint_id, m.ordering_key)";

/// A pause that it asked for ends by itself: tries that were under way say nothing of it.
const WENT_WELL: &str = "\
    UPDATE webhook_endpoint SET failures = 0 WHERE id = $1 AND failures <> 0";

const WENT_WRONG: &str = "\
    UPDATE webhook_endpoint SET failures = least(failures, 1000000) + 1,
        paused_until = greatest(paused_until, $2)
    WHERE id = $1";

const GONE: &str = "\
    UPDATE webhook_endpoint SET state = 'DISABLED', disabled_why = 'GONE', version = version + 1
    WHERE id = $1 AND state = 'ENABLED'";

/// An endpoint for which something is due.
pub(super) struct Place {
    pub(super) id: i64,
    pub(super) public_id: Uuid,
    pub(super) url: String,
    pub(super) secret: Vec<u8>,
    pub(super) previous: Option<Vec<u8>>,
    pub(super) fails: bool,
}

/// A message that is due.
#[derive(Clone, Debug)]
pub(super) struct Due {
    pub(super) id: i64,
    pub(super) public_id: Uuid,
    pub(super) key: String,
    pub(super) body: String,
}

/// Endpoints for which something is due.
pub(super) async fn places(pool: &PgPool, now: Timestamp) -> Result<Vec<Place>, Problem> {
    let rows = sqlx::query(PLACES).bind(PgTimestamp(now)).fetch_all(pool).await?;
    let read = |row: &PgRow| -> Result<Place, Problem> {
        Ok(Place {
            id: row.try_get("id")?,
            public_id: row.try_get("public_id")?,
            url: row.try_get("url")?,
            secret: row.try_get("secret")?,
            previous: row.try_get("previous")?,
            fails: row.try_get::<i32, _>("failures")? > 0,
        })
    };
    rows.iter().map(read).collect()
}

/// What is due of an endpoint, at most so many, but for those that are under way.
pub(super) async fn due(
    pool: &PgPool,
    (endpoint, under_way): (i64, &[i64]),
    now: Timestamp,
    most: u32,
) -> Result<Vec<Due>, Problem> {
    let query = sqlx::query(DUE).bind(endpoint).bind(PgTimestamp(now)).bind(under_way);
    let rows = query.bind(i64::from(most)).fetch_all(pool).await?;
    if rows.len() < usize::try_from(most).unwrap_or(usize::MAX) {
        sqlx::query(HOLD_BACK).bind(endpoint).bind(PgTimestamp(now)).execute(pool).await?;
    }
    let read = |row: &PgRow| -> Result<Due, Problem> {
        Ok(Due {
            id: row.try_get("id")?,
            public_id: row.try_get("public_id")?,
            key: row.try_get("ordering_key")?,
            body: row.try_get("body")?,
        })
    };
    rows.iter().map(read).collect()
}

/// A try that is over.
pub(super) struct Tried {
    pub(super) endpoint: i64,
    pub(super) message: Due,
    pub(super) began: Timestamp,
    pub(super) took: Duration,
    pub(super) said: Said,
}

/// What became of its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Became {
    Delivered,
    Later,
    Failed,
    /// It is no more: its endpoint was removed.
    Nothing,
}

/// Notes a try, and what follows from it.
pub(super) async fn settle(
    pool: &PgPool,
    schedule: &Schedule,
    tried: &Tried,
    (now, die): (Timestamp, u8),
) -> Result<Became, Problem> {
    let mut transaction = pool.begin().await?;
    let id = tried.message.id;
    // What another try ended is not looked at again.
    let sql = "SELECT tries FROM webhook_message WHERE id = $1 AND state = 'WAITING' \
               FOR NO KEY UPDATE";
    let before = sqlx::query_scalar::<_, i32>(sql).bind(id);
    let Some(before) = before.fetch_optional(&mut *transaction).await? else {
        return Ok(Became::Nothing);
    };
    let failed = u32::try_from(before).unwrap_or_default().saturating_add(1);
    let asked = tried.said.retry_after.as_deref().and_then(|text| asked_pause(text, now));
    let became = match (tried.said.outcome, schedule.pause(failed, die)) {
        (Outcome::Delivered, _) => {
            went_well(&mut transaction, tried).await?;
            end(&mut transaction, tried, "DELIVERED", now).await?;
            Became::Delivered
        }
        // Kept for who enables it again.
        (Outcome::Gone, _) => {
            sqlx::query(GONE).bind(tried.endpoint).execute(&mut *transaction).await?;
            put_off(&mut transaction, tried, now).await?;
            Became::Later
        }
        (_, Some(pause)) => {
            went_wrong(&mut transaction, tried, asked.map(|pause| later(now, pause))).await?;
            let next = later(now, asked.map_or(pause, |asked| asked.max(pause)));
            put_off(&mut transaction, tried, next).await?;
            Became::Later
        }
        (_, None) => {
            went_wrong(&mut transaction, tried, asked.map(|pause| later(now, pause))).await?;
            end(&mut transaction, tried, "FAILED", now).await?;
            Became::Failed
        }
    };
    transaction.commit().await?;
    Ok(became)
}

/// It is over, and the next of its key may go.
async fn end(
    transaction: &mut PgConnection,
    tried: &Tried,
    state: &'static str,
    now: Timestamp,
) -> Result<(), Problem> {
    let query = sqlx::query(ENDED).bind(tried.message.id).bind(state).bind(PgTimestamp(now));
    let row = query.fetch_one(&mut *transaction).await?;
    note(transaction, tried, &row).await?;
    let query = sqlx::query(NEXT_OF_KEY).bind(tried.endpoint).bind(&tried.message.key);
    query.bind(PgTimestamp(now)).execute(transaction).await?;
    Ok(())
}

/// Those that come first now of these keys, each at its endpoint, may go.
pub(super) async fn wake(
    connection: &mut PgConnection,
    (endpoints, keys): (&[i64], &[String]),
    now: Timestamp,
) -> Result<(), Problem> {
    let query = sqlx::query(WAKE).bind(endpoints).bind(keys).bind(PgTimestamp(now));
    query.execute(connection).await?;
    Ok(())
}

async fn put_off(
    transaction: &mut PgConnection,
    tried: &Tried,
    next: Timestamp,
) -> Result<(), Problem> {
    let query = sqlx::query(LATER).bind(tried.message.id).bind(PgTimestamp(next));
    let row = query.fetch_one(&mut *transaction).await?;
    note(transaction, tried, &row).await
}

async fn note(transaction: &mut PgConnection, tried: &Tried, row: &PgRow) -> Result<(), Problem> {
    let number: i32 = row.try_get("attempts")?;
    let place = (tried.message.id, number);
    attempts::note(transaction, place, (tried.began, tried.took), &tried.said).await
}

async fn went_well(transaction: &mut PgConnection, tried: &Tried) -> Result<(), Problem> {
    sqlx::query(WENT_WELL).bind(tried.endpoint).execute(transaction).await?;
    Ok(())
}

async fn went_wrong(
    transaction: &mut PgConnection,
    tried: &Tried,
    pause: Option<Timestamp>,
) -> Result<(), Problem> {
    let query = sqlx::query(WENT_WRONG).bind(tried.endpoint).bind(pause.map(PgTimestamp));
    query.execute(transaction).await?;
    Ok(())
}
