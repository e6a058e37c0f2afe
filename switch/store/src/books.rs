//! The check of the books on the tables: held is what open authorizations hold, ledgers are what
//! was posted, postings sum to zero (design section 5). It reads one snapshot, and repairs nothing.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection, Row};
use switch_domain::{Seq, ShardId};

use crate::error::StoreError;
use crate::load::moved::moves;
use crate::projection::Moves;
use crate::store::{SNAPSHOT, Store};

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

/// A check in SQL: its statement gives the key, what is stated and what is computed, of wrong rows
/// alone. Sums are of type numeric, so that no damage can make the check itself overflow.
struct Check {
    table: &'static str,
    figure: &'static str,
    source_of: &'static str,
    sql: &'static str,
}

const CHECKS: [Check; 4] = [
    Check {
        table: "card_authorization",
        figure: "the least of its totals",
        source_of: NOT_BELOW_ZERO,
        sql: "
            SELECT id::text AS row,
                least(authorized, incremented, reversed, cleared, refunded,
                    fees_held, fees_charged, fees_invoiced)::text AS stated,
                '0' AS computed
            FROM card_authorization
            WHERE least(authorized, incremented, reversed, cleared, refunded,
                fees_held, fees_charged, fees_invoiced) < 0 ORDER BY id",
    },
    Check {
        table: "posting",
        figure: "the sum",
        source_of: "double entry",
        sql: "
            SELECT 'currency ' || currency AS row, sum(amount)::text AS stated, '0' AS computed
            FROM (
                SELECT currency, amount FROM posting
                UNION ALL SELECT currency, amount FROM posting_carried
            ) AS legs
            GROUP BY currency HAVING sum(amount) <> 0 ORDER BY currency",
    },
    // Each shard's rows and postings are of one moment, whatever the others have written by then:
    // what was sent and not given back, less what was credited, is what is in transit.
    Check {
        table: "posting",
        figure: "the sum in transit",
        source_of: "the transfers",
        sql: "
            SELECT 'partner ' || partner || ', currency ' || currency AS row,
                sum(posted)::text AS stated, sum(open)::text AS computed
            FROM (
                SELECT account_id AS partner, currency, amount::numeric AS posted, 0 AS open
                FROM posting WHERE account = 'in_transit'
                UNION ALL
                SELECT account_id, currency, amount, 0
                FROM posting_carried WHERE account = 'in_transit'
                UNION ALL
                SELECT partner_id, currency, 0, amount
                FROM transfer WHERE outcome IS NULL OR outcome = 'credited'
                UNION ALL
                SELECT partner_id, currency, 0, -amount
                FROM transfer_received WHERE outcome = 'credited'
            ) AS legs
            GROUP BY partner, currency HAVING sum(posted) <> sum(open) ORDER BY partner, currency",
    },
    Check {
        table: "posting",
        figure: "the sum of fee income",
        source_of: "the fees charged",
        sql: "
            SELECT 'partner ' || partner || ', currency ' || currency AS row,
                sum(posted)::text AS stated, sum(charged)::text AS computed
            FROM (
                SELECT account_id AS partner, currency, amount::numeric AS posted, 0 AS charged
                FROM posting WHERE account = 'fee_income'
                UNION ALL
                SELECT account_id, currency, amount, 0
                FROM posting_carried WHERE account = 'fee_income'
                UNION ALL
                SELECT partner_id, currency, 0, amount FROM fees_charged WHERE taken = 'at_once'
            ) AS legs
            GROUP BY partner, currency
            HAVING sum(posted) <> sum(charged) ORDER BY partner, currency",
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

const NOT_BELOW_ZERO: &str = "the rule that nothing here is below zero";
const OPEN: &str = "the sum of open authorizations";
const POSTED: &str = "the sum of postings";

const POSITIONS: &str = "SELECT shard, seq, flushed FROM projection ORDER BY shard";
const BALANCES: &str = "SELECT id, ledger::text AS level, held::text FROM balance";
const SHARES: &str = "SELECT pool_id AS id, shard, level::text, held::text FROM pool_share";
const HELD: &str = "
    SELECT balance_id, pool_id,
        sum(greatest(authorized::numeric + incremented - reversed - cleared, 0))::text AS amount,
        coalesce(sum(fees_held), 0)::text AS fees
    FROM card_authorization
    WHERE NOT closed AND (authorized + incremented > reversed + cleared OR fees_held > 0)
    GROUP BY balance_id, pool_id";
const POSTINGS: &str = "
    SELECT account, account_id AS id, sum(amount)::text AS amount
    FROM (
        SELECT account, account_id, amount FROM posting WHERE account IN ('balance', 'pool')
        UNION ALL
        SELECT account, account_id, amount FROM posting_carried
        WHERE account IN ('balance', 'pool')
    ) AS legs
    GROUP BY account, account_id";

const DOING: &str = "checking the books";

/// Amounts by the identifier of their row.
type Sums = BTreeMap<i64, i128>;

/// What the tables say, with what moved since the last flush (W-23), and what it should add up to.
#[derive(Default)]
struct Figures {
    ledger: Sums,
    held: Sums,
    pool_level: Sums,
    pool_held: Sums,
    /// By pool and shard.
    share_held: BTreeMap<(i64, i32), i128>,
    open_by_balance: Sums,
    open_by_pool: Sums,
    posted_to_balance: Sums,
    posted_to_pool: Sums,
}

/// Every figure in the tables that does not add up; empty when the books balance.
///
/// # Errors
/// A journal row that is missing or changed; PostgreSQL.
pub async fn books(store: &Store) -> Result<Vec<Fault>, StoreError> {
    let database = StoreError::database;
    let mut connection = store.connection().await.map_err(database(DOING))?;
    let mut tx = connection.begin_with(SNAPSHOT).await.map_err(database(DOING))?;
    let mut figures = read(&mut tx).await.map_err(database(DOING))?;
    let positions = sqlx::query(POSITIONS).fetch_all(&mut *tx).await.map_err(database(DOING))?;
    for row in &positions {
        let shard: i32 = row.try_get("shard").map_err(database(DOING))?;
        let seq = |column| row.try_get(column).map(Seq).map_err(database(DOING));
        let (history, flushed) = (seq("seq")?, seq("flushed")?);
        let id = ShardId(u16::try_from(shard).unwrap_or(u16::MAX));
        figures.add_moves(shard, &moves(&mut tx, id, flushed, history).await?);
    }
    let mut faults = figures.faults();
    for check in &CHECKS {
        faults.extend(run(&mut tx, check).await.map_err(database(DOING))?);
    }
    if faults.iter().any(|fault| fault.table == UNBALANCED.table) {
        faults.extend(run(&mut tx, &UNBALANCED).await.map_err(database(DOING))?);
    }
    tx.rollback().await.map_err(database(DOING))?;
    Ok(faults)
}

async fn read(tx: &mut PgConnection) -> Result<Figures, sqlx::Error> {
    let mut figures = Figures::default();
    for row in sqlx::query(BALANCES).fetch_all(&mut *tx).await? {
        let id = row.try_get("id")?;
        figures.ledger.insert(id, number(&row, "level")?);
        figures.held.insert(id, number(&row, "held")?);
    }
    for row in sqlx::query(SHARES).fetch_all(&mut *tx).await? {
        let id = row.try_get("id")?;
        add(&mut figures.pool_level, id, number(&row, "level")?);
        add(&mut figures.pool_held, id, number(&row, "held")?);
        figures.share_held.insert((id, row.try_get("shard")?), number(&row, "held")?);
    }
    for row in sqlx::query(HELD).fetch_all(&mut *tx).await? {
        let amount = number(&row, "amount")?;
        if let Some(balance) = row.try_get("balance_id")? {
            // Fees are held on the account alone.
            let fees = number(&row, "fees")?;
            add(&mut figures.open_by_balance, balance, amount.saturating_add(fees));
        }
        if let Some(pool) = row.try_get("pool_id")? {
            add(&mut figures.open_by_pool, pool, amount);
        }
    }
    for row in sqlx::query(POSTINGS).fetch_all(&mut *tx).await? {
        let account: &str = row.try_get("account")?;
        let of_pool = account == "pool";
        let sums =
            if of_pool { &mut figures.posted_to_pool } else { &mut figures.posted_to_balance };
        add(sums, row.try_get("id")?, number(&row, "amount")?);
    }
    Ok(figures)
}

/// A number of type numeric, as text. One that is no number cannot come from PostgreSQL.
pub(crate) fn number(row: &PgRow, column: &str) -> Result<i128, sqlx::Error> {
    let text: &str = row.try_get(column)?;
    text.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

fn add(sums: &mut Sums, id: i64, amount: i128) {
    let sum = sums.entry(id).or_default();
    *sum = sum.saturating_add(amount);
}

impl Figures {
    fn add_moves(&mut self, shard: i32, moves: &Moves) {
        for (id, moved) in &moves.balances {
            add(&mut self.ledger, id.0, moved.ledger.0.into());
            add(&mut self.held, id.0, moved.held.0.into());
        }
        for (id, moved) in &moves.shares {
            add(&mut self.pool_level, id.0, moved.added.level.0.into());
            add(&mut self.pool_held, id.0, moved.added.held.0.into());
            let held = self.share_held.entry((id.0, shard)).or_default();
            *held = held.saturating_add(moved.added.held.0.into());
        }
    }

    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let balance = |id: i64| id.to_string();
        let pool = |id: i64| format!("of pool {id}");
        let mut compare = |table, figure, stated: &Sums, source_of, computed: &Sums, name: Name| {
            let ids: BTreeSet<_> = stated.keys().chain(computed.keys()).copied().collect();
            for id in ids {
                let of = |sums: &Sums| sums.get(&id).copied().unwrap_or_default();
                let (stated, computed) = (of(stated), of(computed));
                if stated != computed {
                    let (stated, computed) = (stated.to_string(), computed.to_string());
                    let row = name(id);
                    faults.push(Fault { table, row, figure, stated, source_of, computed });
                }
            }
        };
        compare("balance", "held", &self.held, OPEN, &self.open_by_balance, &balance);
        compare("balance", "ledger", &self.ledger, POSTED, &self.posted_to_balance, &balance);
        compare("pool_share", "held", &self.pool_held, OPEN, &self.open_by_pool, &pool);
        compare("pool_share", "level", &self.pool_level, POSTED, &self.posted_to_pool, &pool);
        let below = |table, row, held: i128| Fault {
            table,
            row,
            figure: "held",
            stated: held.to_string(),
            source_of: NOT_BELOW_ZERO,
            computed: "0".into(),
        };
        let negative = |held: i128| held < 0;
        for (id, held) in self.held.iter().filter(|(_, held)| negative(**held)) {
            faults.push(below("balance", balance(*id), *held));
        }
        for ((id, shard), held) in self.share_held.iter().filter(|(_, held)| negative(**held)) {
            faults.push(below("pool_share", format!("of pool {id}, shard {shard}"), *held));
        }
        faults
    }
}

/// The words for a row.
type Name<'a> = &'a dyn Fn(i64) -> String;

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
