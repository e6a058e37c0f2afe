//! The manifest of one archived part: which files, with which digests, between which hashes of the
//! chain. It owns the form (JSON, so that a person can read it); its own digest stands in the
//! database.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::journal::Hash;

/// What the first line of every manifest says.
const WHAT: &str = "archived part of a cardswitch journal";
/// The version that this build writes, and the highest that it reads.
const VERSION: u32 = 1;

/// One file of the part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ManifestFile {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// What was archived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) what: String,
    pub(crate) version: u32,
    pub(crate) shard: u16,
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// Records in the rows.
    pub(crate) records: u64,
    /// Hash of the row before the first.
    pub(crate) previous_hash: String,
    /// Hash of the last row: what the chain goes on from.
    pub(crate) last_hash: String,
    pub(crate) rows: ManifestFile,
    /// The shard's state after the last row.
    pub(crate) snapshot: ManifestFile,
}

impl Manifest {
    pub(crate) fn named(mut self) -> Self {
        self.what = WHAT.to_owned();
        self.version = VERSION;
        self
    }

    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// `None` where it is no manifest that this version reads.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let manifest: Self = serde_json::from_slice(bytes).ok()?;
        (manifest.what == WHAT && manifest.version == VERSION).then_some(manifest)
    }
}

/// SHA-256 of bytes.
pub(crate) fn digest_of(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}
