//! PostgreSQL, as the switch uses it: the journal that is the truth, the relational rows made from
//! it, takeover, load and the checks at start, the vault's rows, and a private cluster for who has
//! none. It depends on `switch-domain` alone, and it decides nothing about money.
//!
//! Statements are static text handed to `sqlx::query`, not to its `query!` macros: those need a
//! database, or a directory of answers made with one, wherever the workspace is built. What the
//! macros would check, the tests check against a real PostgreSQL.

mod archive;
mod backoff;
mod booked;
mod books;
mod codes;
mod control_report;
mod days;
mod decided;
mod disk;
mod error;
mod explain;
pub mod fault_points;
mod format;
mod health;
mod journal;
mod ledger;
mod load;
mod no_delay;
mod past;
mod pg_timestamp;
pub mod private_postgres;
mod projection;
mod reconcile;
mod reshard;
mod retention;
mod roles;
mod settings;
mod shards;
#[cfg(feature = "testing")]
mod simulated;
mod statement;
mod store;
mod summaries;
mod takeover;
mod totals;
mod vault;
mod vault_rotation;

pub use archive::{
    Archive, ArchiveFault, ArchiveLock, ArchivedPart, Checkpoint, JournalPart, LostRows, PartFault,
    PartWriter, Range, RowsFault, RowsHead, RowsReader, RowsWriter, lost_files, read_lost_rows,
    write_in_place, write_lost_rows,
};
pub use booked::{Booked, BookedLine, BookedPosition, BookedSpan};
pub use books::{Fault, books};
pub use control_report::{ControlLine, ControlReport, CountAndAmount, ReportPart};
pub use days::TABLES_BY_DAY;
pub use decided::{Decided, DecidedLine, DecidedOf, DecidedPosition, DecidedSpan};
pub use disk::{StorageUse, free_bytes};
pub use error::{ChainFault, StoreError, UnsafeSetting};
pub use explain::{
    ControlSaid, DecisionEvent, DecisionPosting, Explained, Explaining, FoundDecision, LookUp,
    Words,
};
pub use format::{
    FORMAT, FormatError, RecordFault, decode_records, decode_snapshot, encode_records,
    encode_snapshot,
};
pub use health::StoreHealth;
pub use journal::{
    Appended, ChainHead, Hash, Journal, JournalReader, JournalRow, PROOF_LASTS, PgAppender,
};
#[cfg(feature = "testing")]
pub use journal::{ModelJournal, ModelJournalHandle};
pub use ledger::{OddAdvice, Span, TrialLine};
pub use load::{HoldMark, HoldPiece, HoldWatermark, OpenHold};
pub use past::{PastError, PastEvent, PastHolder, PastOf, PastRow};
pub use pg_timestamp::PgTimestamp;
#[cfg(feature = "testing")]
pub use projection::ModelTables;
pub use projection::{
    BalanceMove, CardMove, CommittedBatch, CounterMove, Moves, PgTables, Position,
    ProjectionSettings, Projector, ShareMove, Tables, Turn,
};
pub use reconcile::Identity;
pub use reshard::{Heir, ReshardError, Resharded};
pub use retention::{Keep, OldDays};
#[cfg(feature = "testing")]
pub use simulated::{
    Defect, Dice, SimulatedJournal, SimulatedProcess, SimulatedStore, SimulatedTables, StoreEvent,
    Weather,
};
pub use statement::{Reconciled, Standing, Statement, StatementLine};
pub use store::{Store, StoreOptions, fresh_owner};
pub use summaries::Summarized;
pub use takeover::{LockState, TakenShard, Takeover, TakeoverError, TakeoverMode};
pub use totals::Total;
pub use vault::{OLD_PLACE, SealedPan, Vault, VaultError, vault_place};
pub use vault_rotation::{KeyRows, RotationBatch};
