//! The ledger as people ask for it: a trial balance, the statement of an account, and what waits in
//! suspense. It owns the questions, each of one snapshot; whether the books are right is for
//! `books` to say, and nothing is repaired here.

use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection, Row};
use switch_domain::{BalanceId, MinorUnits, Seq, ShardId, Timestamp};

use crate::books::number;
use crate::error::StoreError;
use crate::load::moved::moves;
use crate::pg_timestamp::PgTimestamp;
use crate::store::{SNAPSHOT, Store};

/// What stands on an account, or on all accounts of a kind, in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialLine {
    /// The kind of account: see the chart in `docs/ledger.md`.
    pub account: String,
    /// Whose it is, where each is told apart: of a balance, a pool or a partner.
    pub id: Option<i64>,
    /// Numeric code.
    pub currency: i16,
    /// How many postings that are still kept one by one.
    pub postings: i64,
    /// Their sum, and that of those no longer kept, in minor units: above zero what is owed to the
    /// account's holder (a credit), below zero a debit.
    pub amount: i128,
}

/// What happened to an account between two moments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The account.
    pub balance: BalanceId,
    /// Numeric code.
    pub currency: i16,
    /// What stood on it at the beginning, in minor units.
    pub opening: i128,
    /// The postings, the oldest first.
    pub lines: Vec<StatementLine>,
    /// What stands behind the last of the lines.
    pub closing: i128,
    /// True where there are more lines than were asked for.
    pub more: bool,
    /// What stands on it now.
    pub ledger: i128,
    /// What open authorizations hold of that now.
    pub held: i128,
}

/// One posting to an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementLine {
    /// When it was decided.
    pub at: Timestamp,
    /// What it comes from: `settled`, `reversed`, `balance_credited` and so on.
    pub kind: String,
    /// Minor units: above zero what came, below zero what went.
    pub amount: MinorUnits,
    /// What stood before, in minor units.
    pub before: i128,
    /// What stood after.
    pub after: i128,
    /// The record of the journal that says so: shard, row, place in the row.
    pub record: (i32, i64, i32),
}

/// An advice that could not be held or posted: acknowledged, and for a person to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspended {
    /// Its own number.
    pub id: i64,
    /// When it came.
    pub at: Timestamp,
    /// The link it came by, where that is known.
    pub link: Option<i32>,
    /// Why nothing was done.
    pub reason: String,
    /// The message's class.
    pub class: String,
    /// DE32, or the link.
    pub acquirer: String,
    /// DE11.
    pub stan: i64,
    /// DE37.
    pub rrn: String,
    /// DE41.
    pub terminal: String,
    /// DE42.
    pub merchant: String,
    /// What it is of, in minor units.
    pub amount: MinorUnits,
    /// Numeric code.
    pub currency: i16,
}

/// A span of time: from its first moment on, and before its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment that is not of it.
    pub to: Timestamp,
}

const DOING: &str = "reading the ledger";

const TRIAL: &str = "
    SELECT account, CASE WHEN $1 THEN account_id END AS id, currency,
        count(*) FILTER (WHERE kept) AS postings, sum(amount)::text AS amount
    FROM (
        SELECT account, account_id, currency, amount::numeric, true AS kept FROM posting
        UNION ALL
        SELECT account, account_id, currency, amount, false FROM posting_carried
    ) AS legs
    GROUP BY account, 2, currency ORDER BY currency, account, 2";

const BALANCE: &str = "
    SELECT balance.shard, currency, ledger, held, seq, flushed
    FROM balance JOIN projection ON projection.shard = balance.shard WHERE id = $1";

/// All that was posted since, whatever of it is asked for: what stood before follows from that.
const SINCE: &str = "
    SELECT coalesce(sum(amount), 0)::text AS amount FROM posting
    WHERE account = 'balance' AND account_id = $1 AND at >= $2";

const LINES: &str = "
    SELECT at, kind, amount, shard, seq, record_idx FROM posting
    WHERE account = 'balance' AND account_id = $1 AND at >= $2 AND at < $3
    ORDER BY shard, seq, record_idx, idx LIMIT $4";

const SUSPENDED: &str = "
    SELECT id, decided_at, link, would_be, class, acquirer, stan, rrn, terminal, merchant,
        requested, currency
    FROM card_authorization
    WHERE stand_in = 'suspense' AND decided_at >= $1 AND decided_at < $2
    ORDER BY decided_at, id LIMIT $3";

impl Store {
    /// What stands on the accounts, by kind, or each by itself. Reads all postings that are kept.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn trial_balance(&self, each: bool) -> Result<Vec<TrialLine>, StoreError> {
        let rows = sqlx::query(TRIAL).bind(each).fetch_all(self.pool()).await;
        let rows = rows.map_err(StoreError::database(DOING))?;
        let lines: Result<_, _> = rows.iter().map(trial_line).collect();
        lines.map_err(StoreError::database(DOING))
    }

    /// What was posted to an account in a span of time, with what stood before and after each; at
    /// most so many lines, the oldest first. `None` where there is no such account. Reads the
    /// postings of the days since the span began: there is no index for it, because every
    /// authorization would pay for that.
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
        let Some((currency, ledger, held)) = standing(&mut tx, balance).await? else {
            return Ok(None);
        };
        let read = lines(&mut tx, balance, span, most).await.map_err(database(DOING))?;
        tx.rollback().await.map_err(database(DOING))?;
        let (since, rows) = read;
        let opening = ledger.saturating_sub(since);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let more = rows.len() > most;
        let (mut after, mut lines) = (opening, Vec::new());
        for row in rows.iter().take(most) {
            let line = line(row, after).map_err(database(DOING))?;
            after = line.after;
            lines.push(line);
        }
        let closing = after;
        Ok(Some(Statement { balance, currency, opening, lines, closing, more, ledger, held }))
    }

    /// Advices of a span of time that are in suspense, the oldest first, at most so many.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn suspended(&self, span: Span, most: u32) -> Result<Vec<Suspended>, StoreError> {
        let rows = sqlx::query(SUSPENDED)
            .bind(PgTimestamp(span.from))
            .bind(PgTimestamp(span.to))
            .bind(i64::from(most))
            .fetch_all(self.pool())
            .await
            .map_err(StoreError::database(DOING))?;
        let found: Result<_, _> = rows.iter().map(suspended).collect();
        found.map_err(StoreError::database(DOING))
    }
}

/// Currency, ledger and held of an account where history is: its row, and what moved since that was
/// flushed (W-23).
async fn standing(
    tx: &mut PgConnection,
    balance: BalanceId,
) -> Result<Option<(i16, i128, i128)>, StoreError> {
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
    Ok(Some((row.try_get("currency").map_err(database(DOING))?, ledger, held)))
}

/// The sum of what was posted since a span began, and the rows of the span, with one too many where
/// there are more than wanted.
async fn lines(
    tx: &mut PgConnection,
    balance: BalanceId,
    span: Span,
    most: u32,
) -> Result<(i128, Vec<PgRow>), sqlx::Error> {
    let since = sqlx::query(SINCE).bind(balance.0).bind(PgTimestamp(span.from));
    let since = number(&since.fetch_one(&mut *tx).await?, "amount")?;
    let rows = sqlx::query(LINES)
        .bind(balance.0)
        .bind(PgTimestamp(span.from))
        .bind(PgTimestamp(span.to))
        .bind(i64::from(most).saturating_add(1))
        .fetch_all(tx)
        .await?;
    Ok((since, rows))
}

fn line(row: &PgRow, before: i128) -> Result<StatementLine, sqlx::Error> {
    let amount: i64 = row.try_get("amount")?;
    Ok(StatementLine {
        at: moment(row, "at")?,
        kind: row.try_get("kind")?,
        amount: MinorUnits(amount),
        before,
        after: before.saturating_add(amount.into()),
        record: (row.try_get("shard")?, row.try_get("seq")?, row.try_get("record_idx")?),
    })
}

fn trial_line(row: &PgRow) -> Result<TrialLine, sqlx::Error> {
    Ok(TrialLine {
        account: row.try_get("account")?,
        id: row.try_get("id")?,
        currency: row.try_get("currency")?,
        postings: row.try_get("postings")?,
        amount: number(row, "amount")?,
    })
}

fn suspended(row: &PgRow) -> Result<Suspended, sqlx::Error> {
    Ok(Suspended {
        id: row.try_get("id")?,
        at: moment(row, "decided_at")?,
        link: row.try_get("link")?,
        reason: row.try_get::<Option<String>, _>("would_be")?.unwrap_or_default(),
        class: row.try_get("class")?,
        acquirer: row.try_get("acquirer")?,
        stan: row.try_get("stan")?,
        rrn: row.try_get("rrn")?,
        terminal: row.try_get("terminal")?,
        merchant: row.try_get("merchant")?,
        amount: MinorUnits(row.try_get("requested")?),
        currency: row.try_get("currency")?,
    })
}

fn moment(row: &PgRow, column: &str) -> Result<Timestamp, sqlx::Error> {
    row.try_get::<PgTimestamp, _>(column).map(|at| at.0)
}
