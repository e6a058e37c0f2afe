//! The ledger as people ask for it: a trial balance, and the advices that they should look at. It
//! owns the questions; whether the books are right is for `books` to say, what happened to one
//! account for `statement`, and nothing is repaired here.

use sqlx::Row;
use sqlx::postgres::PgRow;
use switch_domain::{MinorUnits, Timestamp};

use crate::books::number;
use crate::error::StoreError;
use crate::pg_timestamp::PgTimestamp;
use crate::store::Store;

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

/// An advice for a person to look at: acknowledged, and either not held or posted, or held or
/// posted although it would have been declined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OddAdvice {
    /// Its own number.
    pub id: i64,
    /// When it came.
    pub at: Timestamp,
    /// The link it came by, where that is known.
    pub link: Option<i32>,
    /// Why nothing was done, or why it would have been declined.
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

const ADVICES: &str = "
    SELECT id, decided_at, link, would_be, class, acquirer, stan, rrn, terminal, merchant,
        requested, currency
    FROM card_authorization
    WHERE stand_in = $4 AND decided_at >= $1 AND decided_at < $2
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

    /// Advices of a span of time that are in suspense, the oldest first, at most so many.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn suspended(&self, span: Span, most: u32) -> Result<Vec<OddAdvice>, StoreError> {
        self.advices("suspense", span, most).await
    }

    /// Advices of a span of time that took effect although they would have been declined, the
    /// oldest first, at most so many.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn forced(&self, span: Span, most: u32) -> Result<Vec<OddAdvice>, StoreError> {
        self.advices("forced", span, most).await
    }

    async fn advices(
        &self,
        became: &str,
        span: Span,
        most: u32,
    ) -> Result<Vec<OddAdvice>, StoreError> {
        let rows = sqlx::query(ADVICES)
            .bind(PgTimestamp(span.from))
            .bind(PgTimestamp(span.to))
            .bind(i64::from(most))
            .bind(became)
            .fetch_all(self.pool())
            .await
            .map_err(StoreError::database(DOING))?;
        let found: Result<_, _> = rows.iter().map(odd_advice).collect();
        found.map_err(StoreError::database(DOING))
    }
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

fn odd_advice(row: &PgRow) -> Result<OddAdvice, sqlx::Error> {
    Ok(OddAdvice {
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

pub(crate) fn moment(row: &PgRow, column: &str) -> Result<Timestamp, sqlx::Error> {
    row.try_get::<PgTimestamp, _>(column).map(|at| at.0)
}
