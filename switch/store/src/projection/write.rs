//! One chunk, one transaction: the watermark by compare-and-set, and everything that follows from
//! the rows up to it (W-23). Either all of it is there or none.

use sqlx::{Connection, PgConnection};
use switch_domain::{Seq, ShardId};

use super::chunk::Chunk;
use super::copy::CopyRows;
use super::{authorizations, entities, history};
use crate::pg_timestamp::PgTimestamp;

const BEGIN: &str = "BEGIN";

/// The rows and the watermark are lost together if at all, and are made again from the journal:
/// this transaction, and no other, need not wait for the disk.
const ASYNCHRONOUS: &str = "SET LOCAL synchronous_commit = off";

const FIRST: &str = "\
    INSERT INTO projection (shard, seq, last_counter, last_decided, control_version)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";

const MOVE: &str = "\
    UPDATE projection SET seq = $2, last_counter = greatest(last_counter, $3),
        last_decided = greatest(last_decided, $4), control_version = control_version + $5
    WHERE shard = $1 AND seq = $6";

const WATERMARK: &str = "SELECT seq FROM projection WHERE shard = $1";

/// How far the rows are.
pub(super) async fn watermark(
    connection: &mut PgConnection,
    shard: ShardId,
) -> Result<Seq, sqlx::Error> {
    let seq: Option<i64> =
        sqlx::query_scalar(WATERMARK).bind(i32::from(shard.0)).fetch_optional(connection).await?;
    Ok(seq.map_or(Seq::NONE, Seq))
}

/// Writes a chunk; false where the watermark was not where the chunk begins, and nothing was
/// written.
pub(super) async fn write(
    connection: &mut PgConnection,
    chunk: Chunk,
) -> Result<bool, sqlx::Error> {
    let mut tx = connection.begin_with(BEGIN).await?;
    sqlx::raw_sql(ASYNCHRONOUS).execute(&mut *tx).await?;
    if !move_watermark(&mut tx, &chunk).await? {
        tx.rollback().await?;
        return Ok(false);
    }
    entities::write(&mut tx, &chunk).await?;
    copy(&mut tx, authorizations::COPY_NEW, authorizations::new_rows(&chunk)).await?;
    authorizations::change(&mut tx, &chunk).await?;
    copy(&mut tx, history::COPY_EVENTS, chunk.history.events).await?;
    copy(&mut tx, history::COPY_POSTINGS, chunk.history.postings).await?;
    copy(&mut tx, history::COPY_AUDIT, chunk.history.audit).await?;
    tx.commit().await?;
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
    rows: CopyRows,
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut copy = tx.copy_in_raw(statement).await?;
    copy.send(rows.finish()).await?;
    copy.finish().await?;
    Ok(())
}
