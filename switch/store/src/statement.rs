//! The statement of an account: what was posted to it, what was held and given back, and what stood
//! before and after each; and its latest postings. It owns the questions, each of one snapshot, and
//! how an account's moves are put in their order. It changes nothing.

use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection, Row};
use switch_domain::{Amount, BalanceId, Currency, MinorUnits, Movement, Seq, ShardId, Timestamp};

use crate::books::number;
use crate::error::StoreError;
use crate::ledger::{Span, moment};
use crate::load::moved::moves;
use crate::pg_timestamp::PgTimestamp;
use crate::store::{SNAPSHOT, Store};

/// What is in an account and what of that is held, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// All that is in it.
    pub ledger: i128,
    /// What open authorizations hold of it.
    pub held: i128,
}

impl Standing {
    /// What may be spent.
    #[must_use]
    pub const fn available(self) -> i128 {
        self.ledger.saturating_sub(self.held)
    }

    const fn after(self, ledger: i64, held: i64) -> Self {
        Self {
            ledger: self.ledger.saturating_add(ledger as i128),
            held: self.held.saturating_add(held as i128),
        }
    }

    const fn before(self, moved: Self) -> Self {
        Self {
            ledger: self.ledger.saturating_sub(moved.ledger),
            held: self.held.saturating_sub(moved.held),
        }
    }
}

/// What happened to an account between two moments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The account.
    pub balance: BalanceId,
    /// Numeric code.
    pub currency: i16,
    /// What stood on it at the beginning.
    pub opening: Standing,
    /// What happened, the oldest first.
    pub lines: Vec<StatementLine>,
    /// What stands behind the last of the lines.
    pub closing: Standing,
    /// True where there are more lines than were asked for.
    pub more: bool,
    /// What stands on it now, by its own row.
    pub now: Standing,
}

/// One event of an account: a posting, a change of what is held, or both at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementLine {
    /// When it was decided.
    pub at: Timestamp,
    /// What it is: `authorized`, `completed`, `settled`, `reversed`, `expired`, `balance_credited`
    /// and so on.
    pub kind: String,
    /// The message that it is of, where it is of one that holds or gives back.
    pub message: Option<i64>,
    /// Posted: above zero what came, below zero what went, in minor units.
    pub amount: MinorUnits,
    /// What of that is for fees, in the same way.
    pub fee: MinorUnits,
    /// Held more, or below zero less.
    pub held: MinorUnits,
    /// What stood before.
    pub before: Standing,
    /// What stood after.
    pub after: Standing,
    /// Of an advice that would have been declined, why.
    pub would_be: Option<String>,
    /// The record of the journal that says so: shard, row, place in the row. What an authorization
    /// holds stands in its own row, which does not say.
    pub record: Option<(i32, i64, i32)>,
}

/// The row of an account beside what it should follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconciled {
    /// What its row says.
    pub stated: Standing,
    /// The sum of all postings to it, and of what each open authorization holds.
    pub computed: Standing,
}

const DOING: &str = "reading a statement";

const BALANCE: &str = "
    SELECT balance.shard, currency, ledger, held, seq, flushed
    FROM balance JOIN projection ON projection.shard = balance.shard WHERE id = $1";

/// All that moved since, whatever of it is asked for: what stood before follows from that. What an
/// authorization was granted for it holds from then on; events have what changed that.
const SINCE: &str = "
    SELECT (SELECT coalesce(sum(amount), 0) FROM posting
            WHERE account = 'balance' AND account_id = $1 AND at >= $2)::text AS ledger,
        (SELECT coalesce(sum(authorized + coalesce(fees_authorized, 0)), 0) FROM card_authorization
            WHERE balance_id = $1 AND class IN ('authorization', 'authorization_advice')
                AND completes_id IS NULL AND decided_at >= $2)::text AS granted,
        (SELECT coalesce(sum(held), 0) FROM authorization_event
            WHERE balance_id = $1 AND at >= $2)::text AS changed";

/// Postings and changes of one record are one line. What an authorization holds comes before what
/// else happened in the same microsecond. That an advice was forced stands in its row alone: a
/// posting is found to be of it by its moment.
const LINES: &str = "
    SELECT at, kind, message, amount, fee, held, shard, seq, record_idx, would_be FROM (
        SELECT coalesce(posted.at, changed.at) AS at, coalesce(changed.kind, posted.kind) AS kind,
            coalesce(changed.id, forced.id) AS message, coalesce(posted.amount, 0) AS amount,
            coalesce(fees.fee, 0) AS fee, coalesce(changed.held, 0) AS held,
            coalesce(posted.shard, changed.shard) AS shard,
            coalesce(posted.seq, changed.seq) AS seq,
            coalesce(posted.record_idx, changed.idx) AS record_idx, forced.would_be
        FROM (
            SELECT at, kind, sum(amount)::int8 AS amount, shard, seq, record_idx FROM posting
            WHERE account = 'balance' AND account_id = $1 AND at >= $2 AND at < $3
            GROUP BY at, kind, shard, seq, record_idx
        ) AS posted
        FULL JOIN (
            SELECT at, kind, id, held, shard, seq, idx FROM authorization_event
            WHERE balance_id = $1 AND at >= $2 AND at < $3
        ) AS changed
            ON (changed.shard, changed.seq, changed.idx)
                = (posted.shard, posted.seq, posted.record_idx)
        LEFT JOIN (
            SELECT shard, seq, idx, -sum(amount)::int8 AS fee FROM fees_charged
            WHERE balance_id = $1 AND taken = 'at_once' AND at >= $2 AND at < $3
            GROUP BY shard, seq, idx
        ) AS fees ON (fees.shard, fees.seq, fees.idx)
            = (posted.shard, posted.seq, posted.record_idx)
        LEFT JOIN (
            SELECT decided_at, min(id) AS id, min(would_be) AS would_be FROM card_authorization
            WHERE balance_id = $1 AND stand_in = 'forced' AND class = 'financial_advice'
                AND decided_at >= $2 AND decided_at < $3
            GROUP BY decided_at
        ) AS forced ON forced.decided_at = posted.at AND posted.kind = 'settled'
        UNION ALL
        SELECT decided_at, 'authorized', id, 0, 0, authorized + coalesce(fees_authorized, 0),
            NULL, NULL, NULL,
            CASE WHEN stand_in = 'forced' THEN would_be END
        FROM card_authorization
        WHERE balance_id = $1 AND class IN ('authorization', 'authorization_advice')
            AND completes_id IS NULL AND authorized > 0 AND decided_at >= $2 AND decided_at < $3
    ) AS line
    ORDER BY at, shard NULLS FIRST, seq NULLS FIRST, record_idx, message LIMIT $4";

const COMPUTED: &str = "
    SELECT (SELECT coalesce(sum(amount), 0) FROM (
            SELECT amount::numeric FROM posting WHERE account = 'balance' AND account_id = $1
            UNION ALL
            SELECT amount FROM posting_carried WHERE account = 'balance' AND account_id = $1
        ) AS legs)::text AS ledger,
        (SELECT coalesce(sum(greatest(0, authorized::numeric + incremented - reversed - cleared)
                + coalesce(fees_held, 0)), 0)
            FROM card_authorization WHERE balance_id = $1 AND NOT closed)::text AS held";

const LATEST: &str = "
    SELECT at, amount, currency FROM posting
    WHERE account = 'balance' AND account_id = $1 AND at >= $2
    ORDER BY at DESC, shard DESC, seq DESC, record_idx DESC, idx DESC LIMIT $3";

impl Store {
    /// What happened to an account in a span of time, with what stood before and after each; at
    /// most so many lines, the oldest first. `None` where there is no such account. Reads what the
    /// days since the span began have of authorizations and their events: there is no index for it,
    /// because every authorization would pay for that.
    ///
    /// # Errors
    /// A journal row that is missing or changed; PostgreSQL.
    pub async fn statement(
        &self,
        balance: BalanceId,
        span: Span,
        most: u32,
    ) -> Result<Option<Statement>, StoreError> {
        let database = StoreError::database;
        let mut connection = self.connection().await.map_err(database(DOING))?;
        let mut tx = connection.begin_with(SNAPSHOT).await.map_err(database(DOING))?;
        let Some((currency, now)) = standing(&mut tx, balance).await? else {
            return Ok(None);
        };
        let read = lines(&mut tx, balance, span, most).await.map_err(database(DOING))?;
        tx.rollback().await.map_err(database(DOING))?;
        let (since, rows) = read;
        let opening = now.before(since);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let more = rows.len() > most;
        let (mut after, mut lines) = (opening, Vec::new());
        for row in rows.iter().take(most) {
            let line = line(row, after).map_err(database(DOING))?;
            after = line.after;
            lines.push(line);
        }
        let closing = after;
        Ok(Some(Statement { balance, currency, opening, lines, closing, more, now }))
    }

    /// The row of an account, and what it should follow from. `None` where there is no such
    /// account. Reads all authorizations that are kept.
    ///
    /// # Errors
    /// A journal row that is missing or changed; PostgreSQL.
    pub async fn reconcile_balance(
        &self,
        balance: BalanceId,
    ) -> Result<Option<Reconciled>, StoreError> {
        let database = StoreError::database;
        let mut connection = self.connection().await.map_err(database(DOING))?;
        let mut tx = connection.begin_with(SNAPSHOT).await.map_err(database(DOING))?;
        let Some((_, stated)) = standing(&mut tx, balance).await? else {
            return Ok(None);
        };
        let row = sqlx::query(COMPUTED).bind(balance.0).fetch_one(&mut *tx).await;
        let row = row.map_err(database(DOING))?;
        tx.rollback().await.map_err(database(DOING))?;
        let sum = |column| number(&row, column).map_err(database(DOING));
        let computed = Standing { ledger: sum("ledger")?, held: sum("held")? };
        Ok(Some(Reconciled { stated, computed }))
    }

    /// The latest postings of an account since a moment, the latest first, at most so many: as far
    /// as the tables have them, which follow the journal by a quarter of a second.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn latest_postings(
        &self,
        balance: BalanceId,
        since: Timestamp,
        most: u32,
    ) -> Result<Vec<Movement>, StoreError> {
        let rows = sqlx::query(LATEST)
            .bind(balance.0)
            .bind(PgTimestamp(since))
            .bind(i64::from(most))
            .fetch_all(self.pool())
            .await
            .map_err(StoreError::database(DOING))?;
        let found: Result<_, _> = rows.iter().map(movement).collect();
        found.map_err(StoreError::database(DOING))
    }
}

/// Currency and standing of an account where history is: its row, and what moved since that was
/// flushed (W-23).
pub(crate) async fn standing(
    tx: &mut PgConnection,
    balance: BalanceId,
) -> Result<Option<(i16, Standing)>, StoreError> {
    let database = StoreError::database;
    let row = sqlx::query(BALANCE).bind(balance.0).fetch_optional(&mut *tx).await;
    let Some(row) = row.map_err(database(DOING))? else { return Ok(None) };
    let shard: i32 = row.try_get("shard").map_err(database(DOING))?;
    let seq = |column| row.try_get(column).map(Seq).map_err(database(DOING));
    let (history, flushed) = (seq("seq")?, seq("flushed")?);
    let id = ShardId(u16::try_from(shard).unwrap_or(u16::MAX));
    let moved = moves(tx, id, flushed, history).await?;
    let moved = moved.balances.get(&balance);
    let amount = |column, moved: Option<i64>| {
        let stored: i64 = row.try_get(column).map_err(database(DOING))?;
        Ok::<_, StoreError>(i128::from(stored).saturating_add(moved.unwrap_or(0).into()))
    };
    let ledger = amount("ledger", moved.map(|moved| moved.ledger.0))?;
    let held = amount("held", moved.map(|moved| moved.held.0))?;
    let currency = row.try_get("currency").map_err(database(DOING))?;
    Ok(Some((currency, Standing { ledger, held })))
}

/// What moved since a span began, and the rows of the span, with one too many where there are more
/// than wanted.
async fn lines(
    tx: &mut PgConnection,
    balance: BalanceId,
    span: Span,
    most: u32,
) -> Result<(Standing, Vec<PgRow>), sqlx::Error> {
    let since = sqlx::query(SINCE).bind(balance.0).bind(PgTimestamp(span.from));
    let since = since.fetch_one(&mut *tx).await?;
    let held = number(&since, "granted")?.saturating_add(number(&since, "changed")?);
    let since = Standing { ledger: number(&since, "ledger")?, held };
    let rows = sqlx::query(LINES)
        .bind(balance.0)
        .bind(PgTimestamp(span.from))
        .bind(PgTimestamp(span.to))
        .bind(i64::from(most).saturating_add(1))
        .fetch_all(tx)
        .await?;
    Ok((since, rows))
}

fn line(row: &PgRow, before: Standing) -> Result<StatementLine, sqlx::Error> {
    let (amount, held): (i64, i64) = (row.try_get("amount")?, row.try_get("held")?);
    let (shard, seq, idx) =
        (row.try_get("shard")?, row.try_get("seq")?, row.try_get("record_idx")?);
    let record = match (shard, seq, idx) {
        (Some(shard), Some(seq), Some(idx)) => Some((shard, seq, idx)),
        _ => None,
    };
    Ok(StatementLine {
        at: moment(row, "at")?,
        kind: row.try_get("kind")?,
        message: row.try_get("message")?,
        amount: MinorUnits(amount),
        fee: MinorUnits(row.try_get("fee")?),
        held: MinorUnits(held),
        before,
        after: before.after(amount, held),
        would_be: row.try_get("would_be")?,
        record,
    })
}

fn movement(row: &PgRow) -> Result<Movement, sqlx::Error> {
    let currency: i16 = row.try_get("currency")?;
    let listed = Currency::from_numeric(u16::try_from(currency).unwrap_or(u16::MAX));
    let currency = listed.map_err(|unknown| sqlx::Error::Decode(Box::new(unknown)))?;
    let amount = Amount { minor: MinorUnits(row.try_get("amount")?), currency };
    Ok(Movement { at: moment(row, "at")?, amount })
}
