//! The way of a mini-statement inquiry, once it was granted, to who knows what moved on the
//! account, and back to its connection. It owns the bound on how many wait; it looks nothing up and
//! knows no field.

use std::sync::{Arc, OnceLock};

use switch_domain::{BalanceId, Movement, Reason};
use switch_shard::{Decision, ReplyOutcome, ReplyTo};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Where links send inquiries. Cloning gives another way to the same place.
#[derive(Clone, Debug)]
pub struct Teller(mpsc::Sender<AskedStatement>);

impl Teller {
    /// With room for so many that wait; one more is told at once that nothing can be told.
    #[must_use]
    pub fn new(room: usize) -> (Self, mpsc::Receiver<AskedStatement>) {
        let (sender, receiver) = mpsc::channel(room.max(1));
        (Self(sender), receiver)
    }

    /// Hands one over; false where there is no room.
    pub(crate) fn hand_over(&self, asked: AskedStatement) -> bool {
        self.0.try_send(asked).is_ok()
    }
}

/// An inquiry that waits for what moved. Dropped without that, it is told that nothing can be told.
#[derive(Debug)]
pub struct AskedStatement {
    /// Whose movements.
    pub balance: BalanceId,
    /// The latest so many at most.
    pub most: u8,
    /// The answer is of use until then.
    pub deadline: Instant,
    pub(crate) place: Place,
    pub(crate) reply: ReplyTo,
}

impl AskedStatement {
    /// Answers it: the latest movement first.
    pub fn answer(self, movements: Vec<Movement>) {
        let _ = self.place.0.set(movements); // nobody else has it to answer
        // The reply only says that the place is filled.
        self.reply.send(ReplyOutcome::Declined(Reason::IssuerInoperative));
    }
}

/// Where the movements are put.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place(Arc<OnceLock<Vec<Movement>>>);

impl Place {
    pub(crate) fn movements(&self) -> Option<&[Movement]> {
        self.0.get().map(Vec::as_slice)
    }
}

/// What a link keeps of one on its way.
pub(crate) struct Telling {
    pub(crate) balance: BalanceId,
    /// Once it was granted; until then it waits for that.
    pub(crate) granted: Option<Decision>,
    pub(crate) place: Place,
}
