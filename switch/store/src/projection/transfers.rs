//! Transfers in their two tables (W-17): what a shard sent, and what it said to what others sent.
//! Each shard writes rows of its own alone. A row that is received stays: the books are held
//! against it; that it is settled only says that it will not be asked for again.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use switch_domain::{ShardId, TransferId};

use super::chunk::Chunk;
use super::columns::currency;
use super::entities::expect_rows;
use crate::codes::Stored;
use crate::pg_timestamp::PgTimestamp;

const SENT: &str = "\
    INSERT INTO transfer (id, shard, partner_id, from_balance, to_balance, amount, currency,
        reference, sent_at, outcome, as_of_seq)
    SELECT id, $1, partner_id, from_balance, to_balance, amount, currency, reference, sent_at,
        outcome, seq
    FROM UNNEST($2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::int8[], $7::int2[], $8::text[],
            $9::timestamptz[], $10::text[], $11::int8[])
        AS new (id, partner_id, from_balance, to_balance, amount, currency, reference, sent_at,
            outcome, seq)";

const CLOSED: &str = "\
    UPDATE transfer AS old SET outcome = new.outcome, as_of_seq = new.seq
    FROM UNNEST($1::int8[], $2::text[], $3::int8[]) AS new (id, outcome, seq)
    WHERE old.id = new.id";

const RECEIVED: &str = "\
    INSERT INTO transfer_received (shard, id, partner_id, to_balance, amount, currency, outcome,
        as_of_seq)
    SELECT $1, id, partner_id, to_balance, amount, currency, outcome, seq
    FROM UNNEST($2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::int2[], $7::text[], $8::int8[])
        AS new (id, partner_id, to_balance, amount, currency, outcome, seq)";

/// Of each source, what it minted before something is closed there.
const SETTLED: &str = "\
    UPDATE transfer_received AS old SET settled = true
    FROM UNNEST($2::int8[], $3::int8[]) AS source (first, below)
    WHERE old.shard = $1 AND NOT old.settled AND old.id >= source.first AND old.id < source.below";

type Done = Result<(), sqlx::Error>;

/// Writes all that a chunk has of transfers.
pub(super) async fn write(tx: &mut PgConnection, chunk: &Chunk) -> Done {
    sent(tx, chunk).await?;
    closed(tx, chunk).await?;
    if chunk.received.is_empty() {
        return Ok(());
    }
    received(tx, chunk).await?;
    settled(tx, chunk).await
}

async fn sent(tx: &mut PgConnection, chunk: &Chunk) -> Done {
    let new = chunk.transfers.values();
    let rows: Vec<_> = new.filter_map(|one| Some((one.what.sent.as_ref()?, one))).collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(SENT)
        .bind(i32::from(chunk.shard.0))
        .bind(rows.iter().map(|((one, _), _)| one.id.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|((one, _), _)| one.partner.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|((one, _), _)| one.from.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|((one, _), _)| one.to.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|((one, _), _)| one.amount.minor.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|((one, _), _)| currency(one.amount.currency)).collect::<Vec<_>>())
        .bind(rows.iter().map(|((one, _), _)| one.reference.to_string()).collect::<Vec<_>>())
        .bind(rows.iter().map(|((_, at), _)| PgTimestamp(*at)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, one)| one.what.outcome.map(Stored::name)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, one)| one.seq).collect::<Vec<_>>())
        .execute(tx)
        .await?;
    Ok(())
}

async fn closed(tx: &mut PgConnection, chunk: &Chunk) -> Done {
    let old = chunk.transfers.iter().filter(|(_, one)| one.what.sent.is_none());
    let rows: Vec<_> =
        old.filter_map(|(id, one)| Some((id.0, one.what.outcome?.name(), one.seq))).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let done = sqlx::query(CLOSED)
        .bind(rows.iter().map(|(id, _, _)| *id).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, outcome, _)| *outcome).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, _, seq)| *seq).collect::<Vec<_>>())
        .execute(tx)
        .await?;
    expect_rows("transfer", rows.len(), done.rows_affected());
    Ok(())
}

async fn received(tx: &mut PgConnection, chunk: &Chunk) -> Done {
    let new = chunk.received.values();
    let rows: Vec<_> = new.filter_map(|one| Some((one.what.as_ref()?, one.seq))).collect();
    sqlx::query(RECEIVED)
        .bind(i32::from(chunk.shard.0))
        .bind(rows.iter().map(|(one, _)| one.transfer.id.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| one.transfer.partner.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| one.transfer.to.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(one, _)| one.transfer.amount.minor.0).collect::<Vec<_>>())
        .bind(
            rows.iter().map(|(one, _)| currency(one.transfer.amount.currency)).collect::<Vec<_>>(),
        )
        .bind(rows.iter().map(|(one, _)| one.outcome.name()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, seq)| *seq).collect::<Vec<_>>())
        .execute(tx)
        .await?;
    Ok(())
}

async fn settled(tx: &mut PgConnection, chunk: &Chunk) -> Done {
    let mut below: BTreeMap<ShardId, TransferId> = BTreeMap::new();
    for one in chunk.received.values().filter_map(|one| one.what.as_ref()) {
        let known = below.entry(one.transfer.id.shard()).or_insert(one.settled_below);
        *known = (*known).max(one.settled_below);
    }
    sqlx::query(SETTLED)
        .bind(i32::from(chunk.shard.0))
        .bind(below.keys().map(|shard| TransferId::mint(*shard, 0).0).collect::<Vec<_>>())
        .bind(below.values().map(|id| id.0).collect::<Vec<_>>())
        .execute(tx)
        .await?;
    Ok(())
}
