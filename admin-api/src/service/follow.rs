//! Following the journal of each shard: some rows at a time, behind the projection, in one
//! transaction with the position up to which they were taken, so that each is taken once. It owns
//! the order over a resharding and the tables of positions; what a row means is its follower's.
//! A table without rows is nobody's who follows: then nothing is read.

use std::future::Future;

use metrics::gauge;
use sqlx::{PgConnection, PgPool, Row};
use switch_domain::{Record, Seq, ShardId, Timestamp};
use switch_store::Store;

use crate::Problem;

/// A table of positions, in the words of the database.
pub(super) struct Feed {
    new_shards: &'static str,
    behind: &'static str,
    at: &'static str,
    to: &'static str,
    /// How far the most distant shard is behind.
    pub(super) gauge: &'static str,
}

// A shard that is new is followed from its beginning, or from where its journal is still there.
// What became of a shard's cards after it was sealed stands in those that followed it, and is taken
// when everything of before was.
macro_rules! feed {
    ($table:literal, $gauge:literal) => {
        $crate::service::follow::Feed::of(
            [
                concat!(
                    "INSERT INTO ",
                    $table,
                    " (shard, seq) SELECT shard, coalesce((SELECT max(kept.seq) \
                     FROM journal_checkpoint AS kept WHERE kept.shard = projection.shard), -1) \
                     FROM projection WHERE EXISTS (SELECT FROM ",
                    $table,
                    ") AND NOT EXISTS (SELECT FROM ",
                    $table,
                    " AS feed WHERE feed.shard = projection.shard) ON CONFLICT (shard) DO NOTHING"
                ),
                concat!(
                    "SELECT feed.shard, projection.seq - feed.seq AS behind, \
                     feed.shard > 0 AND feed.shard < shard_group.first_shard AS is_sealed FROM ",
                    $table,
                    " AS feed JOIN projection ON projection.shard = feed.shard \
                     CROSS JOIN shard_group ORDER BY feed.shard"
                ),
                concat!(
                    "SELECT feed.seq AS after, projection.seq AS upto FROM ",
                    $table,
                    " AS feed JOIN projection ON projection.shard = feed.shard \
                     WHERE feed.shard = $1 FOR UPDATE OF feed"
                ),
                concat!("UPDATE ", $table, " SET seq = $2 WHERE shard = $1"),
            ],
            $gauge,
        )
    };
}
pub(super) use feed;

/// What a step took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Followed {
    /// Rows of the journal.
    pub(super) rows: u64,
    /// What was made of them.
    pub(super) made: u64,
    /// Whether there is more to be read at once.
    pub(super) more: bool,
}

/// Who makes something of records.
pub(super) trait Follower: Sync {
    /// Takes these records of one shard, in their order and in this transaction; how much was made
    /// of them.
    fn take(
        &self,
        connection: &mut PgConnection,
        records: Vec<Record>,
        now: Timestamp,
    ) -> impl Future<Output = Result<u64, Problem>> + Send;
}

impl Feed {
    /// Of these statements.
    pub(super) const fn of(
        [new_shards, behind, at, to]: [&'static str; 4],
        gauge: &'static str,
    ) -> Self {
        Self { new_shards, behind, at, to, gauge }
    }

    /// Takes some rows of each shard, at most so many.
    ///
    /// # Errors
    /// The database; a row that cannot be read. The other shards went on.
    pub(super) async fn step(
        &self,
        pool: &PgPool,
        follower: &impl Follower,
        (most, now): (u32, Timestamp),
    ) -> Result<Followed, Problem> {
        sqlx::query(self.new_shards).execute(pool).await?;
        let rows = sqlx::query(self.behind).fetch_all(pool).await?;
        let (mut followed, mut furthest, mut sealed) = (Followed::default(), 0_i64, false);
        let mut failed = None;
        for row in &rows {
            let behind: i64 = row.try_get("behind")?;
            furthest = furthest.max(behind);
            let of_before: bool = row.try_get("is_sealed")?;
            sealed |= of_before && behind > 0;
            followed.more |= sealed;
            if behind > 0 && (of_before || !sealed) {
                match self.shard(pool, follower, (row.try_get("shard")?, most, now)).await {
                    Ok(one) => {
                        followed.rows = followed.rows.saturating_add(one.rows);
                        followed.made = followed.made.saturating_add(one.made);
                        followed.more |= one.more;
                    }
                    // One that cannot be read keeps nobody from the others.
                    Err(problem) => failed = failed.or(Some(problem)),
                }
            }
        }
        gauge!(self.gauge).set(furthest as f64);
        failed.map_or(Ok(followed), Err)
    }

    /// Some rows of a shard.
    async fn shard(
        &self,
        pool: &PgPool,
        follower: &impl Follower,
        (shard, most, now): (i32, u32, Timestamp),
    ) -> Result<Followed, Problem> {
        let mut transaction = pool.begin().await?;
        let row = sqlx::query(self.at).bind(shard).fetch_optional(&mut *transaction).await?;
        // Nobody follows any more.
        let Some(row) = row else { return Ok(Followed::default()) };
        let (after, upto) = (Seq(row.try_get("after")?), Seq(row.try_get("upto")?));
        let unreadable = |_| Problem::internal("following the journal", &"a shard");
        let named = ShardId(u16::try_from(shard).map_err(unreadable)?);
        let rows = Store::records_behind(&mut transaction, named, (after, upto), most).await;
        let rows = rows.map_err(|error| Problem::internal("reading the journal", &error))?;
        let Some((last, _)) = rows.last() else { return Ok(Followed::default()) };
        let (last, count) = (*last, rows.len());
        let records = rows.into_iter().flat_map(|(_, records)| records).collect();
        let made = follower.take(&mut transaction, records, now).await?;
        sqlx::query(self.to).bind(shard).bind(last.0).execute(&mut *transaction).await?;
        transaction.commit().await?;
        // A part of a batch waits for the rest of it: each is a commit of its own.
        let more = count >= usize::try_from(most).unwrap_or(usize::MAX);
        Ok(Followed { rows: u64::try_from(count).unwrap_or(u64::MAX), made, more })
    }
}
