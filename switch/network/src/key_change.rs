//! The way of a key that a peer sends over a link, to who keeps keys, and back. It owns that the
//! keeper hears when the answer has left: not before is the new key the one to use. It reads no
//! key.

use std::sync::{Arc, OnceLock};

use switch_domain::Reason;
use switch_shard::{ReplyOutcome, ReplyTo};
use tokio::sync::mpsc;

/// Where links send keys. Cloning gives another way to the same keeper.
#[derive(Clone, Debug)]
pub struct KeyKeeper(mpsc::Sender<KeyNews>);

/// What a keeper hears.
#[derive(Debug)]
pub enum KeyNews {
    /// A peer sent a key.
    Came(AskedKeyChange),
    /// The answer to one that was taken in has left.
    Answered {
        /// Over which link.
        link: String,
        /// The version that it became.
        version: u32,
    },
}

impl KeyKeeper {
    /// With room for so many that wait; one more is told that it cannot be taken in now.
    #[must_use]
    pub fn new(room: usize) -> (Self, mpsc::Receiver<KeyNews>) {
        let (sender, receiver) = mpsc::channel(room.max(1));
        (Self(sender), receiver)
    }

    /// Hands news over; false where there is no room.
    pub(crate) fn hand_over(&self, news: KeyNews) -> bool {
        self.0.try_send(news).is_ok()
    }
}

/// How keys come over a link.
#[derive(Clone, Debug)]
pub struct KeyChangeRule {
    /// The field that a key stands in.
    pub field: u8,
    /// Who takes it in.
    pub keeper: KeyKeeper,
}

/// A key that waits to be taken in. Dropped without an answer, its link stays silent.
#[derive(Debug)]
pub struct AskedKeyChange {
    /// Over which link it came.
    pub link: String,
    /// What stood in the field: a key block or a cryptogram, of no use without the key it is under.
    pub text: String,
    pub(crate) place: Place,
    pub(crate) reply: ReplyTo,
}

impl AskedKeyChange {
    /// Says which version it became, once that is on disk, or that it is refused.
    pub fn answer(self, version: Option<u32>) {
        let _ = self.place.0.set(version); // nobody else has it to answer
        // The reply only says that the place is filled.
        self.reply.send(ReplyOutcome::Declined(Reason::SecurityUnavailable));
    }
}

/// Where the answer is put.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place(Arc<OnceLock<Option<u32>>>);

impl Place {
    /// `None` where it was given up.
    pub(crate) fn answer(&self) -> Option<Option<u32>> {
        self.0.get().copied()
    }
}
