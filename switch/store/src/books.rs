//! The check of the books on the tables: held is what open authorizations hold, ledgers are what
//! was posted, postings sum to zero (design section 5). It reads one snapshot, and repairs nothing.

use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection, Row};

use crate::error::StoreError;
use crate::store::Store;

/// One figure that does not follow from the others.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{table} {row}: {figure} is {stated}, and {source_of} gives {computed}")]
pub struct Fault {
    /// The table.
    pub table: &'static str,
    /// The row, by its key.
    pub row: String,
    /// The column.
    pub figure: &'static str,
    /// What it says, in minor units.
    pub stated: String,
    /// What it should follow from.
    pub source_of: &'static str,
    /// What that gives, in minor units.
    pub computed: String,
}

/// A check: its statement gives the key, what is stated and what is computed, of wrong rows alone.
struct Check {
    table: &'static str,
    figure: &'static str,
    source_of: &'static str,
    sql: &'static str,
}

/// Sums are of type numeric, so that no damage can make the check itself overflow.
const CHECKS: [Check; 8] = [
    Check {
        table: "balance",
        figure: "held",
        source_of: "the sum of open authorizations",
        sql: "
            SELECT id::text AS row, stated::text, computed::text FROM (
                SELECT coalesce(b.id, o.id) AS id, coalesce(b.held, 0) AS stated,
                    coalesce(o.held, 0) AS computed
                FROM balance AS b FULL JOIN (
                    SELECT balance_id AS id,
                        sum(authorized::numeric + incremented - reversed - cleared) AS held
                    FROM card_authorization
                    WHERE NOT closed AND authorized + incremented > reversed + cleared
                        AND balance_id IS NOT NULL
                    GROUP BY balance_id
                ) AS o ON o.id = b.id
            ) AS both_sides WHERE stated <> computed ORDER BY id",
    },
    Check {
        table: "balance",
        figure: "ledger",
        source_of: "the sum of postings",
        sql: "
            SELECT id::text AS row, stated::text, computed::text FROM (
                SELECT coalesce(b.id, p.id) AS id, coalesce(b.ledger, 0) AS stated,
                    coalesce(p.amount, 0) AS computed
                FROM balance AS b FULL JOIN (
                    SELECT account_id AS id, sum(amount) AS amount
                    FROM posting WHERE account = 'balance' GROUP BY account_id
                ) AS p ON p.id = b.id
            ) AS both_sides WHERE stated <> computed ORDER BY id",
    },
    Check {
        table: "pool_share",
        figure: "held",
        source_of: "the sum of open authorizations",
        sql: "
            SELECT 'of pool ' || id AS row, stated::text, computed::text FROM (
                SELECT coalesce(s.id, o.id) AS id, coalesce(s.held, 0) AS stated,
                    coalesce(o.held, 0) AS computed
                FROM (
                    SELECT pool_id AS id, sum(held) AS held FROM pool_share GROUP BY pool_id
                ) AS s FULL JOIN (
                    SELECT pool_id AS id,
                        sum(authorized::numeric + incremented - reversed - cleared) AS held
                    FROM card_authorization
                    WHERE NOT closed AND authorized + incremented > reversed + cleared
                        AND pool_id IS NOT NULL
                    GROUP BY pool_id
                ) AS o ON o.id = s.id
            ) AS both_sides WHERE stated <> computed ORDER BY id",
    },
    Check {
        table: "pool_share",
        figure: "level",
        source_of: "the sum of postings",
        sql: "
            SELECT 'of pool ' || id AS row, stated::text, computed::text FROM (
                SELECT coalesce(s.id, p.id) AS id, coalesce(s.level, 0) AS stated,
                    coalesce(p.amount, 0) AS computed
                FROM (
                    SELECT pool_id AS id, sum(level) AS level FROM pool_share GROUP BY pool_id
                ) AS s FULL JOIN (
                    SELECT account_id AS id, sum(amount) AS amount
                    FROM posting WHERE account = 'pool' GROUP BY account_id
                ) AS p ON p.id = s.id
            ) AS both_sides WHERE stated <> computed ORDER BY id",
    },
    Check {
        table: "balance",
        figure: "held",
        source_of: "the rule that nothing is held below zero",
        sql: "
            SELECT id::text AS row, held::text AS stated, '0' AS computed
            FROM balance WHERE held < 0 ORDER BY id",
    },
    Check {
        table: "pool_share",
        figure: "held",
        source_of: "the rule that nothing is held below zero",
        sql: "
            SELECT 'of pool ' || pool_id || ', shard ' || shard AS row, held::text AS stated,
                '0' AS computed
            FROM pool_share WHERE held < 0 ORDER BY pool_id, shard",
    },
    Check {
        table: "card_authorization",
        figure: "the least of its totals",
        source_of: "the rule that no total is below zero",
        sql: "
            SELECT id::text AS row,
                least(authorized, incremented, reversed, cleared, refunded)::text AS stated,
                '0' AS computed
            FROM card_authorization
            WHERE least(authorized, incremented, reversed, cleared, refunded) < 0 ORDER BY id",
    },
    Check {
        table: "posting",
        figure: "the sum",
        source_of: "double entry",
        sql: "
            SELECT 'currency ' || currency AS row, sum(amount)::text AS stated, '0' AS computed
            FROM posting GROUP BY currency HAVING sum(amount) <> 0 ORDER BY currency",
    },
];

/// Which journal records the postings that do not sum to zero come from; asked only if any do.
const UNBALANCED: Check = Check {
    table: "posting",
    figure: "the sum",
    source_of: "double entry",
    sql: "
        SELECT 'shard ' || shard || ', seq ' || seq || ', record ' || record_idx
                || ', currency ' || currency AS row,
            sum(amount)::text AS stated, '0' AS computed
        FROM posting GROUP BY shard, seq, record_idx, currency HAVING sum(amount) <> 0
        ORDER BY shard, seq, record_idx, currency LIMIT 100",
};

const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const DOING: &str = "checking the books";

/// Every figure in the tables that does not add up; empty when the books balance.
///
/// # Errors
/// PostgreSQL.
pub async fn books(store: &Store) -> Result<Vec<Fault>, StoreError> {
    check_all(store).await.map_err(StoreError::database(DOING))
}

async fn check_all(store: &Store) -> Result<Vec<Fault>, sqlx::Error> {
    let mut connection = store.connection().await?;
    let mut tx = connection.begin_with(SNAPSHOT).await?;
    let mut faults = Vec::new();
    for check in &CHECKS {
        faults.extend(run(&mut tx, check).await?);
    }
    if faults.iter().any(|fault| fault.table == UNBALANCED.table) {
        faults.extend(run(&mut tx, &UNBALANCED).await?);
    }
    tx.rollback().await?;
    Ok(faults)
}

async fn run(tx: &mut PgConnection, check: &Check) -> Result<Vec<Fault>, sqlx::Error> {
    let rows = sqlx::query(check.sql).fetch_all(tx).await?;
    rows.iter().map(|row| fault(check, row)).collect()
}

fn fault(check: &Check, row: &PgRow) -> Result<Fault, sqlx::Error> {
    Ok(Fault {
        table: check.table,
        row: row.try_get("row")?,
        figure: check.figure,
        stated: row.try_get("stated")?,
        source_of: check.source_of,
        computed: row.try_get("computed")?,
    })
}
