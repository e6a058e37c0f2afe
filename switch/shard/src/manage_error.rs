//! Why a management command has no result. It owns the difference between "not done" and "perhaps
//! done: ask again with the same key".

use switch_engine::Refusal;

/// Why a management command has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManageError {
    /// The engine refused it: nothing changed.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// The shard's queue is full: nothing changed.
    #[error("the switch is overloaded; nothing was changed, send the command again later")]
    Overloaded,
    /// The switch is stopping: nothing changed.
    #[error("the switch is stopping; nothing was changed, send the command again later")]
    Stopping,
    /// The switch stopped before it knew.
    #[error("the outcome is not known; send the command again with the same idempotency key")]
    Unknown,
    /// The identifier names a shard that this switch does not have.
    #[error("the identifier is of no shard of this switch")]
    NoSuchShard,
    /// A defect: only this command failed.
    #[error("the switch failed on this command; nothing was changed")]
    Malfunction,
}
