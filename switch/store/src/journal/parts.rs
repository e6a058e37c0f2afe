//! Parts of the journal: one table for each range of a shard's rows (W-7). It owns that the next
//! part is there before a row needs it; what is done with old ones is the archive's.

use sqlx::{PgConnection, Row};
use switch_domain::{Seq, ShardId};

use super::JournalRow;
use crate::error::StoreError;
use crate::store::Store;

/// Rows of a part that an append had to make for itself.
const PART_ROWS: i64 = 1_000_000;

const MAKE: &str = "SELECT make_journal_part($1, $2, $3)";

/// Where the parts of each shard that serves end, and its last row.
const ROOM: &str = "\
    SELECT number AS shard,
        (SELECT coalesce(max(past), 0) FROM journal_part WHERE shard = number) AS past,
        (SELECT coalesce(max(seq), -1) FROM journal WHERE shard = number) AS head
    FROM shard_group CROSS JOIN generate_series(0, first_shard + shards - 2) AS number
    WHERE number = 0 OR number >= first_shard";

const DOING: &str = "making room in the journal";

/// SQLSTATE 23514 and no constraint named: no partition takes the row.
pub(super) fn has_no_part(error: &sqlx::Error) -> bool {
    let Some(error) = error.as_database_error() else { return false };
    error.code().is_some_and(|code| code == "23514") && error.constraint().is_none()
}

/// Makes the part that a row needs, where nobody made it ahead.
pub(super) async fn make_for(
    connection: &mut PgConnection,
    row: &JournalRow,
) -> Result<(), sqlx::Error> {
    let made: bool = sqlx::query_scalar(MAKE)
        .bind(i32::from(row.shard.0))
        .bind(row.seq.0)
        .bind(PART_ROWS)
        .fetch_one(connection)
        .await?;
    if made && row.seq > Seq(0) {
        tracing::warn!(
            shard = row.shard.0,
            seq = row.seq.0,
            "an append had to make its part of the journal: parts are not made ahead"
        );
    }
    Ok(())
}

impl Store {
    /// Sees to it that every shard has room for `part_rows` rows behind its head, by parts of that
    /// size, each made in a transaction of its own. How many were made.
    ///
    /// # Errors
    /// PostgreSQL; a lock that somebody does not let go within two seconds.
    pub async fn make_journal_room(&self, part_rows: u32) -> Result<u64, StoreError> {
        let part_rows = i64::from(part_rows.max(1));
        let rooms =
            sqlx::query(ROOM).fetch_all(self.pool()).await.map_err(StoreError::database(DOING))?;
        let mut made: u64 = 0;
        for room in &rooms {
            let number = |column| -> Result<i64, StoreError> {
                room.try_get(column).map_err(StoreError::database(DOING))
            };
            let shard: i32 = room.try_get("shard").map_err(StoreError::database(DOING))?;
            let (mut past, head) = (number("past")?, number("head")?);
            while past.saturating_sub(head) <= part_rows {
                let one: bool = sqlx::query_scalar(MAKE)
                    .bind(shard)
                    .bind(past)
                    .bind(part_rows)
                    .fetch_one(self.pool())
                    .await
                    .map_err(StoreError::database(DOING))?;
                made = made.saturating_add(u64::from(one));
                past = past.saturating_add(part_rows);
            }
        }
        Ok(made)
    }

    /// For how many more rows each shard has room, by shard.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn journal_room(&self) -> Result<Vec<(ShardId, i64)>, StoreError> {
        let rooms = sqlx::query(ROOM).fetch_all(self.pool()).await;
        let rooms = rooms.map_err(StoreError::database(DOING))?;
        let read = |room: &sqlx::postgres::PgRow| -> Result<(ShardId, i64), sqlx::Error> {
            let shard: i32 = room.try_get("shard")?;
            let (past, head): (i64, i64) = (room.try_get("past")?, room.try_get("head")?);
            let shard = ShardId(u16::try_from(shard).unwrap_or(u16::MAX));
            Ok((shard, past.saturating_sub(head).saturating_sub(1)))
        };
        rooms.iter().map(|room| read(room).map_err(StoreError::database(DOING))).collect()
    }
}
