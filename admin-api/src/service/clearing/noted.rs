//! The table of records that were taken (`clearing_record`): by it a record that comes again is
//! known, and another under its number refused. It owns that table and nothing of money.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::{PgPool, PgRow};

use super::record::FileId;
use crate::Problem;

/// Rows that one statement removes.
const PIECE: i64 = 10_000;

const NOTE: &str = "\
    INSERT INTO clearing_record (file, record, digest)
    SELECT $1, record, digest FROM UNNEST($2::int8[], $3::bytea[]) AS came (record, digest)
    ON CONFLICT DO NOTHING";

const FIND: &str =
    "SELECT record, digest, outcome FROM clearing_record WHERE file = $1 AND record = ANY ($2)";

const CAME_TO: &str = "\
    UPDATE clearing_record SET outcome = came.outcome
    FROM UNNEST($2::int8[], $3::text[]) AS came (record, outcome)
    WHERE file = $1 AND clearing_record.record = came.record";

const FORGET: &str = "\
    DELETE FROM clearing_record WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM clearing_record
        WHERE noted_at < clock_timestamp() - make_interval(secs => $1) LIMIT $2))";

/// What is known of a record.
pub(super) struct Known {
    pub(super) digest: Vec<u8>,
    /// Whether what it came to is committed.
    pub(super) done: bool,
}

/// Notes records that are new, and tells what was noted of each number, now or before.
pub(super) async fn note(
    pool: &PgPool,
    file: &FileId,
    records: &[(u64, [u8; 32])],
) -> Result<HashMap<u64, Known>, Problem> {
    let numbers: Vec<i64> = records.iter().map(|(number, _)| signed(*number)).collect();
    let digests: Vec<&[u8]> = records.iter().map(|(_, digest)| &digest[..]).collect();
    sqlx::query(NOTE).bind(file.as_str()).bind(&numbers).bind(&digests).execute(pool).await?;
    let rows = sqlx::query(FIND).bind(file.as_str()).bind(&numbers).fetch_all(pool).await?;
    let known = rows.into_iter().map(|row: PgRow| -> Result<(u64, Known), Problem> {
        let number: i64 = row.try_get("record")?;
        let outcome: Option<String> = row.try_get("outcome")?;
        let digest = row.try_get("digest")?;
        Ok((number.unsigned_abs(), Known { digest, done: outcome.is_some() }))
    });
    known.collect()
}

/// Notes what records came to, once that is committed.
pub(super) async fn came_to(
    pool: &PgPool,
    file: &FileId,
    outcomes: &[(u64, &'static str)],
) -> Result<(), Problem> {
    let numbers: Vec<i64> = outcomes.iter().map(|(number, _)| signed(*number)).collect();
    let names: Vec<&str> = outcomes.iter().map(|(_, name)| *name).collect();
    sqlx::query(CAME_TO).bind(file.as_str()).bind(&numbers).bind(&names).execute(pool).await?;
    Ok(())
}

/// Removes what was noted longer ago than that.
pub(super) async fn forget(pool: &PgPool, older: Duration) -> Result<u64, Problem> {
    let mut gone: u64 = 0;
    loop {
        let removing = sqlx::query(FORGET).bind(older.as_secs_f64()).bind(PIECE);
        let removed = removing.execute(pool).await?.rows_affected();
        gone = gone.saturating_add(removed);
        if removed < PIECE.unsigned_abs() {
            return Ok(gone);
        }
    }
}

/// Numbers of records have twelve digits at most.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
