//! Which shards a database holds. It owns the one look-up; founding and changing the number belong
//! to takeover.

use switch_domain::ShardId;

use crate::error::StoreError;
use crate::store::Store;

impl Store {
    /// The shards that have a journal, the control shard first; none in a database never served.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn stored_shards(&self) -> Result<Vec<ShardId>, StoreError> {
        let founded: Option<i32> = sqlx::query_scalar("SELECT max(shards) FROM shard_group")
            .fetch_one(self.pool())
            .await
            .map_err(StoreError::database("reading the number of shards"))?;
        let shards = u16::try_from(founded.unwrap_or(0)).unwrap_or(0);
        Ok((0..shards).map(ShardId).collect())
    }
}
