//! Rows of the vault: card numbers as somebody else encrypted them, found by a keyed hash. It owns
//! the table, its uniqueness, and that no row comes under a retired key; it never sees a number or
//! a key. How rows come under another key stands in `vault_rotation`.

use std::fmt;

use sqlx::postgres::PgPool;
use sqlx::{PgConnection, Row};
use switch_domain::{Fingerprint, VaultRef};

use crate::error::StoreError;
use crate::store::Store;

/// An encrypted card number with what is needed to find and to decrypt it.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedPan {
    /// Keyed hash of the number.
    pub fingerprint: Fingerprint,
    /// Which key encrypted it.
    pub key_id: String,
    /// AES-GCM nonce.
    pub nonce: Vec<u8>,
    /// AES-GCM ciphertext with its tag.
    pub ciphertext: Vec<u8>,
    /// The last four digits, which may be shown.
    pub last_four: String,
}

impl fmt::Debug for SealedPan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedPan")
            .field("fingerprint", &self.fingerprint)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// Why the vault cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The number is in the vault already.
    #[error("this card number is already in the vault: a number can be issued once")]
    Taken,
    /// There is no such row, or its content has another version by now.
    #[error("row {} of pan_vault has no version {}: it was removed", .0.row, .0.version)]
    NoSuchRow(VaultRef),
    /// A key of this name was used before, and it was another key.
    #[error(
        "key `{0}` is not the key that the vault was written with under that name: \
         the key file is of another installation, or was replaced"
    )]
    AnotherKey(String),
    /// The key was retired meanwhile: seal with the active one.
    #[error("key `{0}` of card numbers is retired: nothing is stored under it any more")]
    Retired(String),
    /// Numbers are still under the key.
    #[error("{rows} card number(s) are under key `{key}`: run `cardswitch vault reencrypt` first")]
    InUse {
        /// The key.
        key: String,
        /// How many.
        rows: i64,
    },
    /// PostgreSQL.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The vault's rows.
#[derive(Clone, Debug)]
pub struct Vault {
    pub(crate) pool: PgPool,
}

/// The column that numbers of one row are bound to; the row's id follows.
const COLUMN: &[u8] = b"pan_vault.ciphertext.";
/// What numbers of before were bound to beside their fingerprint: the table alone.
pub const OLD_PLACE: &[u8] = b"pan_vault";

/// What a number in this row is bound to.
#[must_use]
pub fn vault_place(row: i64) -> Vec<u8> {
    [COLUMN, &row.to_be_bytes()].concat()
}

const RESERVE: &str = "SELECT nextval(pg_get_serial_sequence('pan_vault', 'id'))";

/// The lock of the key's row makes a retirement wait for this, or this see the retirement.
const INSERT: &str = "\
    WITH key AS (SELECT retired_at FROM vault_key WHERE key_id = $2 FOR SHARE)
    INSERT INTO pan_vault (id, fingerprint, key_id, nonce, ciphertext, last_four)
    OVERRIDING SYSTEM VALUE
    SELECT coalesce($6, nextval(pg_get_serial_sequence('pan_vault', 'id'))), $1::bytea, $2,
        $3::bytea, $4::bytea, $5
    WHERE NOT EXISTS (SELECT FROM key WHERE retired_at IS NOT NULL)
    ON CONFLICT (fingerprint) DO NOTHING RETURNING id, version";

const IS_RETIRED: &str =
    "SELECT EXISTS (SELECT FROM vault_key WHERE key_id = $1 AND retired_at IS NOT NULL)";

const FETCH: &str = "\
    SELECT fingerprint, key_id, nonce, ciphertext, last_four
    FROM pan_vault WHERE id = $1 AND version = $2";

const FIND: &str = "SELECT id, version FROM pan_vault WHERE fingerprint = $1";

const KEY: &str = "SELECT check_value FROM vault_key WHERE key_id = $1";

const SET_KEY: &str = "\
    INSERT INTO vault_key (key_id, check_value) VALUES ($1, $2) ON CONFLICT (key_id) DO NOTHING";

pub(crate) fn failed(error: sqlx::Error) -> VaultError {
    VaultError::Store(StoreError::database("using the vault")(error))
}

impl Store {
    /// The vault's rows.
    #[must_use]
    pub fn vault(&self) -> Vault {
        Vault { pool: self.pool().clone() }
    }
}

impl Vault {
    /// Puts a number in, before the command that names it (W-9).
    ///
    /// # Errors
    /// [`VaultError::Taken`], PostgreSQL.
    pub async fn insert_pan(&self, pan: &SealedPan) -> Result<VaultRef, VaultError> {
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        insert(&mut connection, None, pan).await
    }

    /// The id of a row that is to be, for a number that is bound to it.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn reserve(&self) -> Result<i64, VaultError> {
        sqlx::query_scalar(RESERVE).fetch_one(&self.pool).await.map_err(failed)
    }

    /// The same as [`Vault::insert_pan`], in the row that was reserved for it.
    ///
    /// # Errors
    /// As [`Vault::insert_pan`]; [`VaultError::Retired`].
    pub async fn insert_reserved(&self, row: i64, pan: &SealedPan) -> Result<VaultRef, VaultError> {
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        insert(&mut connection, Some(row), pan).await
    }

    /// Puts many in, all or none.
    ///
    /// # Errors
    /// As [`Vault::insert_pan`].
    pub async fn insert_pans(&self, pans: &[SealedPan]) -> Result<Vec<VaultRef>, VaultError> {
        let mut tx = self.pool.begin().await.map_err(failed)?;
        let mut refs = Vec::with_capacity(pans.len());
        for pan in pans {
            refs.push(insert(&mut tx, None, pan).await?);
        }
        tx.commit().await.map_err(failed)?;
        Ok(refs)
    }

    /// A number by its row.
    ///
    /// # Errors
    /// [`VaultError::NoSuchRow`], PostgreSQL.
    pub async fn fetch(&self, vault: VaultRef) -> Result<SealedPan, VaultError> {
        let row = sqlx::query(FETCH)
            .bind(vault.row)
            .bind(vault.version)
            .fetch_optional(&self.pool)
            .await
            .map_err(failed)?
            .ok_or(VaultError::NoSuchRow(vault))?;
        let fingerprint: Vec<u8> = row.try_get("fingerprint").map_err(failed)?;
        let sixteen = fingerprint.try_into().map_err(|_| VaultError::NoSuchRow(vault))?;
        Ok(SealedPan {
            fingerprint: Fingerprint(sixteen),
            key_id: row.try_get("key_id").map_err(failed)?,
            nonce: row.try_get("nonce").map_err(failed)?,
            ciphertext: row.try_get("ciphertext").map_err(failed)?,
            last_four: row.try_get("last_four").map_err(failed)?,
        })
    }

    /// The row of a number, by its keyed hash.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn find(&self, fingerprint: Fingerprint) -> Result<Option<VaultRef>, VaultError> {
        let row = sqlx::query(FIND)
            .bind(&fingerprint.0[..])
            .fetch_optional(&self.pool)
            .await
            .map_err(failed)?;
        row.map(|row| {
            Ok(VaultRef {
                row: row.try_get("id").map_err(failed)?,
                version: row.try_get("version").map_err(failed)?,
            })
        })
        .transpose()
    }

    /// The check value that a key was first used with.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn key_check(&self, key_id: &str) -> Result<Option<Vec<u8>>, VaultError> {
        sqlx::query_scalar(KEY).bind(key_id).fetch_optional(&self.pool).await.map_err(failed)
    }

    /// Notes a key's check value at its first use, and compares it ever after. Called at start, so
    /// that a wrong key file is noticed then.
    ///
    /// # Errors
    /// [`VaultError::AnotherKey`], PostgreSQL.
    pub async fn set_key_check(&self, key_id: &str, check: &[u8]) -> Result<(), VaultError> {
        let setting = sqlx::query(SET_KEY).bind(key_id).bind(check);
        setting.execute(&self.pool).await.map_err(failed)?;
        let stored = self.key_check(key_id).await?;
        if stored.as_deref() == Some(check) {
            Ok(())
        } else {
            Err(VaultError::AnotherKey(key_id.to_owned()))
        }
    }
}

impl Vault {
    /// The identifiers of all keys that encrypted a number here and are not retired.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn known_keys(&self) -> Result<Vec<String>, VaultError> {
        let known = sqlx::query_scalar(
            "SELECT key_id FROM vault_key WHERE retired_at IS NULL ORDER BY key_id",
        );
        known.fetch_all(&self.pool).await.map_err(failed)
    }

    /// Gives up a number that was drawn and then not issued: no record of the journal names it.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn remove_unissued(&self, vault: VaultRef) -> Result<(), VaultError> {
        sqlx::query("DELETE FROM pan_vault WHERE id = $1 AND version = $2")
            .bind(vault.row)
            .bind(vault.version)
            .execute(&self.pool)
            .await
            .map_err(failed)?;
        Ok(())
    }
}

async fn insert(
    connection: &mut PgConnection,
    reserved: Option<i64>,
    pan: &SealedPan,
) -> Result<VaultRef, VaultError> {
    let row = sqlx::query(INSERT)
        .bind(&pan.fingerprint.0[..])
        .bind(&pan.key_id)
        .bind(&pan.nonce)
        .bind(&pan.ciphertext)
        .bind(&pan.last_four)
        .bind(reserved)
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?;
    if let Some(row) = row {
        return Ok(VaultRef {
            row: row.try_get("id").map_err(failed)?,
            version: row.try_get("version").map_err(failed)?,
        });
    }
    let retired = sqlx::query_scalar(IS_RETIRED).bind(&pan.key_id).fetch_one(connection).await;
    let retired: bool = retired.map_err(failed)?;
    Err(if retired { VaultError::Retired(pan.key_id.clone()) } else { VaultError::Taken })
}
