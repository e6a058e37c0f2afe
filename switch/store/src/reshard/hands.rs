//! Rows of tables that change hands in a resharding: accounts, cards, states of customers, shares
//! of pools. It owns the statements. History stays where it is: it names who decided it, and who
//! goes on from there reads it by that (see `load`).

use sqlx::PgConnection;
use switch_domain::{Estate, Placement, PoolId, PoolShare, Seq, ShardId};

use super::{ReshardError, database};
use crate::codes::Stored;

/// Rows of one statement.
const ROWS: usize = 10_000;

const LEAVE_CUSTOMERS: &str = "DELETE FROM customer_state WHERE shard = ANY($1)";
const LEAVE_SHARES: &str = "DELETE FROM pool_share WHERE shard = ANY($1)";

const LEFT_BALANCES: &str = "SELECT count(*) FROM balance WHERE shard = $1";
const LEFT_CARDS: &str = "SELECT count(*) FROM card WHERE shard = $1";

const BALANCES: &str = "UPDATE balance SET shard = $1, as_of_seq = $2 WHERE id = ANY($3)";
const CARDS: &str = "UPDATE card SET shard = $1, as_of_seq = $2 WHERE id = ANY($3)";

const CONTROLS: &str = "UPDATE spend_control SET shard = $1, as_of_seq = $2 WHERE id = ANY($3)";

const USAGE: &str = "\
    UPDATE control_usage AS old SET shard = $1, as_of_seq = $2
    FROM UNNEST($3::int8[], $4::int8[]) AS new (control_id, holder)
    WHERE old.control_id = new.control_id AND old.holder = new.holder";

const COUNTERS: &str = "UPDATE card_counter SET shard = $1, as_of_seq = $2 WHERE card_id = ANY($3)";

const CUSTOMERS: &str = "\
    INSERT INTO customer_state (shard, customer_id, state, as_of_seq)
    SELECT $1, id, state, $2 FROM UNNEST($3::int8[], $4::text[]) AS new (id, state)";

const SHARES: &str = "\
    INSERT INTO pool_share (shard, as_of_seq, pool_id, partner_id, level, held)
    SELECT $1, $2, new.id, (SELECT partner_id FROM pool WHERE pool.id = new.id), level, held
    FROM UNNEST($3::int8[], $4::int8[], $5::int8[]) AS new (id, level, held)";

/// What sealed shards have that is a row for each shard, and stands elsewhere from now on.
pub(super) async fn let_go(tx: &mut PgConnection, from: Placement) -> Result<(), ReshardError> {
    let shards: Vec<i32> = from.data().map(|shard| i32::from(shard.0)).collect();
    for sql in [LEAVE_CUSTOMERS, LEAVE_SHARES] {
        sqlx::query(sql).bind(&shards).execute(&mut *tx).await.map_err(database)?;
    }
    Ok(())
}

/// Sees to it that no row stays behind in a shard that serves no more.
pub(super) async fn expect_nothing_left(
    tx: &mut PgConnection,
    from: Placement,
) -> Result<(), ReshardError> {
    for (table, sql) in [("balance", LEFT_BALANCES), ("card", LEFT_CARDS)] {
        for shard in from.data() {
            let left: i64 = sqlx::query_scalar(sql)
                .bind(i32::from(shard.0))
                .fetch_one(&mut *tx)
                .await
                .map_err(database)?;
            if left != 0 {
                let found = left.unsigned_abs();
                return Err(ReshardError::Rows { table, shard, expected: 0, found });
            }
        }
    }
    Ok(())
}

/// Gives an estate to a shard. Its rows reflect everything up to journal row `last`.
pub(super) async fn take(
    tx: &mut PgConnection,
    shard: ShardId,
    last: Seq,
    estate: &Estate,
) -> Result<(), ReshardError> {
    let balances: Vec<i64> = estate.balances.iter().map(|one| one.id.0).collect();
    move_rows(tx, "balance", BALANCES, (shard, last), &balances).await?;
    let cards: Vec<i64> = estate.cards.iter().map(|one| one.id.0).collect();
    move_rows(tx, "card", CARDS, (shard, last), &cards).await?;
    let controls: Vec<i64> = estate.spend_controls.iter().map(|one| one.id.0).collect();
    move_rows(tx, "spend_control", CONTROLS, (shard, last), &controls).await?;
    let counted: Vec<i64> = estate.counters.iter().map(|(card, _)| card.0).collect();
    move_rows(tx, "card_counter", COUNTERS, (shard, last), &counted).await?;
    for usage in estate.usage.chunks(ROWS) {
        sqlx::query(USAGE)
            .bind(i32::from(shard.0))
            .bind(last.0)
            .bind(usage.iter().map(|((control, _), _)| control.0).collect::<Vec<_>>())
            .bind(usage.iter().map(|((_, holder), _)| *holder).collect::<Vec<_>>())
            .execute(&mut *tx)
            .await
            .map_err(database)?;
    }
    sqlx::query(CUSTOMERS)
        .bind(i32::from(shard.0))
        .bind(last.0)
        .bind(estate.customers.iter().map(|(id, _)| id.0).collect::<Vec<_>>())
        .bind(estate.customers.iter().map(|(_, state)| state.name()).collect::<Vec<_>>())
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    let column = |take: fn(&(PoolId, PoolShare)) -> i64| -> Vec<i64> {
        estate.shares.iter().map(take).collect()
    };
    sqlx::query(SHARES)
        .bind(i32::from(shard.0))
        .bind(last.0)
        .bind(column(|(pool, _)| pool.0))
        .bind(column(|(_, share)| share.level.0))
        .bind(column(|(_, share)| share.held.0))
        .execute(tx)
        .await
        .map_err(database)?;
    Ok(())
}

async fn move_rows(
    tx: &mut PgConnection,
    table: &'static str,
    sql: &'static str,
    (shard, last): (ShardId, Seq),
    ids: &[i64],
) -> Result<(), ReshardError> {
    let mut found: u64 = 0;
    for ids in ids.chunks(ROWS) {
        let moved = sqlx::query(sql).bind(i32::from(shard.0)).bind(last.0).bind(ids);
        let moved = moved.execute(&mut *tx).await.map_err(database)?;
        found = found.saturating_add(moved.rows_affected());
    }
    if found != ids.len() as u64 {
        return Err(ReshardError::Rows { table, shard, expected: ids.len(), found });
    }
    Ok(())
}
