//! Checking that a shard's journal is one unbroken chain (W-1). It reads headers and bodies and
//! changes nothing.

use switch_domain::{Seq, ShardId};

use super::Hash;
use super::read::Walk;
use crate::error::StoreError;
use crate::store::Store;

/// The last row of a chain that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// Whose journal.
    pub shard: ShardId,
    /// Its last row; [`Seq::NONE`] where there is none.
    pub seq: Seq,
    /// That row's hash, which the next row will be chained to.
    pub hash: Hash,
}

impl Store {
    /// Walks the whole journal of a shard and returns its head.
    ///
    /// # Errors
    /// The first row that is missing or was changed, named; PostgreSQL.
    pub async fn verify_chain(&self, shard: ShardId) -> Result<ChainHead, StoreError> {
        let mut connection = self.connection().await.map_err(StoreError::database("connecting"))?;
        let mut walk = Walk::begin(&mut connection, shard, Seq::NONE).await?;
        while !walk.next_chunk(&mut connection).await?.is_empty() {}
        Ok(walk.head())
    }
}
