//! The handle to a started node: what links, the management services and the server hold. It owns
//! the routing of messages and commands to shards; it decides nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use switch_domain::{
    Balance, BalanceId, Card, CardCounters, CardId, Control, ControlSubject, Fingerprint, Hold,
    MinorUnits, PoolId, PoolShare, Reason, ShardId, TransferOutcome,
};
use switch_engine::{Act, Command, Headroom, HoldEnd, Manage, State, judge_target};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::ClockFault;
use crate::ManageError;
use crate::clock::WallClock;
use crate::directory::Directory;
use crate::mailbox::{Envelope, Mailbox, Tell};
use crate::metrics;
use crate::submission::{Admission, Submission};
use crate::worker::Shared;

/// A started node. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Node {
    pub(crate) mailboxes: Arc<[Mailbox]>,
    pub(crate) shared: Arc<Shared>,
}

impl Node {
    /// Where cards are.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.shared.directory
    }

    /// Partners, pools and programmes in force.
    #[must_use]
    pub fn control(&self) -> Arc<Control> {
        Arc::clone(&self.shared.control.borrow())
    }

    /// Whether messages are taken: the node is neither stopping nor broken.
    #[must_use]
    pub fn is_serving(&self) -> bool {
        !self.shared.stopping.is_cancelled() && self.shared.fatal.borrow().is_none()
    }

    /// What is wrong with the wall clock: until it is right, authorizations are declined (W-16).
    #[must_use]
    pub fn clock_fault(&self) -> Option<ClockFault> {
        *self.shared.clock_fault.borrow()
    }

    /// Finds a fault of the clock, or that there is none any more: for tests of what follows.
    #[cfg(feature = "testing")]
    pub fn find_clock_fault(&self, fault: Option<ClockFault>) {
        crate::clock_watch::note(&self.shared, fault);
    }

    /// For how long the slowest shard has waited for the commit of the row in flight; `None` when
    /// none waits.
    #[must_use]
    pub fn stuck_for(&self) -> Option<Duration> {
        let now = Instant::now();
        let since = self.shared.waiting_since.iter().filter_map(|slot| *slot.lock().ok()?).min();
        since.map(|since| now.duration_since(since))
    }

    /// The clock of the decisions.
    pub(crate) fn clock(&self) -> WallClock {
        self.shared.settings.clock
    }

    /// Hands a message to the shard of its card.
    #[must_use]
    pub fn submit(&self, submission: Submission) -> Admission {
        let declinable = submission.may_be_declined();
        let shard = self.shard_of(&submission);
        let cause = if self.shared.stopping.is_cancelled() {
            Some("stopping")
        } else if declinable && self.shared.clock_is_off.load(Ordering::Acquire) {
            Some("clock")
        } else if declinable && self.is_shedding(shard) {
            Some("projection_behind")
        } else {
            None
        };
        let Some(mailbox) = self.mailbox(shard) else {
            metrics::shed("no_shard");
            submission.reply.forget();
            let declined = Admission::Declined(Reason::IssuerInoperative);
            return if declinable { declined } else { Admission::Silent };
        };
        let (refused, cause) = match cause {
            None => match mailbox.put(Envelope::Message(submission)) {
                Ok(()) => return Admission::Accepted,
                Err(refused) => (refused, "queue_full"),
            },
            Some(cause) => (Box::new(Envelope::Message(submission)), cause),
        };
        metrics::shed(cause);
        Self::turn_away(mailbox, *refused, declinable)
    }

    /// What a shard has no room for. It is declined by the shard itself, which alone knows whether
    /// another copy was approved; what cannot be declined gets silence (W-20, W-22).
    fn turn_away(mailbox: &Mailbox, refused: Envelope, declinable: bool) -> Admission {
        let refused = match refused {
            Envelope::Message(submission) if declinable => match mailbox.shed(submission) {
                Ok(()) => return Admission::Accepted,
                Err(refused) => {
                    metrics::shed_in_silence("no_room");
                    *refused
                }
            },
            other => other,
        };
        if let Envelope::Message(submission) | Envelope::Shed(submission) = refused {
            submission.reply.forget();
        }
        Admission::Silent
    }

    /// Does a management command, and waits until it is committed, in force, and in the tables.
    /// `card` is the fingerprint of a card to be issued.
    ///
    /// # Errors
    /// It was refused, not taken, or its outcome is not known: see [`ManageError`].
    pub async fn manage(
        &self,
        mut manage: Manage,
        card: Option<Fingerprint>,
    ) -> Result<Option<i64>, ManageError> {
        if let Act::SetCustomerState { .. } = manage.act {
            return self.manage_everywhere(manage).await;
        }
        if let Act::Transfer { from, to, target, .. } = &mut manage.act {
            *target = self.judge_target(*from, *to).await?;
        }
        let shard = self.shard_for(&manage)?;
        self.manage_in(shard, manage, card).await
    }

    /// Ends a hold that lived its life, and tells what there was to end once that is committed;
    /// `None` where nobody knows: the shard had no room for it, ended, or could not look it up.
    /// Asked again it does no harm.
    pub async fn expire(&self, hold: Hold) -> Option<HoldEnd> {
        self.begin_expiry(hold)?.await.ok()
    }

    /// The same for who has others to end meanwhile; `None` where the shard has no room.
    pub(crate) fn begin_expiry(&self, hold: Hold) -> Option<oneshot::Receiver<HoldEnd>> {
        let (reply, end) = oneshot::channel();
        let shard = self.shared.placement.of_balance(hold.balance);
        let mailbox = self.mailbox(shard).filter(|_| !self.is_shedding(shard))?;
        mailbox.put(Envelope::Expire { hold, reply }).ok()?;
        Some(end)
    }

    /// An account as it is now, once what it shows is committed.
    pub async fn balance(&self, id: BalanceId) -> Option<Balance> {
        let shard = self.shared.placement.of_balance(id);
        self.read(shard, move |state| state.balance(id).cloned()).await.flatten()
    }

    /// The shard that an account lives in.
    #[must_use]
    pub fn shard_of_balance(&self, id: BalanceId) -> ShardId {
        self.shared.placement.of_balance(id)
    }

    /// A card as it is now, once what it shows is committed.
    pub async fn card(&self, id: CardId) -> Option<Card> {
        let shard = self.shared.shard_of_card(id);
        self.read(shard, move |state| state.card(id).cloned()).await.flatten()
    }

    /// What is counted of a card now, once what it shows is committed; nothing of one of which
    /// nothing was.
    pub async fn card_counters(&self, id: CardId) -> Option<CardCounters> {
        let shard = self.shared.shard_of_card(id);
        self.read(shard, move |state| state.counters_of(id).cloned()).await.flatten()
    }

    /// A pool as it is now: the sum of all shards' shares, once what they show is committed.
    pub async fn pool(&self, id: PoolId) -> PoolShare {
        let mut sum = PoolShare::default();
        for shard in self.shards() {
            let share = self.read(shard, move |state| state.share(id)).await.unwrap_or_default();
            sum.level = MinorUnits(sum.level.0.saturating_add(share.level.0));
            sum.held = MinorUnits(sum.held.0.saturating_add(share.held.0));
        }
        sum
    }

    /// The same; `None` where a shard does not say its share, having ended or having no room.
    pub async fn whole_pool(&self, id: PoolId) -> Option<PoolShare> {
        let mut sum = PoolShare::default();
        for shard in self.shards() {
            let share = self.read(shard, move |state| state.share(id)).await?;
            sum.level = MinorUnits(sum.level.0.saturating_add(share.level.0));
            sum.held = MinorUnits(sum.held.0.saturating_add(share.held.0));
        }
        Some(sum)
    }

    /// What a pool has left at this instant, decided and not yet committed holds included. It is
    /// what alerts look at; the books are [`Node::pool`].
    #[must_use]
    pub fn pool_headroom(&self, id: PoolId) -> MinorUnits {
        self.shared.pools.available(id)
    }

    /// Looks at a shard's state between two decisions. The result comes when everything it could
    /// have seen is committed (W-13); `None` when the shard has ended.
    pub async fn read<T: Send + 'static>(
        &self,
        shard: ShardId,
        look: impl FnOnce(&State) -> T + Send + 'static,
    ) -> Option<T> {
        let (tell, told) = oneshot::channel();
        let look = move |state: &State| -> Tell {
            let seen = look(state);
            Box::new(move || {
                let _ = tell.send(seen);
            })
        };
        let mailbox = self.mailbox(shard)?;
        mailbox.put(Envelope::Read(Box::new(look))).ok()?;
        told.await.ok()
    }

    /// Every shard that serves, the control shard first.
    pub fn shards(&self) -> impl Iterator<Item = ShardId> + use<> {
        self.shared.placement.shards()
    }

    fn mailbox(&self, shard: ShardId) -> Option<&Mailbox> {
        self.shared.of_shard(&self.mailboxes, shard)
    }

    fn is_shedding(&self, shard: ShardId) -> bool {
        let flag = self.shared.of_shard(&self.shared.shedding, shard);
        flag.is_some_and(|flag| flag.load(Ordering::Acquire))
    }

    /// The shard of a card; unknown cards are spread by their fingerprint (W-21). An identifier
    /// tells its shard nearly always: a card that was found by its link is not looked up again.
    fn shard_of(&self, submission: &Submission) -> ShardId {
        let known = match &*submission.command {
            Command::Authorize(request) => request.card,
            Command::Advise(advice) => advice.request.card,
            _ => None,
        };
        if let Some(card) = known {
            return self.shared.shard_of_card(card);
        }
        let card = &submission.card;
        match self.shared.directory.find(card) {
            Some(entry) => entry.shard,
            None => self.shared.placement.spread(card.spread()),
        }
    }

    fn shard_for(&self, manage: &Manage) -> Result<ShardId, ManageError> {
        let placement = self.shared.placement;
        let shard = match &manage.act {
            Act::DefinePartner { .. }
            | Act::RenamePartner { .. }
            | Act::RenameProgramme { .. }
            | Act::SetPartnerState { .. }
            | Act::SetPartialMinimum { .. }
            | Act::OpenPool { .. }
            | Act::ReloadPool { .. }
            | Act::DefineProgramme { .. }
            | Act::SetForeignTerms { .. }
            | Act::SetCardSecurity { .. }
            | Act::SetRate(_)
            | Act::RemoveRate { .. }
            | Act::SetFees { .. } => ShardId::CONTROL,
            Act::OpenBalance { .. } => {
                let [a, b, c, d, e, f, g, h, ..] = manage.key.0;
                placement.spread(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
            }
            Act::SetBalanceState { balance, .. }
            | Act::CreditBalance { balance, .. }
            | Act::ChargeFee { balance, .. }
            | Act::RefundFee { balance, .. }
            | Act::IssueCard { balance, .. } => placement.of_balance(*balance),
            Act::Transfer { from, .. } => placement.of_balance(*from),
            Act::ActivateCard { card }
            | Act::RemoveCard { card }
            | Act::LockCard { card, .. }
            | Act::UnlockCard { card }
            | Act::SetCardData { card, .. }
            | Act::AwaitPlastic { card, .. }
            | Act::RenewCard { card, .. }
            | Act::SetPinReference { card, .. }
            | Act::ResetCardCode { card }
            | Act::LockOutside { card: Some(card), .. } => self.shared.shard_of_card(*card),
            Act::DefineControl(terms) | Act::ChangeControl { terms, .. } => {
                self.shard_of_subject(terms.subject)
            }
            Act::RemoveControl { subject, .. } => self.shard_of_subject(*subject),
            Act::SetCustomerState { .. } | Act::LockOutside { card: None, .. } => {
                return Err(ManageError::NoSuchShard);
            }
        };
        placement.serves(shard).then_some(shard).ok_or(ManageError::NoSuchShard)
    }

    /// Where the spend controls of a card, an account or a programme are kept.
    fn shard_of_subject(&self, subject: ControlSubject) -> ShardId {
        match subject {
            ControlSubject::Card(card) => self.shared.shard_of_card(card),
            ControlSubject::Balance(balance) => self.shared.placement.of_balance(balance),
            ControlSubject::Programme(_) => ShardId::CONTROL,
        }
    }

    /// What can be told of a transfer's target before the money leaves; the target itself has the
    /// last word. Most of what must fail is refused at once, and nothing is in transit for it.
    async fn judge_target(
        &self,
        from: BalanceId,
        to: BalanceId,
    ) -> Result<TransferOutcome, ManageError> {
        let (from, to) = (self.look_at(from).await?, self.look_at(to).await?);
        let control = self.control();
        let funding = |balance: &Balance| {
            control.programmes.get(&balance.programme).map(|programme| programme.funding)
        };
        Ok(judge_target(from.as_ref(), to.as_ref(), funding))
    }

    /// An account that there may or may not be; an error where its shard does not say.
    async fn look_at(&self, id: BalanceId) -> Result<Option<Balance>, ManageError> {
        let shard = self.shared.placement.of_balance(id);
        if !self.shared.placement.serves(shard) {
            return Ok(None);
        }
        let found = self.read(shard, move |state| state.balance(id).cloned()).await;
        found.ok_or(ManageError::Overloaded)
    }

    async fn manage_everywhere(&self, manage: Manage) -> Result<Option<i64>, ManageError> {
        for shard in self.shards().filter(|shard| *shard != ShardId::CONTROL) {
            self.manage_in(shard, manage.clone(), None).await?;
        }
        Ok(None)
    }

    async fn manage_in(
        &self,
        shard: ShardId,
        manage: Manage,
        card: Option<Fingerprint>,
    ) -> Result<Option<i64>, ManageError> {
        if !self.is_serving() {
            return Err(ManageError::Stopping);
        }
        let (reply, result) = oneshot::channel();
        let mailbox = self.mailbox(shard).ok_or(ManageError::NoSuchShard)?;
        let command = Box::new(Command::Manage(manage));
        let envelope = Envelope::Manage { command, card, reply };
        mailbox.put(envelope).map_err(|_| ManageError::Overloaded)?;
        result.await.unwrap_or(Err(ManageError::Unknown))
    }
}
