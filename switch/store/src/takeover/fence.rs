//! The fence: a row of a higher epoch at the head of every shard (W-10, W-11). From its commit on,
//! the old owner's next append finds its key taken. It owns the takeover record and its retries.

use sqlx::{PgConnection, Row};
use switch_domain::{
    Cause, Effects, Epoch, Event, OwnerId, Placement, Record, Seq, ShardId, TakenOver, Timestamp,
};
use uuid::Uuid;

use super::{TakenShard, TakeoverError, back_ends};
use crate::error::StoreError;
use crate::journal::{Hash, JournalRow, Put, decode, hash_of, put};
use crate::pg_timestamp::PgTimestamp;
use crate::shards::{GROUP, found, placement as stored_placement};
use crate::store::application_name;

/// How often a head is tried before a person has to look.
const TRIES: u32 = 10;

const HEAD: &str = "\
    SELECT seq, epoch, owner, format, records, hash FROM journal
    WHERE shard = $1 ORDER BY seq DESC LIMIT 1";

/// The owners in the head rows of all shards that serve.
const OWNERS: &str = "\
    SELECT DISTINCT head.owner FROM shard_group
    CROSS JOIN generate_series(0, first_shard + shards - 2) AS shard_number
    CROSS JOIN LATERAL (
        SELECT owner FROM journal WHERE shard = shard_number ORDER BY seq DESC LIMIT 1
    ) AS head
    WHERE group_id = $1 AND (shard_number = 0 OR shard_number >= first_shard)";

const DOING: &str = "taking over";

/// Who wrote the head rows.
pub(super) async fn owners(connection: &mut PgConnection) -> Result<Vec<OwnerId>, StoreError> {
    let owners: Vec<Uuid> = sqlx::query_scalar(OWNERS)
        .bind(GROUP)
        .fetch_all(connection)
        .await
        .map_err(StoreError::database(DOING))?;
    Ok(owners.into_iter().map(|owner| OwnerId(owner.into_bytes())).collect())
}

/// Which shards are to be taken over.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    /// Those that there are.
    Stored,
    /// As many, the control shard included; a group that has none is founded.
    Shards(u16),
}

/// The shards that serve, if they are as many as are wanted (W-12).
pub(super) async fn placement(
    connection: &mut PgConnection,
    wanted: Wanted,
) -> Result<Placement, TakeoverError> {
    if let Wanted::Shards(asked) = wanted
        && asked > 0
    {
        found(connection, asked).await?;
    }
    let stored = stored_placement(connection).await?;
    let count = stored.map_or(0, |one| one.data_shards().saturating_add(1));
    match (stored, wanted) {
        (Some(stored), Wanted::Stored) => Ok(stored),
        (None, Wanted::Stored) => Err(TakeoverError::NotFounded),
        (Some(stored), Wanted::Shards(asked)) if asked == count => Ok(stored),
        (_, Wanted::Shards(asked)) => Err(TakeoverError::ShardCount { stored: count, asked }),
    }
}

/// Fences every shard, by number. Returns when all are.
pub(super) async fn all(
    connection: &mut PgConnection,
    placement: Placement,
    owner: OwnerId,
) -> Result<Vec<TakenShard>, TakeoverError> {
    let mut taken = Vec::new();
    let mut ended: Vec<OwnerId> = Vec::new();
    let shards = placement.data_shards().saturating_add(1);
    for shard in placement.shards() {
        let fence = Fence { shard, shards, owner };
        taken.push(fence.raise(connection, &mut ended).await?);
    }
    Ok(taken)
}

struct Head {
    seq: Seq,
    epoch: Epoch,
    owner: Option<OwnerId>,
    hash: Hash,
    /// Time of its last record: ours may not be earlier (W-16).
    at: Timestamp,
}

struct Fence {
    shard: ShardId,
    shards: u16,
    owner: OwnerId,
}

impl Fence {
    /// Tries at a fresh head each time, until the row is in. The owner found there is cut off
    /// first, and again where somebody keeps the key.
    async fn raise(
        &self,
        connection: &mut PgConnection,
        ended: &mut Vec<OwnerId>,
    ) -> Result<TakenShard, TakeoverError> {
        for _ in 0..TRIES {
            let head = self.head(connection).await?;
            if let Some(old) = head.owner.filter(|old| *old != self.owner)
                && !ended.contains(&old)
            {
                back_ends::end(connection, &[application_name(old)]).await?;
                ended.push(old);
                continue; // what it still had under way may have moved the head
            }
            let row = self.row(connection, &head).await?;
            match put(connection, &row).await {
                Ok(Put::New | Put::There) => {
                    return Ok(TakenShard {
                        shard: self.shard,
                        epoch: row.epoch,
                        head: row.seq,
                        head_hash: row.hash,
                    });
                }
                Ok(_) => {}
                Err(error) if lock_timed_out(&error) => {
                    ended.clear();
                    tracing::warn!(shard = self.shard.0, "the head of a shard is held; again");
                }
                Err(error) => return Err(StoreError::database(DOING)(error).into()),
            }
        }
        Err(TakeoverError::Contended { shard: self.shard })
    }

    async fn head(&self, connection: &mut PgConnection) -> Result<Head, TakeoverError> {
        let found = sqlx::query(HEAD)
            .bind(i32::from(self.shard.0))
            .fetch_optional(connection)
            .await
            .map_err(StoreError::database(DOING))?;
        let Some(found) = found else {
            return Ok(Head {
                seq: Seq::NONE,
                epoch: Epoch(0),
                owner: None,
                hash: Hash::genesis(self.shard),
                at: Timestamp::default(),
            });
        };
        let row = self.stored(&found).map_err(StoreError::database(DOING))?;
        let records = decode(&row)?;
        // Nothing may ever follow: somebody resharded since the shards to take over were read.
        if let Some(Event::Sealed(_)) = records.last().map(|record| &record.event) {
            return Err(TakeoverError::Sealed { shard: self.shard });
        }
        let at = records.last().map_or(Timestamp::default(), |record| record.at);
        Ok(Head { seq: row.seq, epoch: row.epoch, owner: Some(row.owner), hash: row.hash, at })
    }

    fn stored(&self, found: &sqlx::postgres::PgRow) -> Result<JournalRow, sqlx::Error> {
        let owner: Uuid = found.try_get("owner")?;
        let records: Vec<u8> = found.try_get("records")?;
        let hash = hash_of(found)?;
        Ok(JournalRow {
            shard: self.shard,
            seq: Seq(found.try_get("seq")?),
            epoch: Epoch(found.try_get("epoch")?),
            owner: OwnerId(owner.into_bytes()),
            format: found.try_get("format")?,
            records: records.into(),
            previous: hash,
            hash,
        })
    }

    /// The takeover row at a head, at PostgreSQL's own time.
    async fn row(
        &self,
        connection: &mut PgConnection,
        head: &Head,
    ) -> Result<JournalRow, StoreError> {
        let now: PgTimestamp = sqlx::query_scalar("SELECT clock_timestamp()")
            .fetch_one(connection)
            .await
            .map_err(StoreError::database(DOING))?;
        let epoch = Epoch(head.epoch.0.saturating_add(1));
        let record = Record {
            at: now.0.max(head.at),
            cause: Cause::Switch,
            event: Event::TakenOver(TakenOver {
                shard: self.shard,
                epoch,
                owner: self.owner,
                shards: self.shards,
            }),
            effects: Effects::default(),
        };
        let seq = head.seq.next();
        Ok(JournalRow::seal(self.shard, seq, epoch, self.owner, head.hash, &[record]))
    }
}

/// SQLSTATE 55P03: somebody else's open transaction holds the key.
pub(super) fn lock_timed_out(error: &sqlx::Error) -> bool {
    let Some(error) = error.as_database_error() else { return false };
    error.code().is_some_and(|code| code == "55P03")
}
