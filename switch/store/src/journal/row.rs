//! One row of the journal: its frozen bytes and the hash that chains it to the row before (W-1,
//! W-3). It never changes a row once it is sealed.

use bytes::Bytes;
use sha2::{Digest, Sha256};
use switch_domain::{Epoch, OwnerId, Record, Seq, ShardId};

use crate::format::{self, FormatError};

/// SHA-256 of a row: of the row before it, its own head, and the hash of its records.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What a shard's first row has for a predecessor: fixed, and different for each shard.
    #[must_use]
    pub fn genesis(shard: ShardId) -> Self {
        let mut digest = Sha256::new();
        digest.update(b"cardswitch journal");
        digest.update(shard.0.to_be_bytes());
        Self(digest.finalize().into())
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// A sealed row. Its bytes are fixed: it is sent as it is, however often that takes (W-3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRow {
    /// Whose journal.
    pub shard: ShardId,
    /// Its place, from 0 without gaps.
    pub seq: Seq,
    /// Which ownership of the shard wrote it.
    pub epoch: Epoch,
    /// The process that wrote it.
    pub owner: OwnerId,
    /// How `records` is encoded.
    pub format: i16,
    /// The batch, encoded once.
    pub records: Bytes,
    /// Hash of the row before, or [`Hash::genesis`].
    pub previous: Hash,
    /// Hash of this row.
    pub hash: Hash,
}

impl JournalRow {
    /// Encodes a batch and seals it behind the row whose hash is `previous`.
    #[must_use]
    pub fn seal(
        shard: ShardId,
        seq: Seq,
        epoch: Epoch,
        owner: OwnerId,
        previous: Hash,
        records: &[Record],
    ) -> Self {
        let mut row = Self {
            shard,
            seq,
            epoch,
            owner,
            format: format::FORMAT,
            records: format::encode_records(records),
            previous,
            hash: previous,
        };
        row.hash = row.computed_hash();
        row
    }

    /// The hash that follows from everything else in the row; equal to `hash` unless bytes changed.
    #[must_use]
    pub fn computed_hash(&self) -> Hash {
        let mut digest = Sha256::new();
        digest.update(self.previous.0);
        digest.update(self.shard.0.to_be_bytes());
        digest.update(self.seq.0.to_be_bytes());
        digest.update(self.epoch.0.to_be_bytes());
        digest.update(self.owner.0);
        digest.update(self.format.to_be_bytes());
        // The records go in by their own hash, so that bodies may be archived (W-1).
        digest.update(Sha256::digest(&self.records));
        Hash(digest.finalize().into())
    }

    /// The batch.
    ///
    /// # Errors
    /// Bytes that this build cannot read in full.
    pub fn decode(&self) -> Result<Vec<Record>, FormatError> {
        format::decode_records(self.format, &self.records)
    }
}
