//! One chunk, one transaction: the watermark by compare-and-set, and everything that follows from
//! the rows up to it (W-23). Either all of it is there or none.

use sqlx::PgConnection;
use switch_domain::Seq;

use super::chunk::Chunk;
use super::copy::CopyRows;
use super::{authorizations, entities, history, transfers};
use crate::pg_timestamp::PgTimestamp;

/// The rows and the watermark are lost together if at all, and are made again from the journal:
/// these transactions, and no others, need not wait for the disk.
pub(super) const BEGIN: &str = "BEGIN; SET LOCAL synchronous_commit = off";

const FIRST: &str = "\
    INSERT INTO projection (shard, seq, last_counter, last_decided, control_version)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";

const MOVE: &str = "\
    UPDATE projection SET seq = $2, last_counter = greatest(last_counter, $3),
        last_decided = greatest(last_decided, $4), control_version = control_version + $5
    WHERE shard = $1 AND seq = $6";

/// Writes a chunk; false where the watermark was not where the chunk begins, and nothing was
/// written.
pub(super) async fn write(
    connection: &mut PgConnection,
    chunk: &mut Chunk,
) -> Result<bool, sqlx::Error> {
    sqlx::raw_sql(BEGIN).execute(&mut *connection).await?;
    let written = write_within(connection, chunk).await?;
    let end = if written { "COMMIT" } else { "ROLLBACK" };
    sqlx::raw_sql(end).execute(connection).await?;
    Ok(written)
}

/// Writes a chunk in a transaction that somebody else ends, which must not commit where this is
/// false.
pub(super) async fn write_within(
    connection: &mut PgConnection,
    chunk: &mut Chunk,
) -> Result<bool, sqlx::Error> {
    if !move_watermark(connection, chunk).await? {
        return Ok(false);
    }
    entities::write(connection, chunk).await?;
    transfers::write(connection, chunk).await?;
    copy(connection, authorizations::COPY_NEW, &mut chunk.authorizations.0).await?;
    authorizations::change(connection, &chunk.changed).await?;
    copy(connection, history::COPY_EVENTS, &mut chunk.history.events).await?;
    copy(connection, history::COPY_POSTINGS, &mut chunk.history.postings).await?;
    copy(connection, history::COPY_AUDIT, &mut chunk.history.audit).await?;
    Ok(true)
}

async fn move_watermark(tx: &mut PgConnection, chunk: &Chunk) -> Result<bool, sqlx::Error> {
    let first = chunk.after == Seq::NONE;
    let statement = sqlx::query(if first { FIRST } else { MOVE })
        .bind(i32::from(chunk.shard.0))
        .bind(chunk.last.0)
        .bind(i64::try_from(chunk.last_counter).unwrap_or(i64::MAX))
        .bind(PgTimestamp(chunk.last_decided))
        .bind(chunk.control_changes);
    let statement = if first { statement } else { statement.bind(chunk.after.0) };
    Ok(statement.execute(tx).await?.rows_affected() == 1)
}

async fn copy(
    tx: &mut PgConnection,
    statement: &'static str,
    rows: &mut CopyRows,
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut copy = tx.copy_in_raw(statement).await?;
    copy.send(rows.finish()).await?;
    copy.finish().await?;
    Ok(())
}
