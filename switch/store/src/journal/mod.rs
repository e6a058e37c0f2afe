//! The journal: the truth, row by row (W-1 to W-7). It owns how a row is sealed, appended and
//! checked; what the records mean is the engine's business.

mod append;
mod chain;
mod confirm;
#[cfg(feature = "testing")]
mod model;
mod parts;
mod read;
mod row;

pub use append::PgAppender;
pub(crate) use append::{Put, insert, put};
pub use chain::ChainHead;
#[cfg(feature = "testing")]
pub use model::{ModelJournal, ModelJournalHandle};
pub use read::JournalReader;
pub(crate) use read::{decode, hash_of};
pub use row::{Hash, JournalRow};

use std::future::Future;
use std::time::Duration;

use switch_domain::{Epoch, OwnerId};

/// How long a committed row proves that its shard is ours (W-13). Nothing is answered on an older
/// proof, wherever on its way the answer lies: this process may have been paused and taken over.
pub const PROOF_LASTS: Duration = Duration::from_secs(1);

/// Where a shard appends. One append at a time; the next row is sealed meanwhile and waits.
pub trait Journal: Send + 'static {
    /// Appends a row, and returns when its fate is known for certain: never before, and never by
    /// giving up. Dropping the future leaves the outcome unknown; appending the same row again
    /// finds it out (W-4).
    fn append(&mut self, row: &JournalRow) -> impl Future<Output = Appended> + Send;
}

/// The fate of an appended row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is in the journal, committed, as it was sealed.
    Committed,
    /// Another row has its place: somebody took the shard over. Send nothing and stop.
    Taken {
        /// Who wrote that row.
        owner: OwnerId,
        /// Under which epoch.
        epoch: Epoch,
    },
    /// The row before it is not there: PostgreSQL went back in time. Stop approving (W-24).
    PredecessorMissing,
}
