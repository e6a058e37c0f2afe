//! What a shard's memory may have let go and its tables still have (W-21): the question to the
//! tables, and their answer. It owns the shapes only; the engine asks, the store answers.

use crate::{
    AnsweredReversal, Authorization, Hold, IdempotencyKey, LockRefusal, MessageKey, OriginalKey,
    Timestamp,
};

/// What a request names that memory does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Forgotten {
    /// The authorizations that a message may be about.
    Message {
        /// Their key.
        original: OriginalKey,
        /// The message itself, which may have been answered before, where it speaks of another: a
        /// reversal, or the advice that completes an authorization. `None` where it speaks of
        /// itself: then a reversal may have come before it.
        answered: Option<MessageKey>,
    },
    /// The one authorization whose hold is to end.
    Hold(Hold),
    /// The command that was done under a key.
    Command(IdempotencyKey),
}

impl Forgotten {
    /// The key under which a message speaks of itself, so that a reversal of it may have come
    /// before it; `None` for a reversal and for a command.
    #[must_use]
    pub fn own(&self) -> Option<OriginalKey> {
        match self {
            Self::Message { original, answered: None } => Some(*original),
            Self::Message { answered: Some(key), .. } => {
                key.class.as_original().map(|_| key.as_original())
            }
            Self::Hold(_) | Self::Command(_) => None,
        }
    }
}

/// What the tables have of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recalled {
    /// The authorizations and financial messages, oldest first: all that the question is about.
    pub authorizations: Vec<Authorization>,
    /// The authorization of a hold, by its name alone: there may be others with its key.
    pub hold: Option<Authorization>,
    /// What increments among `authorizations` add to, each once, by its name alone likewise.
    pub firsts: Vec<Authorization>,
    /// The reversal, if it was answered.
    pub reversal: Option<AnsweredReversal>,
    /// Reversals of such an authorization that gave nothing back when they came, oldest first: they
    /// found none, or one that held nothing. Only where the question was about an authorization:
    /// whether one is still to be stopped.
    pub early: Vec<AnsweredReversal>,
    /// The command, if it was done.
    pub command: Option<DoneCommand>,
}

/// A management command that was done, or whose refusal was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoneCommand {
    /// Its key.
    pub key: IdempotencyKey,
    /// What it asked for, as [`CommandDigest`] tells; `None` for one from before there were
    /// digests.
    pub digest: Option<CommandDigest>,
    /// The identifier that it made, if it made one.
    pub made: Option<i64>,
    /// Why it was refused: a lock from outside, whose refusal is recorded too.
    pub refused: Option<LockRefusal>,
    /// When it was decided.
    pub at: Timestamp,
}

/// Tells a command from another that came under the same key: a hash of all that it asks for, the
/// same in every version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandDigest(pub i64);
