//! The books of the tables: every sum that must follow from other rows. It owns the list of checks
//! and names table, row and both figures of each fault; it mends nothing.

use sqlx::Row;

use crate::error::StoreError;
use crate::store::Store;

/// One figure that does not follow from the rows it is the sum of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{table} {row}: {column} is {stated}, but {parts} add up to {computed}")]
pub struct BookFault {
    /// The table.
    pub table: &'static str,
    /// The row's key.
    pub row: i64,
    /// The figure.
    pub column: &'static str,
    /// What it says.
    pub stated: i64,
    /// What its parts add up to.
    pub computed: i64,
    /// What the parts are.
    pub parts: &'static str,
}

/// A check: gives the rows (key, stated, computed) that do not add up.
struct Check {
    table: &'static str,
    column: &'static str,
    parts: &'static str,
    faults: &'static str,
}

/// Sums are computed as numeric and read as text: a damaged row may pass the range of an int8.
const CHECKS: [Check; 7] = [
    Check {
        table: "balance",
        column: "held",
        parts: "the open authorizations of that balance",
        faults: "\
            WITH open AS (
                SELECT balance_id,
                       sum(greatest(0, authorized + incremented - reversed - cleared)) AS held
                FROM card_authorization
                WHERE NOT closed AND balance_id IS NOT NULL GROUP BY balance_id)
            SELECT coalesce(b.id, o.balance_id) AS key,
                   coalesce(b.held, 0)::text AS stated, coalesce(o.held, 0)::text AS computed
            FROM balance b FULL JOIN open o ON o.balance_id = b.id
            WHERE coalesce(b.held, 0) <> coalesce(o.held, 0) ORDER BY 1 LIMIT 100",
    },
    Check {
        table: "balance",
        column: "ledger",
        parts: "the postings to that balance",
        faults: "\
            WITH posted AS (
                SELECT account_id, sum(amount) AS amount FROM posting
                WHERE account = 'balance' GROUP BY account_id)
            SELECT coalesce(b.id, p.account_id) AS key,
                   coalesce(b.ledger, 0)::text AS stated, coalesce(p.amount, 0)::text AS computed
            FROM balance b FULL JOIN posted p ON p.account_id = b.id
            WHERE coalesce(b.ledger, 0) <> coalesce(p.amount, 0) ORDER BY 1 LIMIT 100",
    },
    Check {
        table: "pool",
        column: "held (all shares)",
        parts: "the open authorizations that charged that pool",
        faults: "\
            WITH open AS (
                SELECT pool_id,
                       sum(greatest(0, authorized + incremented - reversed - cleared)) AS held
                FROM card_authorization
                WHERE NOT closed AND pool_id IS NOT NULL GROUP BY pool_id),
            share AS (SELECT pool_id, sum(held) AS held FROM pool_share GROUP BY pool_id)
            SELECT coalesce(s.pool_id, o.pool_id) AS key,
                   coalesce(s.held, 0)::text AS stated, coalesce(o.held, 0)::text AS computed
            FROM share s FULL JOIN open o ON o.pool_id = s.pool_id
            WHERE coalesce(s.held, 0) <> coalesce(o.held, 0) ORDER BY 1 LIMIT 100",
    },
    Check {
        table: "pool",
        column: "level (all shares)",
        parts: "the postings to that pool",
        faults: "\
            WITH posted AS (
                SELECT account_id, sum(amount) AS amount FROM posting
                WHERE account = 'pool' GROUP BY account_id),
            share AS (SELECT pool_id, sum(level) AS level FROM pool_share GROUP BY pool_id)
            SELECT coalesce(s.pool_id, p.account_id) AS key,
                   coalesce(s.level, 0)::text AS stated, coalesce(p.amount, 0)::text AS computed
            FROM share s FULL JOIN posted p ON p.account_id = s.pool_id
            WHERE coalesce(s.level, 0) <> coalesce(p.amount, 0) ORDER BY 1 LIMIT 100",
    },
    Check {
        table: "pool",
        column: "held of a share",
        parts: "holds, which are never negative,",
        faults: "\
            SELECT pool_id AS key, held::text AS stated, '0' AS computed
            FROM pool_share WHERE held < 0 ORDER BY 1 LIMIT 100",
    },
    Check {
        table: "balance",
        column: "held",
        parts: "holds, which are never negative,",
        faults: "\
            SELECT id AS key, held::text AS stated, '0' AS computed
            FROM balance WHERE held < 0 ORDER BY 1 LIMIT 100",
    },
    Check {
        table: "posting, currency",
        column: "the sum of all postings",
        parts: "the legs of balanced entries",
        faults: "\
            SELECT currency::int8 AS key, sum(amount)::text AS stated, '0' AS computed
            FROM posting GROUP BY currency HAVING sum(amount) <> 0 ORDER BY 1",
    },
];

impl Store {
    /// Every figure of the tables that does not add up, at most 100 a check; empty when the books
    /// balance. Rows are compared with rows: how far they are behind the journal does not matter.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn books(&self) -> Result<Vec<BookFault>, StoreError> {
        const DOING: &str = "checking the books";
        let mut connection = self.connection().await.map_err(StoreError::database("connecting"))?;
        // One snapshot for all checks: a projector may be at work meanwhile.
        let mut tx = sqlx::Connection::begin_with(
            &mut connection,
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        )
        .await
        .map_err(StoreError::database(DOING))?;
        let mut faults = Vec::new();
        for check in &CHECKS {
            let rows = sqlx::query(check.faults)
                .fetch_all(&mut *tx)
                .await
                .map_err(StoreError::database(DOING))?;
            for row in rows {
                let amount = |column: &str| -> Result<i64, StoreError> {
                    let text: String = row.try_get(column).map_err(StoreError::database(DOING))?;
                    Ok(text.parse().unwrap_or(i64::MAX))
                };
                faults.push(BookFault {
                    table: check.table,
                    row: row.try_get("key").map_err(StoreError::database(DOING))?,
                    column: check.column,
                    stated: amount("stated")?,
                    computed: amount("computed")?,
                    parts: check.parts,
                });
            }
        }
        Ok(faults)
    }
}
