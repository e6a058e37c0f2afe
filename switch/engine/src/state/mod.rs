//! The state of one shard: plain maps with one owner. It owns what is kept and for how long; it
//! changes only by applying records (`apply`), by loading an image (`load`), and by forgetting what
//! is past its window (`forget`).

mod apply;
mod books;
mod card_security;
mod commands;
mod compare;
mod forget;
mod generation;
mod image;
mod load;
mod messages;
mod originals;
mod pages;
mod spending;
mod subject;
mod transfers;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rustc_hash::FxBuildHasher;
use switch_domain::{
    AnsweredReversal, Authorization, AuthorizationId, Balance, BalanceId, BinRange, Card, CardId,
    Control, CustomerId, CustomerState, DoneCommand, FeeSchedule, IdempotencyKey, MessageKey,
    PartnerId, PoolId, PoolShare, ProgrammeId, ShardId, Timestamp,
};

use crate::{Command, ControlLimits};
use card_security::Counting;
use commands::Commands;
use messages::{Kept, Messages};
use spending::Spending;
use transfers::Transfers;

pub use apply::Broken;
pub use books::BookFault;
pub use compare::Difference;
pub(crate) use subject::Subject;
pub use transfers::OpenTransfer;

/// A map whose hashing is fast, and the same in every process: the engine draws no random numbers.
/// No peer chooses its keys: they are our identifiers, or carry a keyed hash of a card number.
type Map<K, V> = HashMap<K, V, FxBuildHasher>;

/// The highest counter that an identifier can hold.
const LAST_COUNTER: u64 = (1 << 40) - 1;

/// One shard's state.
#[derive(Clone, Debug)]
pub struct State {
    shard: ShardId,
    /// The next identifier's counter; raised when a record that used it is applied.
    next_counter: u64,
    /// Time of the last applied record: the clock never goes back behind it (W-16).
    last_at: Timestamp,
    /// Partners, pools, programmes. The control shard's own; a snapshot in the others (W-17).
    control: Arc<Control>,
    /// BIN ranges of programmes decided and not yet committed, so that two in one batch collide.
    reserved_bins: BTreeMap<ProgrammeId, BinRange>,
    balances: Map<BalanceId, Balance>,
    customers: Map<CustomerId, CustomerState>,
    cards: Map<CardId, Card>,
    /// What is counted of cards: only of those of which anything was.
    counting: Map<CardId, Counting>,
    shares: Map<PoolId, PoolShare>,
    /// Spend controls of cards and accounts, and what was used of limits.
    spending: Spending,
    /// Authorizations and reversals of the repeat window, for repeats and reversals.
    messages: Messages,
    /// Commands done, for when they come again.
    commands: Commands,
    /// Transfers that are on their way, and what was said to those of others (W-17).
    transfers: Transfers,
    /// What management records decided and not yet committed are about.
    in_flight: BTreeSet<Subject>,
    /// How old an exchange rate may be, in microseconds: configured, no part of the journal.
    rate_life: i64,
    /// How many spend controls may be made from now on; no part of what the journal has.
    control_limits: ControlLimits,
}

impl State {
    /// Whose state it is.
    #[must_use]
    pub const fn shard(&self) -> ShardId {
        self.shard
    }

    /// Time of the last applied record.
    #[must_use]
    pub const fn last_at(&self) -> Timestamp {
        self.last_at
    }

    /// Partners, pools and programmes as this shard sees them.
    #[must_use]
    pub const fn control(&self) -> &Arc<Control> {
        &self.control
    }

    /// The schedule of fees of a programme, as this shard sees it; `None` where it has none.
    #[must_use]
    pub fn fees_of(&self, programme: ProgrammeId) -> Option<&FeeSchedule> {
        self.control.fees_of(programme)
    }

    /// How many spend controls may be made, and how long.
    #[must_use]
    pub const fn control_limits(&self) -> ControlLimits {
        self.control_limits
    }

    /// Sets that, for what is made from now on: what is there stays.
    pub const fn limit_controls(&mut self, limits: ControlLimits) {
        self.control_limits = limits;
    }

    /// Puts a newer snapshot of the control shard's state in force.
    pub fn install_control(&mut self, control: Arc<Control>) {
        self.control = control;
    }

    /// Lets a card and its account be there: for a past that is told again (`backtest`).
    pub(crate) fn meet(&mut self, card: Card, balance: Balance) {
        self.cards.insert(card.id, card);
        self.balances.insert(balance.id, balance);
    }

    /// How old an exchange rate may be, in microseconds.
    pub(crate) const fn rate_life(&self) -> i64 {
        self.rate_life
    }

    /// Says how old an exchange rate may be.
    pub fn set_rate_life(&mut self, micros: i64) {
        self.rate_life = micros;
    }

    /// How many pairs of currencies have a rate, or are about to.
    pub(crate) fn rates_taken(&self) -> usize {
        let is_new = |subject: &&Subject| match subject {
            Subject::Rate(from, to) => self.control.rate(*from, *to).is_none(),
            _ => false,
        };
        let on_their_way = self.in_flight.iter().filter(is_new).count();
        self.control.rates().len().saturating_add(on_their_way)
    }

    /// An account.
    #[must_use]
    pub fn balance(&self, id: BalanceId) -> Option<&Balance> {
        self.balances.get(&id)
    }

    /// A card.
    #[must_use]
    pub fn card(&self, id: CardId) -> Option<&Card> {
        self.cards.get(&id)
    }

    /// An authorization that is remembered.
    #[must_use]
    pub fn authorization(&self, id: AuthorizationId) -> Option<&Authorization> {
        self.messages.get(id)
    }

    /// Whether a customer may spend; those never spoken of may.
    #[must_use]
    pub fn customer_state(&self, id: CustomerId) -> CustomerState {
        self.customers.get(&id).copied().unwrap_or(CustomerState::Active)
    }

    /// This shard's share of a pool.
    #[must_use]
    pub fn share(&self, pool: PoolId) -> PoolShare {
        self.shares.get(&pool).copied().unwrap_or_default()
    }

    /// All shares of pools.
    pub fn shares(&self) -> impl Iterator<Item = (PoolId, PoolShare)> + '_ {
        self.shares.iter().map(|(pool, share)| (*pool, *share))
    }

    /// All cards, in no order.
    pub fn cards(&self) -> impl Iterator<Item = &Card> {
        self.cards.values()
    }

    /// All accounts, in no order.
    pub fn balances(&self) -> impl Iterator<Item = &Balance> {
        self.balances.values()
    }

    /// How many messages are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.messages.len()
    }

    /// How many of the authorizations that are remembered hold something.
    #[must_use]
    pub fn open_authorizations(&self) -> usize {
        self.messages.authorizations().filter(|a| a.held().is_positive()).count()
    }

    /// Whether this very message came before and is remembered, marked as a repeat or not.
    #[must_use]
    pub fn has_answered(&self, command: &Command) -> bool {
        match command {
            Command::Authorize(request) => self.messages.find(&request.facts.key).is_some(),
            Command::Advise(advice) => self.messages.find(&advice.request.facts.key).is_some(),
            Command::Reverse(request) => self.messages.find(&request.key).is_some(),
            Command::Void { .. }
            | Command::Expire(_)
            | Command::Manage(_)
            | Command::Receive { .. }
            | Command::Close { .. } => false,
        }
    }

    /// The reversal with this key, if it came before.
    pub(crate) fn reversal_by(&self, key: &MessageKey) -> Option<&AnsweredReversal> {
        match self.messages.find(key)? {
            Kept::Reversal(reversal) => Some(reversal),
            Kept::Authorization(_) => None,
        }
    }

    /// The command that was done under a key.
    pub(crate) fn command_done(&self, key: IdempotencyKey) -> Option<&DoneCommand> {
        self.commands.get(key)
    }

    /// Whether a management record about this is on its way to the journal.
    pub(crate) fn is_in_flight(&self, subject: Subject) -> bool {
        self.in_flight.contains(&subject)
    }

    /// The identifier that the next record may use; `None` when they have run out.
    pub(crate) fn mint<T>(&self, make: fn(ShardId, u64) -> T) -> Option<T> {
        (self.next_counter <= LAST_COUNTER).then(|| make(self.shard, self.next_counter))
    }

    /// The institution whose money an authorization spends.
    pub(crate) fn partner_of(&self, authorization: &Authorization) -> Option<PartnerId> {
        self.balance(authorization.balance?).map(|balance| balance.partner)
    }

    /// Whether another programme has, or is about to have, a card number of this range.
    pub(crate) fn bins_taken(&self, bins: &BinRange) -> bool {
        let committed = self.control.programmes.values().map(|programme| &programme.bins);
        committed.chain(self.reserved_bins.values()).any(|taken| taken.overlaps(bins))
    }
}
