//! What a link needs of the switch behind it: to find a card and to hand over a message. It owns
//! that seam and nothing else; the shards stand behind it in service, a script in tests.

use switch_domain::Fingerprint;
use switch_shard::{Admission, CardEntry, CardReference, Node, Submission};

/// The switch as links see it. Every accepted submission ends in one reply.
pub trait Switch: Clone + Send + Sync + 'static {
    /// The card with this fingerprint, if it was issued.
    fn find(&self, card: &Fingerprint) -> Option<CardEntry>;

    /// By what a card is verified; `None` where its programme has nothing verified.
    fn reference(&self, card: &Fingerprint) -> Option<CardReference>;

    /// Hands over a message; says at once whether a reply will come.
    fn submit(&self, submission: Submission) -> Admission;
}

impl Switch for Node {
    fn find(&self, card: &Fingerprint) -> Option<CardEntry> {
        self.directory().find(card)
    }

    fn reference(&self, card: &Fingerprint) -> Option<CardReference> {
        self.directory().reference(card)
    }

    fn submit(&self, submission: Submission) -> Admission {
        Self::submit(self, submission)
    }
}
