//! Finds holds that lived their life, for who ends them. It owns how rows are gone through: once,
//! in the order of their identifiers, a bounded piece at a time, behind a watermark that survives
//! a crash. It changes no row of history and decides nothing: whether a hold is still there, the
//! shard of its account says.

use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection};
use switch_domain::{
    AuthorizationId, BalanceId, Hold, LinkId, MinorUnits, ShardId, Timestamp, TransactionType,
};

use super::row::{Named, get};
use crate::error::StoreError;
use crate::pg_timestamp::PgTimestamp;
use crate::store::Store;

/// One snapshot, for a piece only. The plan has to go through the key in its order: statistics of
/// history are seldom there, and by a guess PostgreSQL would read a whole day and sort it.
const SETTINGS: &str = "\
    SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off;
    SET LOCAL enable_sort = off; SET LOCAL plan_cache_mode = force_custom_plan";

/// A row for each hold of a piece, or one without; each says how far the piece goes. Times of a
/// shard's decisions never go back (W-16), so that a day is left behind as its identifiers are. A
/// hold that was added to is not found by its own row, but by that of the last increment: its life
/// began again there.
const PIECE: &str = "\
    WITH piece AS MATERIALIZED (
        SELECT id, decided_at, balance_id, link, mcc, acquirer, class, stan, local_time, terminal,
            rrn, fingerprint, transaction_type, incremented, completes_id, completes_at,
            NOT closed AND authorized + incremented > reversed + cleared AND incremented = 0
                AS holds
        FROM card_authorization
        WHERE id > $1 AND id <= $2 AND decided_at >= $3 AND decided_at <= $4
        ORDER BY id LIMIT $5
    ), due AS (
        SELECT id, decided_at, balance_id, link, mcc, acquirer, class, stan, local_time, terminal,
            rrn, fingerprint, transaction_type, incremented
        FROM piece WHERE holds AND balance_id IS NOT NULL
        UNION ALL
        SELECT first.* FROM piece, LATERAL (
            SELECT id, decided_at, balance_id, link, mcc, acquirer, class, stan, local_time,
                terminal, rrn, fingerprint, transaction_type, incremented
            FROM card_authorization
            WHERE id = piece.completes_id AND decided_at = piece.completes_at AND NOT closed
                AND authorized + incremented > reversed + cleared AND balance_id IS NOT NULL
        ) AS first
        WHERE piece.completes_id IS NOT NULL AND piece.class LIKE 'authorization%'
            AND NOT EXISTS (SELECT FROM authorization_event AS later
                WHERE later.kind = 'incremented' AND later.id > piece.id
                    AND later.authorization_id = piece.completes_id)
    )
    SELECT seen.*, due.* FROM (
        SELECT count(*) AS seen, max(id) AS last_id, max(decided_at) AS last_at FROM piece
    ) AS seen LEFT JOIN due ON true";

const WATERMARKS: &str = "SELECT shard, life_s, id, decided_at FROM hold_sweep";

/// Never back: of two that sweep, the one that is behind has nothing to say.
const MOVE: &str = "\
    INSERT INTO hold_sweep AS old (shard, life_s, id, decided_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (shard, life_s) DO UPDATE
    SET id = excluded.id, decided_at = excluded.decided_at WHERE old.id < excluded.id";

const DOING: &str = "looking for holds that lived their life";

/// An authorization of a shard, in the order in which they were decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldMark {
    /// The authorization.
    pub id: AuthorizationId,
    /// When it was decided.
    pub decided_at: Timestamp,
}

impl HoldMark {
    /// Before the first authorization of a shard.
    #[must_use]
    pub const fn start(shard: ShardId) -> Self {
        Self { id: AuthorizationId::mint(shard, 0), decided_at: Timestamp(0) }
    }
}

/// How far the rows of a shard have been gone through for holds of one life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldWatermark {
    /// The shard that minted them.
    pub shard: ShardId,
    /// How long the holds lived, at most.
    pub life: Duration,
    /// The last row that was looked at.
    pub at: HoldMark,
}

/// A hold, and what says how long it may live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenHold {
    /// The hold.
    pub hold: Hold,
    /// The link that its authorization came by; `None` in rows of versions that did not note it.
    pub link: Option<LinkId>,
    /// The category of its merchant.
    pub category: u16,
    /// What was asked for: says whether the amount is an estimate.
    pub kind: TransactionType,
}

/// A run of a shard's rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HoldPiece {
    /// How many rows were looked at.
    pub rows: u64,
    /// The last of them; `None` where there was none.
    pub last: Option<HoldMark>,
    /// What they hold, oldest first.
    pub holds: Vec<OpenHold>,
}

impl Store {
    /// How far rows have been gone through, for every shard and every life that was ever asked for.
    ///
    /// # Errors
    /// A value that this version does not know; PostgreSQL.
    pub async fn hold_watermarks(&self) -> Result<Vec<HoldWatermark>, StoreError> {
        let query = sqlx::query(WATERMARKS);
        let rows = query.fetch_all(self.pool()).await.map_err(StoreError::database(DOING))?;
        rows.iter().map(watermark).collect()
    }

    /// The next `most` rows of what a shard minted behind `after`, decided at `until` or before,
    /// and what they hold as far as the tables know.
    ///
    /// # Errors
    /// A value that this version does not know; PostgreSQL.
    pub async fn open_holds(
        &self,
        shard: ShardId,
        after: HoldMark,
        until: Timestamp,
        most: u32,
    ) -> Result<HoldPiece, StoreError> {
        let mut connection = self.pool().acquire().await.map_err(StoreError::database(DOING))?;
        let tx = connection.begin_with("BEGIN READ ONLY").await;
        let mut tx = tx.map_err(StoreError::database(DOING))?;
        let piece = piece(&mut tx, (shard, after), until, most).await?;
        tx.rollback().await.map_err(StoreError::database(DOING))?;
        Ok(piece)
    }

    /// Notes that the holds of a shard's rows up to `at` which live for `life` at most have been
    /// ended. It never goes back.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn move_hold_watermark(&self, to: HoldWatermark) -> Result<(), StoreError> {
        let moved = sqlx::query(MOVE)
            .bind(i32::from(to.shard.0))
            .bind(i64::try_from(to.life.as_secs()).unwrap_or(i64::MAX))
            .bind(to.at.id.0)
            .bind(PgTimestamp(to.at.decided_at))
            .execute(self.pool())
            .await;
        moved.map(drop).map_err(StoreError::database("noting how far holds were ended"))
    }
}

fn watermark(row: &PgRow) -> Result<HoldWatermark, StoreError> {
    let named = Named::new("hold_sweep", row, "id")?;
    let decided_at: PgTimestamp = named.get("decided_at")?;
    Ok(HoldWatermark {
        shard: ShardId(named.narrow::<i32, u16>("shard")?),
        life: Duration::from_secs(named.narrow::<i64, u64>("life_s")?),
        at: HoldMark { id: AuthorizationId(named.key), decided_at: decided_at.0 },
    })
}

async fn piece(
    tx: &mut PgConnection,
    (shard, after): (ShardId, HoldMark),
    until: Timestamp,
    most: u32,
) -> Result<HoldPiece, StoreError> {
    sqlx::raw_sql(SETTINGS).execute(&mut *tx).await.map_err(StoreError::database(DOING))?;
    let last_of_shard = (i64::from(shard.0) << 40) | ((1 << 40) - 1);
    let query = sqlx::query(PIECE).bind(after.id.0).bind(last_of_shard);
    let query = query.bind(PgTimestamp(after.decided_at)).bind(PgTimestamp(until));
    let query = query.bind(i64::from(most));
    let rows = query.fetch_all(tx).await.map_err(StoreError::database(DOING))?;
    let mut piece = HoldPiece::default();
    for row in &rows {
        piece.rows = u64::try_from(get::<i64>(row, "seen")?).unwrap_or_default();
        let last: (Option<i64>, Option<PgTimestamp>) = (get(row, "last_id")?, get(row, "last_at")?);
        if let (Some(id), Some(at)) = last {
            piece.last = Some(HoldMark { id: AuthorizationId(id), decided_at: at.0 });
        }
        if get::<Option<i64>>(row, "id")?.is_some() {
            piece.holds.push(open_hold(row)?);
        }
    }
    piece.holds.sort_unstable_by_key(|one| one.hold.authorization);
    Ok(piece)
}

fn open_hold(row: &PgRow) -> Result<OpenHold, StoreError> {
    let row = Named::new("card_authorization", row, "id")?;
    let decided_at: PgTimestamp = row.get("decided_at")?;
    let link: Option<i32> = row.get("link")?;
    Ok(OpenHold {
        hold: Hold {
            authorization: AuthorizationId(row.key),
            balance: BalanceId(row.get("balance_id")?),
            decided_at: decided_at.0,
            original: row.message_key()?.as_original(),
            incremented: MinorUnits(row.get("incremented")?),
        },
        link: link.map(|_| row.narrow::<i32, u16>("link").map(LinkId)).transpose()?,
        category: row.narrow::<i32, u16>("mcc")?,
        kind: row.maybe_choice("transaction_type")?.unwrap_or_default(),
    })
}
