//! Partners, pools and programmes from their tables: rows of the control shard.

use std::sync::Arc;

use sqlx::PgConnection;
use switch_domain::{
    Amount, BasisPoints, Bin, BinRange, CardSecurityTerms, Control, Currency, ForeignTerms,
    Funding, MinorUnits, Partner, PartnerId, Pool, PoolId, PoolKind, Programme, ProgrammeId,
    ShardId,
};

use super::row::{Named, each};
use crate::error::StoreError;
use crate::format::decode_terms;

const PARTNERS: &str = "\
    SELECT id, name, state, partial_minimums FROM partner WHERE shard = $1 ORDER BY id";
const POOLS: &str = "SELECT id, partner_id, kind, currency FROM pool WHERE shard = $1 ORDER BY id";
const PROGRAMMES: &str = "\
    SELECT id, name, partner_id, bin_low, bin_high, pan_length, currency, funding, pool_id,
        foreign_markup, foreign_margin, foreign_marks_up_network, security
    FROM programme WHERE shard = $1 ORDER BY id";

/// The snapshot, at the version that the journal gives it.
pub(super) async fn control(
    tx: &mut PgConnection,
    shard: ShardId,
    version: i64,
) -> Result<Control, StoreError> {
    let shard = i32::from(shard.0);
    let mut control = Control::default();
    for partner in each(tx, sqlx::query(PARTNERS).bind(shard), partner).await? {
        control.put_partner(partner);
    }
    for pool in each(tx, sqlx::query(POOLS).bind(shard), pool).await? {
        control.put_pool(pool);
    }
    for programme in each(tx, sqlx::query(PROGRAMMES).bind(shard), programme).await? {
        control.put_programme(programme);
    }
    // Putting counts rows; the version counts changes, of which a row may have had many.
    control.version = u64::try_from(version).unwrap_or(0);
    Ok(control)
}

fn partner(row: &sqlx::postgres::PgRow) -> Result<Partner, StoreError> {
    let row = Named::new("partner", row, "id")?;
    let minimums: Option<&str> = row.get("partial_minimums")?;
    let minimums = minimums.unwrap_or_default();
    let all: Option<Vec<_>> = minimums.split_ascii_whitespace().map(minimum).collect();
    Ok(Partner {
        id: PartnerId(row.key),
        name: row.text("name")?,
        state: row.choice("state")?,
        partial_minimums: all.ok_or_else(|| row.illegal("partial_minimums", minimums))?,
    })
}

/// As `978:500`: minor units of a currency.
fn minimum(text: &str) -> Option<Amount> {
    let (currency, minor) = text.split_once(':')?;
    let currency = Currency::from_numeric(currency.parse().ok()?).ok()?;
    Some(Amount { minor: MinorUnits(minor.parse().ok()?), currency })
}

fn pool(row: &sqlx::postgres::PgRow) -> Result<Pool, StoreError> {
    let row = Named::new("pool", row, "id")?;
    Ok(Pool {
        id: PoolId(row.key),
        partner: PartnerId(row.get("partner_id")?),
        kind: row.choice("kind")?,
        currency: row.currency()?,
    })
}

fn programme(row: &sqlx::postgres::PgRow) -> Result<Programme, StoreError> {
    let row = Named::new("programme", row, "id")?;
    let pool = PoolId(row.get("pool_id")?);
    Ok(Programme {
        id: ProgrammeId(row.key),
        name: row.text("name")?,
        partner: PartnerId(row.get("partner_id")?),
        bins: BinRange {
            low: Bin(row.narrow::<i32, u32>("bin_low")?),
            high: Bin(row.narrow::<i32, u32>("bin_high")?),
            pan_length: row.narrow::<i16, u8>("pan_length")?,
        },
        currency: row.currency()?,
        funding: match row.choice("funding")? {
            PoolKind::Credit => Funding::Credit(pool),
            PoolKind::Deposit => Funding::Deposit(pool),
        },
        foreign: foreign(&row)?,
        security: security(&row)?,
    })
}

fn security(row: &Named<'_>) -> Result<Option<Arc<CardSecurityTerms>>, StoreError> {
    let Some(bytes) = row.get::<Option<&[u8]>>("security")? else { return Ok(None) };
    decode_terms(bytes).map(Some).map_err(|fault| row.illegal("security", fault))
}

fn foreign(row: &Named<'_>) -> Result<Option<ForeignTerms>, StoreError> {
    let points = |column: &'static str| {
        let Some(stored) = row.get::<Option<i16>>(column)? else { return Ok(None) };
        let points = u16::try_from(stored).ok().and_then(BasisPoints::new);
        points.map(Some).ok_or_else(|| row.illegal(column, stored))
    };
    let (markup, margin) = (points("foreign_markup")?, points("foreign_margin")?);
    let marks_up_network: Option<bool> = row.get("foreign_marks_up_network")?;
    Ok(markup.zip(margin).zip(marks_up_network).map(|((markup, margin), marks_up_network)| {
        ForeignTerms { markup, margin, marks_up_network }
    }))
}
