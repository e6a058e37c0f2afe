//! Which shards a database holds, those that serve and those that were sealed. It owns how that is
//! stored; it changes the number only to found a group that has none (W-10), for changing it later
//! is resharding.

use sqlx::{PgConnection, Row};
use switch_domain::{Placement, ShardId};

use crate::error::StoreError;
use crate::store::Store;

/// The one group of this version (W-10).
pub(crate) const GROUP: i32 = 0;

const FOUND: &str = "\
    INSERT INTO shard_group (group_id, shards) VALUES ($1, $2) ON CONFLICT DO NOTHING";

const PLACEMENT: &str = "SELECT first_shard, shards FROM shard_group WHERE group_id = $1";

const DOING: &str = "reading which shards there are";

/// Founds the group with as many shards, the control shard included, unless it was founded.
pub(crate) async fn found(connection: &mut PgConnection, shards: u16) -> Result<(), StoreError> {
    let founding = sqlx::query(FOUND).bind(GROUP).bind(i32::from(shards));
    let founded = founding.execute(connection).await;
    founded.map(drop).map_err(StoreError::database("founding the shards"))
}

/// The shards that serve; `None` in a database never served.
pub(crate) async fn placement(
    connection: &mut PgConnection,
) -> Result<Option<Placement>, StoreError> {
    let found = sqlx::query(PLACEMENT)
        .bind(GROUP)
        .fetch_optional(connection)
        .await
        .map_err(StoreError::database(DOING))?;
    let Some(row) = found else { return Ok(None) };
    let first: i32 = row.try_get("first_shard").map_err(StoreError::database(DOING))?;
    let shards: i32 = row.try_get("shards").map_err(StoreError::database(DOING))?;
    let placement = || {
        let first = ShardId(u16::try_from(first).ok()?);
        Placement::new(first, u16::try_from(shards.checked_sub(1)?).ok()?)
    };
    let illegal = || StoreError::IllegalValue {
        table: "shard_group",
        row: i64::from(GROUP),
        column: "shards",
        found: format!("{shards} from {first} on"),
    };
    placement().map(Some).ok_or_else(illegal)
}

/// The shards of earlier generations whose history a shard goes on from: for a data shard that
/// serves all of them, for any other none.
pub(crate) async fn ancestors(
    connection: &mut PgConnection,
    shard: ShardId,
) -> Result<Vec<ShardId>, StoreError> {
    let placement = placement(connection).await?;
    let heir = placement.filter(|one| shard != ShardId::CONTROL && one.serves(shard));
    Ok(heir.map_or_else(Vec::new, |one| one.sealed().collect()))
}

impl Store {
    /// The shards that serve; `None` in a database never served.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn placement(&self) -> Result<Option<Placement>, StoreError> {
        let mut connection = self.pool().acquire().await.map_err(StoreError::database(DOING))?;
        placement(&mut connection).await
    }

    /// The shards that have a journal, the control shard first, sealed ones before those that
    /// serve; none in a database never served.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn stored_shards(&self) -> Result<Vec<ShardId>, StoreError> {
        let Some(placement) = self.placement().await? else { return Ok(Vec::new()) };
        let sealed = std::iter::once(ShardId::CONTROL).chain(placement.sealed());
        Ok(sealed.chain(placement.data()).collect())
    }
}
