//! The bounded way into a shard. It owns the limit and the room reserved for what cannot be
//! declined (W-22): the channel itself is unbounded, the count of what waits in it is not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use switch_domain::{Control, Fingerprint, Hold};
use switch_engine::{Command, HoldEnd, State};
use tokio::sync::{mpsc, oneshot};

use crate::worker::Parcel;
use crate::{ManageError, Submission};

/// Something for a shard to do.
pub(crate) enum Envelope {
    /// A message of a link.
    Message(Submission),
    /// An authorization that there is no room for: to be declined, unless it was taken before.
    Shed(Submission),
    /// A management command; the fingerprint comes with a card to be issued.
    Manage { command: Box<Command>, card: Option<Fingerprint>, reply: ManageReply },
    /// A hold that lived its life; the reply goes out once what it says is committed, and never
    /// where nobody knows.
    Expire { hold: Hold, reply: oneshot::Sender<HoldEnd> },
    /// Money from another shard, or what became of money sent there.
    Parcel(Parcel),
    /// A newer snapshot of the control shard.
    Install { control: Arc<Control>, done: oneshot::Sender<()> },
    /// A look at the state.
    Read(Look),
}

/// Looks at the state and gives what tells the asker, to be called once that is committed.
pub(crate) type Look = Box<dyn FnOnce(&State) -> Tell + Send>;

/// Tells an asker what was seen.
pub(crate) type Tell = Box<dyn FnOnce() + Send>;

/// Where the result of a management command goes.
pub(crate) type ManageReply = oneshot::Sender<Result<Option<i64>, ManageError>>;

/// Counts what waits before a shard, from the link's hand to the decision.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    /// Takes a place if fewer than `limit` are taken.
    fn enter(&self, limit: usize) -> bool {
        let entered = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| {
            (count < limit).then(|| count.saturating_add(1))
        });
        entered.is_ok()
    }

    /// Gives a place back.
    pub(crate) fn leave(&self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }

    /// How many places are taken.
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

/// The sending side.
#[derive(Clone)]
pub(crate) struct Mailbox {
    sender: mpsc::UnboundedSender<Envelope>,
    waiting: Waiting,
    shed: Waiting,
    limit: usize,
    reserve: usize,
}

/// The receiving side.
pub(crate) struct Inbox {
    pub(crate) receiver: mpsc::UnboundedReceiver<Envelope>,
    pub(crate) waiting: Waiting,
    pub(crate) shed: Waiting,
}

/// A mailbox for `limit` authorizations, with `reserve` places beyond for the rest, and as many for
/// what is to be declined.
pub(crate) fn mailbox(limit: usize, reserve: usize) -> (Mailbox, Inbox) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let (waiting, shed) = (Waiting::default(), Waiting::default());
    let inbox = Inbox { receiver, waiting: waiting.clone(), shed: shed.clone() };
    (Mailbox { sender, waiting, shed, limit, reserve }, inbox)
}

impl Mailbox {
    /// Puts an envelope in whatever waits: for the few that the node itself sends.
    pub(crate) fn put_always(&self, envelope: Envelope) {
        let entered = self.waiting.enter(usize::MAX);
        if self.sender.send(envelope).is_err() && entered {
            self.waiting.leave();
        }
    }

    /// Puts an envelope in; gives it back when there is no room or the shard has ended.
    pub(crate) fn put(&self, envelope: Envelope) -> Result<(), Box<Envelope>> {
        let reserve = match &envelope {
            Envelope::Message(submission) => match &*submission.command {
                Command::Authorize(_) => 0,
                _ => self.reserve,
            },
            // It can wait for as long as there is a queue.
            Envelope::Expire { .. } => 0,
            _ => self.reserve,
        };
        let limit = self.limit.saturating_add(reserve);
        if !self.waiting.enter(limit) {
            return Err(Box::new(envelope));
        }
        self.sender.send(envelope).map_err(|refused| {
            self.waiting.leave();
            Box::new(refused.0)
        })
    }

    /// Lets the shard decline an authorization that it has no room for: only there is it known
    /// whether it was taken before. Gives it back when too many wait for that, or the shard has
    /// ended.
    pub(crate) fn shed(&self, submission: Submission) -> Result<(), Box<Envelope>> {
        if !self.shed.enter(self.reserve) {
            return Err(Box::new(Envelope::Shed(submission)));
        }
        self.sender.send(Envelope::Shed(submission)).map_err(|refused| {
            self.shed.leave();
            Box::new(refused.0)
        })
    }
}
