//! What a shard's memory may have let go and its tables still have (W-21): the question to the
//! tables, and their answer. It owns the shapes, and how far a question reaches; the engine asks,
//! the store answers.

use std::collections::BTreeSet;

use crate::{
    AnsweredReversal, Authorization, Fingerprint, Hold, IdempotencyKey, LockRefusal, MessageFacts,
    MessageKey, NetworkTrace, OriginalKey, OriginalReference, Timestamp,
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

/// The network's identifiers that a message has, both of its card; and what memory has by them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Traces {
    /// That of the transaction that it speaks of.
    pub spoken_of: NetworkTrace,
    /// That of its own; none for a reversal.
    pub own: NetworkTrace,
    /// What a reversal leads to by its trace in memory, which no table need have yet: it may be one
    /// of two with its key, and the other is wanted.
    pub leads_to: Option<OriginalKey>,
}

impl Forgotten {
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

/// Everything that the answer to a question about a message must have. Who is found by a network
/// trace alone may be one of two with one key, a request and its advice, and a reversal means the
/// one that holds. Whether a reversal that came early still waits follows from all that came since
/// and it may have meant, and from the other reversals that those may have used up in its stead. So
/// what is found leads to more, until nothing is new.
#[derive(Clone, Debug)]
pub struct Reach {
    card: Fingerprint,
    of_reversal: bool,
    rounds: u8,
    keys: BTreeSet<OriginalKey>,
    traces: BTreeSet<NetworkTrace>,
    early_keys: BTreeSet<OriginalKey>,
    early_traces: BTreeSet<NetworkTrace>,
}

impl Reach {
    /// Chains of messages that speak of each other by turns are short. One that goes on for longer
    /// is judged by what was found of it.
    const MOST_ROUNDS: u8 = 16;

    /// Where the search begins; `None` for a question about no message.
    #[must_use]
    pub fn of(what: &Forgotten) -> Option<Self> {
        let Forgotten::Message { original, traces, .. } = what else { return None };
        let own = what.own();
        let some = |trace: NetworkTrace| (!trace.is_none()).then_some(trace);
        Some(Self {
            card: original.card,
            of_reversal: own.is_none(),
            rounds: 0,
            keys: own.into_iter().chain([*original]).chain(traces.leads_to).collect(),
            traces: [traces.spoken_of, traces.own].into_iter().filter_map(some).collect(),
            early_keys: own.into_iter().collect(),
            early_traces: own.and_then(|_| some(traces.own)).into_iter().collect(),
        })
    }

    /// Keys under which all authorizations are wanted.
    #[must_use]
    pub const fn keys(&self) -> &BTreeSet<OriginalKey> {
        &self.keys
    }

    /// Network traces by which they are.
    #[must_use]
    pub const fn traces(&self) -> &BTreeSet<NetworkTrace> {
        &self.traces
    }

    /// Keys of which the reversals are wanted that gave nothing back.
    #[must_use]
    pub const fn early_keys(&self) -> &BTreeSet<OriginalKey> {
        &self.early_keys
    }

    /// Network traces of which they are.
    #[must_use]
    pub const fn early_traces(&self) -> &BTreeSet<NetworkTrace> {
        &self.early_traces
    }

    /// Whether an authorization is wanted by its key.
    #[must_use]
    pub fn has_key(&self, facts: &MessageFacts) -> bool {
        self.keys.contains(&facts.key.as_original())
    }

    /// Whether an authorization is wanted by its network trace, and not by its key.
    #[must_use]
    pub fn has_trace(&self, facts: &MessageFacts) -> bool {
        self.card == facts.key.card
            && self.traces.contains(&facts.network_trace)
            && !self.has_key(facts)
    }

    /// Whether a reversal that gave nothing back is wanted.
    #[must_use]
    pub fn has_early(&self, reference: &OriginalReference) -> bool {
        self.early_keys.contains(&reference.key)
            || (self.card == reference.key.card
                && self.early_traces.contains(&reference.network_trace))
    }

    /// Adds what was found leads to. False where that is nothing new.
    pub fn grow(&mut self, found: &Recalled) -> bool {
        if self.rounds >= Self::MOST_ROUNDS {
            return false;
        }
        self.rounds = self.rounds.saturating_add(1);
        let mut new = false;
        if self.of_reversal {
            for one in &found.traced {
                new |= self.keys.insert(one.facts.key.as_original());
            }
        }
        for OriginalReference { key, network_trace, .. } in found.references() {
            new |= self.keys.insert(*key);
            new |= !network_trace.is_none() && self.traces.insert(*network_trace);
        }
        for MessageFacts { key, network_trace, .. } in found.spoken_of_early() {
            new |= self.early_keys.insert(key.as_original());
            new |= !network_trace.is_none() && self.early_traces.insert(*network_trace);
        }
        new
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

impl Recalled {
    fn references(&self) -> impl Iterator<Item = &OriginalReference> {
        self.early.iter().map(|one| &one.reference)
    }

    /// What an early reversal may have meant.
    fn spoken_of_early(&self) -> impl Iterator<Item = &MessageFacts> {
        let found = self.authorizations.iter().chain(&self.traced);
        found.map(|one| &one.facts).filter(|facts| {
            self.references().any(|reference| {
                let OriginalReference { key, network_trace, .. } = reference;
                let traced = !network_trace.is_none() && *network_trace == facts.network_trace;
                *key == facts.key.as_original() || traced
            })
        })
    }
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
