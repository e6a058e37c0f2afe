//! What was booked to an account in a span of time, by pages, with what was in it before and after
//! each. It owns the question, which the index of postings answers: no authorization is read for
//! it. It changes nothing.

use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection, Row};
use switch_domain::{BalanceId, MinorUnits, Timestamp};

use crate::books::number;
use crate::error::StoreError;
use crate::pg_timestamp::PgTimestamp;
use crate::statement::standing;
use crate::store::{SNAPSHOT, Store};

const DOING: &str = "reading what was booked to an account";

/// Where an entry stands in the order of an account's entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BookedPosition {
    /// When it was decided.
    pub at: Timestamp,
    /// The record of the journal that says so: its shard,
    pub shard: i32,
    /// its row,
    pub seq: i64,
    /// and its place in the row.
    pub record: i32,
}

impl BookedPosition {
    /// Before everything of this moment.
    #[must_use]
    pub const fn before(at: Timestamp) -> Self {
        Self { at, shard: -1, seq: -1, record: -1 }
    }
}

/// Which entries.
#[derive(Clone, Copy, Debug)]
pub struct BookedSpan {
    /// Those behind this one,
    pub after: BookedPosition,
    /// and before this moment.
    pub to: Timestamp,
}

/// What one record booked to an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookedLine {
    /// Where it stands.
    pub position: BookedPosition,
    /// What it is: `settled`, `balance_credited` and so on.
    pub kind: String,
    /// Above zero what came, below zero what went.
    pub amount: MinorUnits,
    /// What was in the account after it.
    pub after: MinorUnits,
}

/// What was booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    /// What was in the account before the first of the lines.
    pub opening: MinorUnits,
    /// The oldest first.
    pub lines: Vec<BookedLine>,
    /// True where there are more than were asked for.
    pub more: bool,
}

/// All that came behind the position, whatever of it is asked for: what stood there follows.
const SINCE: &str = "
    SELECT coalesce(sum(amount), 0)::text AS moved FROM posting
    WHERE account = 'balance' AND account_id = $1 AND at >= $2
        AND (at, shard, seq, record_idx) > ($2, $3, $4, $5)";

const LINES: &str = "
    SELECT at, kind, sum(amount)::int8 AS amount, shard, seq, record_idx FROM posting
    WHERE account = 'balance' AND account_id = $1 AND at >= $2 AND at < $6
        AND (at, shard, seq, record_idx) > ($2, $3, $4, $5)
    GROUP BY at, kind, shard, seq, record_idx ORDER BY at, shard, seq, record_idx LIMIT $7";

impl Store {
    /// What was booked to an account, at most so many lines, the oldest first; `None` where there
    /// is no such account. As far as the tables have it, which follow the journal by a quarter of a
    /// second; entries of days that are no longer kept are in what stood before.
    ///
    /// # Errors
    /// A journal row that is missing or changed; PostgreSQL.
    pub async fn booked(
        &self,
        balance: BalanceId,
        span: BookedSpan,
        most: u32,
    ) -> Result<Option<Booked>, StoreError> {
        let database = StoreError::database;
        let mut connection = self.connection().await.map_err(database(DOING))?;
        let mut tx = connection.begin_with(SNAPSHOT).await.map_err(database(DOING))?;
        let Some((_, now)) = standing(&mut tx, balance).await? else { return Ok(None) };
        let (since, rows) = read(&mut tx, balance, span, most).await.map_err(database(DOING))?;
        tx.rollback().await.map_err(database(DOING))?;
        let opening = amount(now.ledger.saturating_sub(since));
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let more = rows.len() > most;
        let (mut after, mut lines) = (opening, Vec::new());
        for row in rows.iter().take(most) {
            let line = line(row, after).map_err(database(DOING))?;
            after = line.after;
            lines.push(line);
        }
        Ok(Some(Booked { opening, lines, more }))
    }
}

async fn read(
    tx: &mut PgConnection,
    balance: BalanceId,
    BookedSpan { after, to }: BookedSpan,
    most: u32,
) -> Result<(i128, Vec<PgRow>), sqlx::Error> {
    let of = |sql: &'static str| {
        sqlx::query(sql)
            .bind(balance.0)
            .bind(PgTimestamp(after.at))
            .bind(after.shard)
            .bind(after.seq)
            .bind(after.record)
    };
    let since = number(&of(SINCE).fetch_one(&mut *tx).await?, "moved")?;
    let asked = i64::from(most).saturating_add(1);
    let rows = of(LINES).bind(PgTimestamp(to)).bind(asked).fetch_all(&mut *tx).await?;
    Ok((since, rows))
}

fn line(row: &PgRow, before: MinorUnits) -> Result<BookedLine, sqlx::Error> {
    let moved = MinorUnits(row.try_get("amount")?);
    Ok(BookedLine {
        position: BookedPosition {
            at: row.try_get::<PgTimestamp, _>("at")?.0,
            shard: row.try_get("shard")?,
            seq: row.try_get("seq")?,
            record: row.try_get("record_idx")?,
        },
        kind: row.try_get("kind")?,
        amount: moved,
        after: MinorUnits(before.0.saturating_add(moved.0)),
    })
}

/// An account never holds more than this.
fn amount(minor: i128) -> MinorUnits {
    MinorUnits(i64::try_from(minor).unwrap_or(if minor < 0 { i64::MIN } else { i64::MAX }))
}
