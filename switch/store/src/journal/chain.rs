//! Checking that a shard's journal is one unbroken chain (W-1). It reads headers and bodies and
//! changes nothing.

use switch_domain::{Seq, ShardId};

use super::Hash;
use super::read::Walk;
use crate::error::{ChainFault, StoreError};
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
    /// Checks that the rows in the database hang on the last anchor (W-7): the row behind it is
    /// there and chained to it, and the anchor's own row, where it is there still, has its hash.
    ///
    /// # Errors
    /// The row that is missing or was changed, named; PostgreSQL.
    pub async fn check_anchor(&self, shard: ShardId) -> Result<ChainHead, StoreError> {
        let anchor = self.last_anchor(shard).await?;
        if anchor.seq == Seq::NONE {
            return Ok(anchor);
        }
        let stored = self.journal_hash(shard, anchor.seq).await?;
        if stored.is_some_and(|stored| stored != anchor.hash) {
            return Err(ChainFault::Changed { shard, seq: anchor.seq }.into());
        }
        let next = anchor.seq.next();
        let mut reader = self.journal_reader(shard, anchor.seq, next).await?;
        if reader.next_rows().await?.is_empty() {
            return Err(ChainFault::Missing { shard, seq: next }.into());
        }
        Ok(anchor)
    }

    /// Walks the journal of a shard from the last anchor on, and returns its head.
    ///
    /// # Errors
    /// The first row that is missing or was changed, named; PostgreSQL.
    pub async fn verify_chain(&self, shard: ShardId) -> Result<ChainHead, StoreError> {
        let anchor = self.last_anchor(shard).await?;
        let mut connection = self.connection().await.map_err(StoreError::database("connecting"))?;
        let mut walk = Walk::begin(&mut connection, shard, anchor.seq).await?;
        while !walk.next_chunk(&mut connection).await?.is_empty() {}
        Ok(walk.head())
    }
}
