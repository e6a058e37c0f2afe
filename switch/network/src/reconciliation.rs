//! The way of a reconciliation to who knows the totals, and back to its connection. It owns the
//! bound on how many wait; it computes nothing and knows no field.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use switch_domain::{Reason, ReconciliationAnswer, ReconciliationAsk};
use switch_shard::{ReplyOutcome, ReplyTo};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Where links send reconciliations. Cloning gives another way to the same place.
#[derive(Clone, Debug)]
pub struct Reconciler(mpsc::Sender<AskedReconciliation>);

impl Reconciler {
    /// With room for so many that wait; one more is told that there are no totals.
    #[must_use]
    pub fn new(room: usize) -> (Self, mpsc::Receiver<AskedReconciliation>) {
        let (sender, receiver) = mpsc::channel(room.max(1));
        (Self(sender), receiver)
    }

    /// Hands one over; false where there is no room.
    pub(crate) fn hand_over(&self, asked: AskedReconciliation) -> bool {
        self.0.try_send(asked).is_ok()
    }
}

/// A reconciliation that waits for its answer. Dropped without one, its link stays silent.
#[derive(Debug)]
pub struct AskedReconciliation {
    /// What is asked.
    pub ask: ReconciliationAsk,
    /// The answer is of use until then.
    pub deadline: Instant,
    pub(crate) place: Place,
    pub(crate) reply: ReplyTo,
}

impl AskedReconciliation {
    /// Answers it.
    pub fn answer(self, answer: ReconciliationAnswer) {
        let _ = self.place.0.set(answer); // nobody else has it to answer
        // The reply only says that the place is filled.
        self.reply.send(ReplyOutcome::Declined(Reason::TotalsNotAvailable));
    }
}

/// Where the answer is put.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place(Arc<OnceLock<ReconciliationAnswer>>);

/// What a link keeps of one on its way.
pub(crate) struct Reconciling {
    /// The request, which has no card data: its answer is written over its fields.
    pub(crate) request: Bytes,
    pub(crate) place: Place,
}

impl Reconciling {
    /// What was answered, if it was.
    pub(crate) fn answer(&self) -> Option<ReconciliationAnswer> {
        self.place.0.get().copied()
    }
}
