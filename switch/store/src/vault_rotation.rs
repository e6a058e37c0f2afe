//! Rows of the vault on their way to another key: how many are under which, batches of those that
//! are not under the active one, and the end of a key that none is under. It owns that each batch
//! is one transaction and that a key ends only without rows; what a row is encrypted again to is
//! its caller's affair.

use sqlx::{Postgres, Row, Transaction};
use switch_domain::Fingerprint;

use crate::fault_points::{KillPoint, reach};
use crate::vault::{SealedPan, Vault, VaultError, failed};

/// A key of the vault and what is under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRows {
    /// The key.
    pub key_id: String,
    /// How many numbers are under it.
    pub rows: i64,
    /// Whether it was retired.
    pub retired: bool,
}

/// Rows that are to come under another key, locked until the batch ends. Dropped, it changes
/// nothing.
pub struct RotationBatch {
    transaction: Transaction<'static, Postgres>,
    /// The rows with their ids, in the order of these.
    pub rows: Vec<(i64, SealedPan)>,
}

const ROWS_BY_KEY: &str = "\
    SELECT key_id, coalesce(held, 0) AS held, retired_at IS NOT NULL AS retired
    FROM (SELECT key_id, count(*) AS held FROM pan_vault GROUP BY key_id) counted
    FULL JOIN vault_key USING (key_id) ORDER BY key_id";

/// By id, so that a run passes every row once whatever it cannot open.
const BATCH: &str = "\
    SELECT id, fingerprint, key_id, nonce, ciphertext, last_four
    FROM pan_vault WHERE key_id <> $1 AND id > $2 ORDER BY id LIMIT $3 FOR UPDATE";

const REPLACE: &str = "\
    UPDATE pan_vault SET key_id = $1, nonce = new.nonce, ciphertext = new.ciphertext
    FROM unnest($2::int8[], $3::bytea[], $4::bytea[]) AS new (id, nonce, ciphertext)
    WHERE pan_vault.id = new.id AND pan_vault.key_id <> $1";

const RETIRE: &str =
    "UPDATE vault_key SET retired_at = coalesce(retired_at, clock_timestamp()) WHERE key_id = $1";

impl Vault {
    /// How many numbers are under which key, and every key that was ever used.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn rows_by_key(&self) -> Result<Vec<KeyRows>, VaultError> {
        let rows = sqlx::query(ROWS_BY_KEY).fetch_all(&self.pool).await.map_err(failed)?;
        let read = |row: &sqlx::postgres::PgRow| {
            Ok(KeyRows {
                key_id: row.try_get("key_id")?,
                rows: row.try_get("held")?,
                retired: row.try_get("retired")?,
            })
        };
        rows.iter().map(read).collect::<Result<_, sqlx::Error>>().map_err(failed)
    }

    /// The next rows behind this id that are not under the active key, at most so many.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn rotation_batch(
        &self,
        active: &str,
        behind: i64,
        limit: u32,
    ) -> Result<RotationBatch, VaultError> {
        let mut transaction = self.pool.begin().await.map_err(failed)?;
        let found = sqlx::query(BATCH)
            .bind(active)
            .bind(behind)
            .bind(i64::from(limit))
            .fetch_all(&mut *transaction)
            .await
            .map_err(failed)?;
        let read = |row: &sqlx::postgres::PgRow| {
            let fingerprint: Vec<u8> = row.try_get("fingerprint")?;
            // Of another length it is nobody's, and does not open.
            let fingerprint = Fingerprint(fingerprint.try_into().unwrap_or_default());
            let pan = SealedPan {
                fingerprint,
                key_id: row.try_get("key_id")?,
                nonce: row.try_get("nonce")?,
                ciphertext: row.try_get("ciphertext")?,
                last_four: row.try_get("last_four")?,
            };
            Ok((row.try_get("id")?, pan))
        };
        let rows = found.iter().map(read).collect::<Result<_, sqlx::Error>>().map_err(failed)?;
        Ok(RotationBatch { transaction, rows })
    }

    /// Ends a key for good: from now on no number comes under it. Done once more it says the same.
    ///
    /// # Errors
    /// [`VaultError::InUse`], and then nothing is changed; PostgreSQL.
    pub async fn retire_key(&self, key_id: &str) -> Result<(), VaultError> {
        let mut transaction = self.pool.begin().await.map_err(failed)?;
        // Waits for insertions under it that are on their way, and keeps others away.
        sqlx::query(RETIRE).bind(key_id).execute(&mut *transaction).await.map_err(failed)?;
        let rows = sqlx::query_scalar("SELECT count(*) FROM pan_vault WHERE key_id = $1");
        let rows: i64 = rows.bind(key_id).fetch_one(&mut *transaction).await.map_err(failed)?;
        if rows > 0 {
            return Err(VaultError::InUse { key: key_id.to_owned(), rows });
        }
        transaction.commit().await.map_err(failed)
    }
}

impl RotationBatch {
    /// Puts these rows under the active key, nonce and ciphertext anew, and ends the batch. How
    /// many there were.
    ///
    /// # Errors
    /// PostgreSQL: either all or none came under it.
    pub async fn replace(
        mut self,
        active: &str,
        rows: Vec<(i64, Vec<u8>, Vec<u8>)>,
    ) -> Result<u64, VaultError> {
        let mut ids = Vec::with_capacity(rows.len());
        let mut nonces = Vec::with_capacity(rows.len());
        let mut ciphertexts = Vec::with_capacity(rows.len());
        for (id, nonce, ciphertext) in rows {
            ids.push(id);
            nonces.push(nonce);
            ciphertexts.push(ciphertext);
        }
        let replacing = sqlx::query(REPLACE).bind(active).bind(ids).bind(nonces).bind(ciphertexts);
        let done = replacing.execute(&mut *self.transaction).await.map_err(failed)?;
        reach(KillPoint::K19);
        self.transaction.commit().await.map_err(failed)?;
        reach(KillPoint::K19);
        Ok(done.rows_affected())
    }
}
