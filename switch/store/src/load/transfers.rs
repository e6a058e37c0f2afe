//! Transfers from their tables: those of a shard that are not closed, and what it said to those of
//! others that may come again (W-17).

use sqlx::PgConnection;
use switch_domain::{
    Amount, BalanceId, MinorUnits, PartnerId, ShardId, Transfer, TransferId, TransferOutcome,
};

use super::row::{Named, each};
use crate::error::StoreError;

const OPEN: &str = "\
    SELECT id, from_balance, to_balance, partner_id, amount, currency, reference
    FROM transfer WHERE shard = $1 AND outcome IS NULL ORDER BY id";

const RECEIVED: &str = "\
    SELECT id, outcome FROM transfer_received WHERE shard = $1 AND NOT settled ORDER BY id";

pub(super) async fn open(
    tx: &mut PgConnection,
    shard: ShardId,
) -> Result<Vec<Transfer>, StoreError> {
    each(tx, sqlx::query(OPEN).bind(i32::from(shard.0)), |row| {
        let row = Named::new("transfer", row, "id")?;
        Ok(Transfer {
            id: TransferId(row.key),
            from: BalanceId(row.get("from_balance")?),
            to: BalanceId(row.get("to_balance")?),
            partner: PartnerId(row.get("partner_id")?),
            amount: Amount { minor: MinorUnits(row.get("amount")?), currency: row.currency()? },
            reference: row.text("reference")?,
        })
    })
    .await
}

pub(super) async fn received(
    tx: &mut PgConnection,
    shard: ShardId,
) -> Result<Vec<(TransferId, TransferOutcome)>, StoreError> {
    each(tx, sqlx::query(RECEIVED).bind(i32::from(shard.0)), |row| {
        let row = Named::new("transfer_received", row, "id")?;
        Ok((TransferId(row.key), row.choice("outcome")?))
    })
    .await
}
