//! What goes wrong between the switch and PostgreSQL. It owns the words for it; whether to try
//! again is decided where it happened.

use switch_domain::{CardId, Seq, ShardId};

use crate::format::FormatError;

/// Why the store cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// PostgreSQL refused, failed or went away.
    #[error("PostgreSQL, {doing}: {source}{}", what_to_do(source))]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What the driver says.
        source: sqlx::Error,
    },
    /// The tables cannot be brought to this version.
    #[error("the tables cannot be brought to this version: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// Settings under which an answered authorization could be lost.
    #[error(
        "PostgreSQL may lose what it has confirmed: {}; \
         correct them, or allow them by name if this data may be lost",
        .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    )]
    UnsafeSettings(Vec<UnsafeSetting>),
    /// The journal is not the unbroken chain that it must be.
    #[error(transparent)]
    Chain(#[from] ChainFault),
    /// A part of the journal that is not archived as it is about to be let go (W-7).
    #[error(
        "row {seq} of shard {shard} is not the end of a part that was archived, or of another one \
         than this: the database and the archive's directory do not belong together"
    )]
    OtherCheckpoint {
        /// Whose journal.
        shard: ShardId,
        /// The last row of the part.
        seq: Seq,
    },
    /// A journal row that this version cannot read in full (W-6).
    #[error("journal row {seq} of shard {shard} cannot be read: {source}")]
    Unreadable {
        /// Whose journal.
        shard: ShardId,
        /// Which row.
        seq: Seq,
        /// Why.
        source: FormatError,
    },
    /// A value in a table that this version does not know.
    #[error(
        "table {table}, row {row}: {column} holds `{found}`, which this version does not know; \
         only the projector may write this table"
    )]
    IllegalValue {
        /// The table.
        table: &'static str,
        /// The row's key.
        row: i64,
        /// The column.
        column: &'static str,
        /// What it holds.
        found: String,
    },
    /// A card whose vault row is gone.
    #[error("card {card} names row {row} of pan_vault, which is not there: restore that row")]
    VaultRowMissing {
        /// The card.
        card: CardId,
        /// The row it names.
        row: i64,
    },
}

impl StoreError {
    /// Says what was being done when the driver failed.
    pub(crate) fn database(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Database { doing, source }
    }
}

/// What an operator can do about it, where the error itself says little of that.
fn what_to_do(error: &sqlx::Error) -> &'static str {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    match code.as_deref() {
        Some(DATA_CORRUPTED | INDEX_CORRUPTED) => {
            "; what PostgreSQL reads there is damaged on the disk: stop it, look after the disk, \
             and restore the database from a backup"
        }
        _ => "",
    }
}

/// Codes of PostgreSQL for a page whose checksum is wrong and the like.
const DATA_CORRUPTED: &str = "XX001";
const INDEX_CORRUPTED: &str = "XX002";

/// A setting under which PostgreSQL confirms what it may lose.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting} is {found}, wanted is {wanted}")]
pub struct UnsafeSetting {
    /// Its name.
    pub setting: &'static str,
    /// Its value.
    pub found: String,
    /// The values that keep the promise.
    pub wanted: &'static str,
}

/// Where the chain of a shard's journal breaks (W-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// A row is not there although a later one is, or although rows were made from it.
    #[error(
        "journal row {seq} of shard {shard} is missing: rows were deleted, or PostgreSQL went back \
         in time; restore the journal before starting"
    )]
    Missing {
        /// Whose journal.
        shard: ShardId,
        /// The first row that is not there.
        seq: Seq,
    },
    /// A row does not have the hash that its bytes and the row before it give.
    #[error(
        "journal row {seq} of shard {shard} does not match its hash: it, or the row before it, was \
         changed after it was written; restore the journal before starting"
    )]
    Changed {
        /// Whose journal.
        shard: ShardId,
        /// The row.
        seq: Seq,
    },
}
