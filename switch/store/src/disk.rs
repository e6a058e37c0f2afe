//! How much PostgreSQL keeps, and how much room there is. It owns the statements; what follows from
//! the figures is for whoever watches them.

use std::path::Path;

use sqlx::Row;

use crate::error::StoreError;
use crate::store::Store;

/// Sizes are sums over partitions; the place in the log only ever grows, so that its pace is that
/// of writing. The size of the log's files is told to monitoring roles alone, and is left out of
/// sight of others.
const USED: &str = "\
    SELECT pg_database_size(current_database()) AS database,
        pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::int8 AS written,
        CASE WHEN has_function_privilege('pg_ls_waldir()', 'EXECUTE')
            THEN (SELECT sum(size)::int8 FROM pg_ls_waldir()) END AS wal,
        (SELECT coalesce(sum(pg_total_relation_size(inhrelid)), 0)::int8 FROM pg_inherits
            WHERE inhparent = 'journal'::regclass) AS journal,
        (SELECT coalesce(sum(pg_total_relation_size(inhrelid)), 0)::int8 FROM pg_inherits
            WHERE inhparent IN ('card_authorization'::regclass, 'authorization_event'::regclass,
                'posting'::regclass, 'audit_entry'::regclass)) AS history";

const DOING: &str = "measuring what it keeps";

/// What PostgreSQL keeps, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StorageUse {
    /// The whole database.
    pub database: u64,
    /// Parts of the journal, with their indexes.
    pub journal: u64,
    /// Days of history, with their indexes.
    pub history: u64,
    /// Files of the write-ahead log; `None` where this role may not know.
    pub wal: Option<u64>,
    /// How much was ever written to that log.
    pub wal_written: u64,
}

impl StorageUse {
    /// What takes room on the disk.
    #[must_use]
    pub fn on_disk(&self) -> u64 {
        self.database.saturating_add(self.wal.unwrap_or(0))
    }
}

impl Store {
    /// What PostgreSQL keeps now.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn storage_use(&self) -> Result<StorageUse, StoreError> {
        let measure = async {
            let row = sqlx::query(USED).fetch_one(self.pool()).await?;
            let bytes = |column| -> Result<u64, sqlx::Error> {
                row.try_get::<i64, _>(column).map(|bytes| u64::try_from(bytes).unwrap_or(0))
            };
            let wal: Option<i64> = row.try_get("wal")?;
            Ok(StorageUse {
                database: bytes("database")?,
                journal: bytes("journal")?,
                history: bytes("history")?,
                wal: wal.map(|bytes| u64::try_from(bytes).unwrap_or(0)),
                wal_written: bytes("written")?,
            })
        };
        measure.await.map_err(StoreError::database(DOING))
    }
}

/// What an ordinary user may still write to the file system of a directory, in bytes.
///
/// # Errors
/// The directory is not there.
pub fn free_bytes(directory: &Path) -> std::io::Result<u64> {
    let file_system = rustix::fs::statvfs(directory)?;
    Ok(file_system.f_bavail.saturating_mul(file_system.f_frsize))
}
