//! Balances, customers, cards and shares of pools from their tables.

use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use switch_domain::{
    Balance, BalanceId, Card, CardCounters, CardId, CardReferences, CustomerId, CustomerState,
    Fingerprint, MinorUnits, PartnerId, PoolId, PoolShare, ProgrammeId, ShardId, VaultRef,
};

use super::row::{Named, each};
use crate::error::StoreError;
use crate::format::{decode_counters, decode_references};

const BALANCES: &str = "\
    SELECT id, programme_id, partner_id, customer_id, currency, state, ledger, held
    FROM balance WHERE shard = $1 ORDER BY id";

/// Active is the default, which an image leaves out.
const CUSTOMERS: &str = "\
    SELECT customer_id, state FROM customer_state
    WHERE shard = $1 AND state <> 'active' ORDER BY customer_id";

const CARDS: &str = "\
    SELECT card.id, balance_id, programme_id, vault_row, vault_version, expiry_yymm, status,
        lock_code, approvals, reference, fingerprint
    FROM card LEFT JOIN pan_vault ON pan_vault.id = vault_row
    WHERE shard = $1 ORDER BY card.id";

const COUNTERS: &str =
    "SELECT card_id, counters FROM card_counter WHERE shard = $1 ORDER BY card_id";

const SHARES: &str =
    "SELECT pool_id, level, held FROM pool_share WHERE shard = $1 ORDER BY pool_id";

pub(super) async fn balances(
    tx: &mut PgConnection,
    shard: ShardId,
) -> Result<Vec<Balance>, StoreError> {
    each(tx, sqlx::query(BALANCES).bind(i32::from(shard.0)), balance).await
}

pub(super) async fn customers(
    tx: &mut PgConnection,
    shard: ShardId,
) -> Result<Vec<(CustomerId, CustomerState)>, StoreError> {
    let query = sqlx::query(CUSTOMERS).bind(i32::from(shard.0));
    each(tx, query, |row| {
        let row = Named::new("customer_state", row, "customer_id")?;
        Ok((CustomerId(row.key), row.choice("state")?))
    })
    .await
}

pub(super) async fn cards(
    tx: &mut PgConnection,
    shard: ShardId,
) -> Result<Vec<(Card, Fingerprint)>, StoreError> {
    each(tx, sqlx::query(CARDS).bind(i32::from(shard.0)), card).await
}

pub(super) async fn counters(
    tx: &mut PgConnection,
    shard: ShardId,
) -> Result<Vec<(CardId, CardCounters)>, StoreError> {
    let query = sqlx::query(COUNTERS).bind(i32::from(shard.0));
    each(tx, query, |row| {
        let row = Named::new("card_counter", row, "card_id")?;
        let read = decode_counters(row.get("counters")?);
        let (card, counters) = read.map_err(|fault| row.illegal("counters", fault))?;
        let same = card.0 == row.key;
        let here = CardId(row.key);
        same.then_some((here, counters)).ok_or_else(|| row.illegal("counters", card))
    })
    .await
}

fn references(row: &Named<'_>) -> Result<Option<Box<CardReferences>>, StoreError> {
    let Some(bytes) = row.get::<Option<&[u8]>>("reference")? else { return Ok(None) };
    decode_references(bytes).map(Some).map_err(|fault| row.illegal("reference", fault))
}

pub(super) async fn shares(
    tx: &mut PgConnection,
    shard: ShardId,
) -> Result<Vec<(PoolId, PoolShare)>, StoreError> {
    let query = sqlx::query(SHARES).bind(i32::from(shard.0));
    each(tx, query, |row| {
        let row = Named::new("pool_share", row, "pool_id")?;
        let share =
            PoolShare { level: MinorUnits(row.get("level")?), held: MinorUnits(row.get("held")?) };
        Ok((PoolId(row.key), share))
    })
    .await
}

fn balance(row: &PgRow) -> Result<Balance, StoreError> {
    let row = Named::new("balance", row, "id")?;
    Ok(Balance {
        id: BalanceId(row.key),
        programme: ProgrammeId(row.get("programme_id")?),
        partner: PartnerId(row.get("partner_id")?),
        customer: CustomerId(row.get("customer_id")?),
        currency: row.currency()?,
        state: row.choice("state")?,
        ledger: MinorUnits(row.get("ledger")?),
        held: MinorUnits(row.get("held")?),
    })
}

fn card(row: &PgRow) -> Result<(Card, Fingerprint), StoreError> {
    let row = Named::new("card", row, "id")?;
    let id = CardId(row.key);
    let vault = VaultRef { row: row.get("vault_row")?, version: row.get("vault_version")? };
    if row.get::<Option<&[u8]>>("fingerprint")?.is_none() {
        return Err(StoreError::VaultRowMissing { card: id, row: vault.row });
    }
    let card = Card {
        id,
        balance: BalanceId(row.get("balance_id")?),
        programme: ProgrammeId(row.get("programme_id")?),
        vault,
        expiry: row.expiry()?,
        status: row.choice("status")?,
        lock: row.lock()?,
        approvals: row.narrow::<i64, u32>("approvals")?,
        references: references(&row)?,
    };
    Ok((card, row.fingerprint("fingerprint")?))
}
