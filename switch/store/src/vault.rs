//! The rows of the vault: sealed card numbers and what identifies the keys that sealed them. It owns
//! the SQL and the uniqueness of a number over all shards (W-23); it holds no key and opens nothing.

use sqlx::Row;
use switch_domain::{Fingerprint, VaultRef};

use crate::error::StoreError;
use crate::store::Store;

/// Why a vault row is not written or read.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// A card with this number exists.
    #[error("a card with this number exists already")]
    Taken,
    /// The row is not there, or is of another version.
    #[error("row {row}, version {version}, of pan_vault is not there")]
    Missing {
        /// The row.
        row: i64,
        /// The version that was asked for.
        version: i32,
    },
    /// The row's bytes are not of the lengths that a sealed number has.
    #[error("row {0} of pan_vault is damaged: restore that row")]
    Damaged(i64),
    /// PostgreSQL.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A sealed number as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPan {
    /// The keyed hash of the number.
    pub fingerprint: Fingerprint,
    /// Which keys sealed it.
    pub key_id: String,
    /// The nonce of the sealing.
    pub nonce: [u8; 12],
    /// Number and tag, sealed.
    pub ciphertext: Vec<u8>,
    /// For masked views.
    pub last_four: String,
}

const INSERT: &str = "\
    INSERT INTO pan_vault (fingerprint, key_id, nonce, ciphertext, last_four)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (fingerprint) DO NOTHING
    RETURNING id, version";

const FETCH: &str = "\
    SELECT fingerprint, key_id, nonce, ciphertext, last_four
    FROM pan_vault WHERE id = $1 AND version = $2";

impl Store {
    /// Keeps a sealed number. Two cards never get the same one: the second is refused.
    ///
    /// # Errors
    /// The number is taken; PostgreSQL.
    pub async fn insert_pan(&self, pan: &StoredPan) -> Result<VaultRef, VaultError> {
        let row = sqlx::query(INSERT)
            .bind(pan.fingerprint.0.as_slice())
            .bind(&pan.key_id)
            .bind(pan.nonce.as_slice())
            .bind(&pan.ciphertext)
            .bind(&pan.last_four)
            .fetch_optional(self.pool())
            .await
            .map_err(StoreError::database("keeping a sealed card number"))?
            .ok_or(VaultError::Taken)?;
        let read = || -> Result<VaultRef, sqlx::Error> {
            Ok(VaultRef { row: row.try_get("id")?, version: row.try_get("version")? })
        };
        Ok(read().map_err(StoreError::database("keeping a sealed card number"))?)
    }

    /// A sealed number.
    ///
    /// # Errors
    /// The row is missing or damaged; PostgreSQL.
    pub async fn fetch_pan(&self, vault: VaultRef) -> Result<StoredPan, VaultError> {
        const DOING: &str = "reading a sealed card number";
        let VaultRef { row: id, version } = vault;
        let row = sqlx::query(FETCH)
            .bind(id)
            .bind(version)
            .fetch_optional(self.pool())
            .await
            .map_err(StoreError::database(DOING))?
            .ok_or(VaultError::Missing { row: id, version })?;
        let bytes = |column: &str| -> Result<Vec<u8>, StoreError> {
            row.try_get(column).map_err(StoreError::database(DOING))
        };
        let text = |column: &str| -> Result<String, StoreError> {
            row.try_get(column).map_err(StoreError::database(DOING))
        };
        let fingerprint = bytes("fingerprint")?.try_into().map_err(|_| VaultError::Damaged(id))?;
        Ok(StoredPan {
            fingerprint: Fingerprint(fingerprint),
            key_id: text("key_id")?,
            nonce: bytes("nonce")?.try_into().map_err(|_| VaultError::Damaged(id))?,
            ciphertext: bytes("ciphertext")?,
            last_four: text("last_four")?,
        })
    }

    /// Gives a number up that no record names: one that was drawn and then not issued.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn delete_unissued_pan(&self, vault: VaultRef) -> Result<(), VaultError> {
        sqlx::query("DELETE FROM pan_vault WHERE id = $1 AND version = $2")
            .bind(vault.row)
            .bind(vault.version)
            .execute(self.pool())
            .await
            .map_err(StoreError::database("giving a card number up"))?;
        Ok(())
    }

    /// Identifiers and check values of all keys that ever sealed a number here.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn key_check_values(&self) -> Result<Vec<(String, String)>, VaultError> {
        const DOING: &str = "reading the vault's keys";
        let rows = sqlx::query("SELECT key_id, check_value FROM vault_key ORDER BY key_id")
            .fetch_all(self.pool())
            .await
            .map_err(StoreError::database(DOING))?;
        let read = |row: &sqlx::postgres::PgRow| -> Result<(String, String), sqlx::Error> {
            let value: Vec<u8> = row.try_get("check_value")?;
            Ok((row.try_get("key_id")?, String::from_utf8_lossy(&value).into_owned()))
        };
        let keys: Result<Vec<_>, _> = rows.iter().map(read).collect();
        Ok(keys.map_err(StoreError::database(DOING))?)
    }

    /// Remembers a key by its check value. The first value of an identifier stands.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn put_key_check_value(
        &self,
        key_id: &str,
        check_value: &str,
    ) -> Result<(), VaultError> {
        sqlx::query(
            "INSERT INTO vault_key (key_id, check_value) VALUES ($1, $2) \
             ON CONFLICT (key_id) DO NOTHING",
        )
        .bind(key_id)
        .bind(check_value.as_bytes())
        .execute(self.pool())
        .await
        .map_err(StoreError::database("remembering the vault's key"))?;
        Ok(())
    }
}
