//! Spend controls and what was used of limits, from their tables.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use switch_domain::{ControlId, MinorUnits, Part, ShardId, SpendControl, Usage, Used};

use super::row::{Named, each};
use crate::error::StoreError;
use crate::format::decode_control;

const CONTROLS: &str = "SELECT id, terms FROM spend_control WHERE shard = $1 ORDER BY id";
const USAGE: &str = "\
    SELECT control_id, holder, part, amount, count FROM control_usage WHERE shard = $1";

/// Those of a shard; of the control shard, those of programmes.
pub(super) async fn spend_controls(
    tx: &mut PgConnection,
    shard: ShardId,
) -> Result<Vec<SpendControl>, StoreError> {
    each(tx, sqlx::query(CONTROLS).bind(i32::from(shard.0)), |row| {
        let row = Named::new("spend_control", row, "id")?;
        decode_control(row.get("terms")?).map_err(|fault| row.illegal("terms", fault))
    })
    .await
}

/// What was used in a shard, by control and holder.
pub(super) async fn usage(
    tx: &mut PgConnection,
    shard: ShardId,
) -> Result<Vec<((ControlId, i64), Usage)>, StoreError> {
    let rows = each(tx, sqlx::query(USAGE).bind(i32::from(shard.0)), |row| {
        let row = Named::new("control_usage", row, "control_id")?;
        let used = Used { amount: MinorUnits(row.get("amount")?), count: row.get("count")? };
        Ok(((ControlId(row.key), row.get("holder")?), (Part(row.get("part")?), used)))
    })
    .await?;
    let mut usage: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (key, part) in rows {
        usage.entry(key).or_default().push(part);
    }
    Ok(usage.into_iter().map(|(key, parts)| (key, Usage::from_parts(parts))).collect())
}
