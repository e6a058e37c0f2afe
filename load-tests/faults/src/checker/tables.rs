//! What the database says after the switch has stopped, read by SQL of the harness' own: the
//! checker must not share a mistake with the switch. It owns the statements; it judges nothing.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use sqlx::{PgConnection, Row};

use super::history::Stan;

/// A row of `card_authorization`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Authorization {
    pub(crate) id: i64,
    pub(crate) stan: Stan,
    pub(crate) balance: Option<i64>,
    pub(crate) reason: String,
    pub(crate) approval_code: String,
    pub(crate) requested: i64,
    pub(crate) authorized: i64,
    pub(crate) incremented: i64,
    pub(crate) reversed: i64,
    pub(crate) cleared: i64,
    pub(crate) closed: bool,
    /// What it completes, refunds or adds to.
    pub(crate) completes: Option<i64>,
}

impl Authorization {
    /// What it still holds.
    pub(crate) const fn held(&self) -> i64 {
        let Self { authorized, incremented, reversed, cleared, .. } = *self;
        let open = authorized + incremented - reversed - cleared;
        // More may have been settled than was held; less than nothing was never given back.
        let settled_above = cleared > 0 && open < 0;
        if self.closed || settled_above { 0 } else { open }
    }

    /// Whether it holds or settled anything.
    pub(crate) const fn moves(&self) -> bool {
        self.held() != 0 || self.cleared != 0
    }

    /// The most that can be taken back of it by itself.
    pub(crate) const fn most(&self) -> i64 {
        let own = self.authorized + self.incremented;
        if own == 0 { self.requested } else { own }
    }
}

/// Amounts of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amounts {
    pub(crate) ledger: i64,
    pub(crate) held: i64,
}

/// The tables, as far as the checker looks at them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    pub(crate) authorizations: Vec<Authorization>,
    /// How often each reversal stands in the events, by its own STAN.
    pub(crate) reversals: BTreeMap<Stan, usize>,
    pub(crate) balances: BTreeMap<i64, Amounts>,
    pub(crate) pools: BTreeMap<i64, Amounts>,
    /// Sum of postings by currency.
    pub(crate) postings: BTreeMap<i16, i64>,
    /// What is owed to the networks by the postings.
    pub(crate) network: i64,
    /// Decisions that are dated before an earlier one of their shard.
    pub(crate) dated_back: i64,
    /// Tables, or logs, in which a card number stands.
    pub(crate) leaks: Vec<String>,
}

const AUTHORIZATIONS: &str = "\
    SELECT id, stan, balance_id, reason, coalesce(approval_code, '') AS approval_code, requested,
        authorized, incremented, reversed, cleared, closed, completes_id FROM card_authorization";
const REVERSALS: &str =
    "SELECT stan, count(*) AS times FROM authorization_event WHERE kind = 'reversed' GROUP BY stan";
const BALANCES: &str = "SELECT id, ledger, held FROM balance";
const POOLS: &str = "\
    SELECT pool_id AS id, sum(level)::int8 AS ledger, sum(held)::int8 AS held
    FROM pool_share GROUP BY pool_id";
const POSTINGS: &str =
    "SELECT currency, sum(amount)::int8 AS amount FROM posting GROUP BY currency";
const NETWORK: &str = "\
    SELECT coalesce(sum(amount), 0)::int8 FROM posting WHERE account = 'network_settlement'";
/// The shard of a number stands in its upper bits, below them a counter.
const DATED_BACK: &str = "\
    SELECT count(*) FROM (
        SELECT decided_at, max(decided_at) OVER (
            PARTITION BY id >> 40 ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS latest_before FROM card_authorization
    ) AS one WHERE decided_at < latest_before";
const NAMES: &str = "\
    SELECT relname::text FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname";

/// Reads them.
pub(crate) async fn read(connection: &mut PgConnection, pans: &[String]) -> Result<Tables> {
    let mut tables = Tables::default();
    for row in sqlx::query(AUTHORIZATIONS).fetch_all(&mut *connection).await? {
        let stan: i64 = row.try_get("stan")?;
        tables.authorizations.push(Authorization {
            id: row.try_get("id")?,
            stan: u32::try_from(stan)?,
            balance: row.try_get("balance_id")?,
            reason: row.try_get("reason")?,
            approval_code: row.try_get("approval_code")?,
            requested: row.try_get("requested")?,
            authorized: row.try_get("authorized")?,
            incremented: row.try_get("incremented")?,
            reversed: row.try_get("reversed")?,
            cleared: row.try_get("cleared")?,
            closed: row.try_get("closed")?,
            completes: row.try_get("completes_id")?,
        });
    }
    for row in sqlx::query(REVERSALS).fetch_all(&mut *connection).await? {
        let stan: i64 = row.try_get("stan")?;
        let times: i64 = row.try_get("times")?;
        tables.reversals.insert(u32::try_from(stan)?, usize::try_from(times)?);
    }
    tables.balances = amounts(connection, BALANCES).await?;
    tables.pools = amounts(connection, POOLS).await?;
    for row in sqlx::query(POSTINGS).fetch_all(&mut *connection).await? {
        tables.postings.insert(row.try_get("currency")?, row.try_get("amount")?);
    }
    tables.network = sqlx::query_scalar(NETWORK).fetch_one(&mut *connection).await?;
    tables.dated_back = sqlx::query_scalar(DATED_BACK).fetch_one(&mut *connection).await?;
    tables.leaks = leaks(connection, pans).await?;
    Ok(tables)
}

async fn amounts(
    connection: &mut PgConnection,
    sql: &'static str,
) -> Result<BTreeMap<i64, Amounts>> {
    let rows = sqlx::query(sql).fetch_all(connection).await?;
    let read = rows.iter().map(|row| {
        let amounts = Amounts { ledger: row.try_get("ledger")?, held: row.try_get("held")? };
        anyhow::Ok((row.try_get("id")?, amounts))
    });
    read.collect()
}

/// Tables in whose rows a card number stands, as text or as the bytes of a text.
async fn leaks(connection: &mut PgConnection, pans: &[String]) -> Result<Vec<String>> {
    let names: Vec<String> = sqlx::query_scalar(NAMES).fetch_all(&mut *connection).await?;
    let as_bytes = pans.iter().map(|pan| pan.chars().map(|digit| format!("3{digit}")).collect());
    let patterns: Vec<String> = pans.iter().cloned().chain(as_bytes).collect();
    let pattern = patterns.join("|");
    let mut found = Vec::new();
    for name in names {
        // The name comes from the catalogue.
        let sql = format!("SELECT count(*) FROM \"{name}\" AS one WHERE one::text ~ $1");
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(&pattern)
            .fetch_one(&mut *connection)
            .await
            .with_context(|| format!("searching {name}"))?;
        if count > 0 {
            found.push(format!("table {name}: {count} rows"));
        }
    }
    Ok(found)
}
