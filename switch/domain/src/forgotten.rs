//! What a shard's memory may have let go and its tables still have (W-21): the question to the
//! tables, and their answer. It owns the shapes only; the engine asks, the store answers.

use crate::{
    AnsweredReversal, Authorization, Hold, IdempotencyKey, LockRefusal, MessageFacts, MessageKey,
    NetworkTrace, OriginalKey, OriginalReference, Timestamp,
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
        /// What else they, and reversals of the message, may be found by.
        traces: Traces,
    },
    /// The one authorization whose hold is to end.
    Hold(Hold),
    /// The command that was done under a key.
    Command(IdempotencyKey),
}

/// The network's identifiers that a message has. Both are of its card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Traces {
    /// That of the transaction that it speaks of.
    pub spoken_of: NetworkTrace,
    /// That of its own; none for a reversal.
    pub own: NetworkTrace,
}

impl Traces {
    /// Whether it is one of the two.
    #[must_use]
    pub fn contains(&self, trace: NetworkTrace) -> bool {
        !trace.is_none() && (self.spoken_of == trace || self.own == trace)
    }
}

impl Forgotten {
    /// Whether an authorization is asked for by its key.
    #[must_use]
    pub fn is_for_key(&self, key: &OriginalKey) -> bool {
        matches!(self, Self::Message { original, .. } if original == key)
            || self.own() == Some(*key)
    }

    /// Whether an authorization is asked for by its network trace, and not by its key.
    #[must_use]
    pub fn is_for_trace(&self, facts: &MessageFacts) -> bool {
        let Self::Message { original, traces, .. } = self else { return false };
        original.card == facts.key.card
            && traces.contains(facts.network_trace)
            && !self.is_for_key(&facts.key.as_original())
    }

    /// Whether a reversal that gave nothing back may have been of the message that asks.
    #[must_use]
    pub fn is_for_early(&self, reference: &OriginalReference) -> bool {
        let Some(own) = self.own() else { return false };
        let Self::Message { traces, .. } = self else { return false };
        let by_trace = !traces.own.is_none() && reference.network_trace == traces.own;
        reference.key == own || (by_trace && reference.key.card == own.card)
    }

    /// The key under which a message speaks of itself, so that a reversal of it may have come
    /// before it; `None` for a reversal and for a command.
    #[must_use]
    pub fn own(&self) -> Option<OriginalKey> {
        match self {
            Self::Message { original, answered: None, .. } => Some(*original),
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
    /// Those that only the network trace leads to, oldest first: there may be others with their
    /// keys.
    pub traced: Vec<Authorization>,
    /// The authorization of a hold, by its name alone: there may be others with its key.
    pub hold: Option<Authorization>,
    /// What `authorizations` and `traced` complete, refund or add to, each once, by its name alone
    /// likewise: their reversals change that, too.
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
