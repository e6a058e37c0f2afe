//! One chunk, one transaction: the watermark by compare-and-set, and everything that follows from
//! the rows up to it (W-23). Either all of it is there or none.

use std::time::Duration;

use sqlx::PgConnection;
use switch_domain::Seq;

use super::chunk::Chunk;
use super::copy::CopyRows;
use super::{authorizations, entities, fees, history, transfers};
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

/// Bytes of a piece: some two hundred authorizations, which PostgreSQL writes in a millisecond or
/// two.
const PIECE: usize = 64 * 1024;
/// Where there is time enough for rests of `LONG_ENOUGH` between pieces of this size, they are of
/// this size: what takes a processor for half a millisecond at a time keeps no append from it.
const SMALL_PIECE: usize = 16 * 1024;
const LONG_ENOUGH: Duration = Duration::from_millis(2);
/// A rest is no longer than this, and a shorter one than `SHORTEST` is none: the clock of sleeps
/// does not tell it from that.
const LONGEST: Duration = Duration::from_millis(5);
const SHORTEST: Duration = Duration::from_micros(500);

/// Writes a chunk; false where the watermark was not where the chunk begins, and nothing was
/// written. Its rows are sent in pieces, with rests between them that come to `spread`. All commits
/// share one log, and each waits until what was written before it is on disk too: a chunk in one
/// piece would put megabytes in the way of the next append.
pub(super) async fn write(
    connection: &mut PgConnection,
    chunk: &mut Chunk,
    spread: Duration,
) -> Result<bool, sqlx::Error> {
    sqlx::raw_sql(BEGIN).execute(&mut *connection).await?;
    let written = write_rows(connection, chunk, spread).await?;
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
    write_rows(connection, chunk, Duration::ZERO).await
}

async fn write_rows(
    connection: &mut PgConnection,
    chunk: &mut Chunk,
    spread: Duration,
) -> Result<bool, sqlx::Error> {
    if !move_watermark(connection, chunk).await? {
        return Ok(false);
    }
    entities::write(connection, chunk).await?;
    transfers::write(connection, chunk).await?;
    copy(connection, authorizations::COPY_NEW, &mut chunk.authorizations.0, spread).await?;
    authorizations::change(connection, &chunk.changed).await?;
    copy(connection, history::COPY_EVENTS, &mut chunk.history.events, spread).await?;
    copy(connection, history::COPY_POSTINGS, &mut chunk.history.postings, spread).await?;
    copy(connection, fees::COPY_CHARGED, &mut chunk.history.fees, spread).await?;
    copy(connection, history::COPY_AUDIT, &mut chunk.history.audit, spread).await?;
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
    spread: Duration,
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let bytes = rows.finish();
    let (piece, rest) = pieces(bytes.len(), spread);
    if rest >= LONG_ENOUGH {
        tokio::time::sleep(rest).await;
    }
    let mut copy = tx.copy_in_raw(statement).await?;
    for (index, piece) in bytes.chunks(piece).enumerate() {
        if index > 0 && rest >= SHORTEST {
            tokio::time::sleep(rest).await;
        }
        copy.send(piece).await?;
    }
    copy.finish().await?;
    Ok(())
}

/// How long pieces are, and the rest before each.
fn pieces(bytes: usize, spread: Duration) -> (usize, Duration) {
    let rest = |piece: usize| {
        let pieces = u32::try_from(bytes.div_ceil(piece)).unwrap_or(u32::MAX).max(1);
        (spread / pieces).min(LONGEST)
    };
    match rest(SMALL_PIECE) {
        small if small >= LONG_ENOUGH => (SMALL_PIECE, small),
        _ => (PIECE, rest(PIECE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_small_where_there_is_time_for_rests_between_them() {
        let millis = Duration::from_millis;
        for (bytes, spread, expected) in [
            // A thousand a second, four times a second.
            (60_000, millis(187), (SMALL_PIECE, millis(5))),
            (60_000, millis(8), (SMALL_PIECE, millis(2))),
            (60_000, millis(7), (PIECE, millis(5))),
            // Saturation.
            (1_048_576, millis(37), (PIECE, Duration::from_nanos(2_312_500))),
            (1_048_576, Duration::ZERO, (PIECE, Duration::ZERO)),
            (1, Duration::ZERO, (PIECE, Duration::ZERO)),
        ] {
            assert_eq!(pieces(bytes, spread), expected, "{bytes} bytes over {spread:?}");
        }
    }
}
