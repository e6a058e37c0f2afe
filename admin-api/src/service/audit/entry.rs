//! A record of the audit: who, what, when, with what outcome, from where, about what. It owns that
//! all six are there, and its digest.

use sha2::{Digest, Sha256};
use switch_domain::Timestamp;

/// How an act ended, or that it began: what began and has no end was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is about to be done.
    Begun,
    /// It was done.
    Done,
    /// It was not, and the caller was told why.
    Refused,
    /// It was not, or nobody knows: for reasons of ours.
    Failed,
    /// Nothing was done now: the answer that was kept of it was given again.
    Repeated,
}

impl Outcome {
    /// All of them.
    pub(super) const ALL: [Self; 5] =
        [Self::Begun, Self::Done, Self::Refused, Self::Failed, Self::Repeated];

    /// As it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Repeated => "repeated",
        }
    }
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub act: String,
    /// With what outcome.
    pub outcome: Outcome,
    /// From where.
    pub origin: String,
    /// About what.
    pub object: String,
    /// The request that it belongs to.
    pub request_id: String,
    /// The problem's code.
    pub code: Option<String>,
}

impl Entry {
    /// The digest of this record in its place: it covers the one before, so none can be changed,
    /// taken out or moved without all that follow.
    pub(super) fn digest(&self, number: i64, before: &[u8]) -> [u8; 32] {
        let Self { at, actor, act, outcome, origin, object, request_id, code } = self;
        let mut hash = Sha256::new();
        hash.update(before);
        hash.update(number.to_be_bytes());
        hash.update(at.0.to_be_bytes());
        for text in [actor, act, outcome.name(), origin, object, request_id] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        match code {
            None => hash.update([0]),
            Some(code) => {
                hash.update([1]);
                hash.update(code);
            }
        }
        hash.finalize().into()
    }
}
