//! What deciding gives: an answer and at most one record. It owns the refusals of management
//! commands; reasons of declines are words of the domain.

use switch_domain::{
    Amount, ApprovalCode, AuthorizationId, Currency, LockRefusal, MinorUnits, PoolId, Reason,
    Record, TransferOutcome,
};

/// Tells how much of a pool is left at this moment, over all shards. Pure for the engine: whether
/// an atomic stands behind it is the caller's affair.
pub trait Headroom {
    /// What may still be taken, in minor units of the pool's currency.
    fn available(&self, pool: PoolId) -> MinorUnits;
}

/// The result of deciding one command.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What to answer once the record, and all before it, is committed.
    pub answer: Answer,
    /// What happened; `None` when nothing did (a repeat, a refusal).
    pub record: Option<Record>,
}

/// What must be taken from a pool before the record may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolTake {
    /// The pool.
    pub pool: PoolId,
    /// How much; above zero.
    pub amount: MinorUnits,
    /// How much of that the same record gives back once it is committed: the hold of what a request
    /// completes. Only the rest has to be there.
    pub covered: MinorUnits,
}

impl PoolTake {
    /// Whether a pool that has this much left has enough for it.
    #[must_use]
    pub const fn is_there(&self, left: MinorUnits) -> bool {
        let needs = self.amount.0.saturating_sub(self.covered.0);
        needs <= 0 || left.0 >= needs
    }
}

impl Outcome {
    pub(crate) const fn refused(refusal: Refusal) -> Self {
        Self { answer: Answer::Refused(refusal), record: None }
    }

    /// What the record takes from a pool when it is decided, if it takes anything.
    #[must_use]
    pub fn pool_take(&self) -> Option<PoolTake> {
        let delta = self.record.as_ref()?.effects.pool?;
        let (decided, committed) = delta.split();
        let amount = MinorUnits(decided.available().saturating_neg());
        let covered = MinorUnits(committed.available());
        amount.is_positive().then_some(PoolTake { pool: delta.pool, amount, covered })
    }
}

/// What the asker is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To a message on a link.
    Decided(Decision),
    /// To a management command that was done, now or before: the identifier it made, if any.
    Done(Option<i64>),
    /// To a management command that cannot be done.
    Refused(Refusal),
    /// To a hold that lived its life: what there was to end.
    HoldEnded(HoldEnd),
    /// To a transfer that came, or to the end of one: what became of it.
    Transferred(TransferOutcome),
    /// To a management command whose subject has another one on its way to the journal: nothing
    /// happened; decide it again after the next commit.
    Busy,
}

/// What there was to end of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldEnd {
    /// So much was held, in minor units of the account's currency, and is given back; above zero.
    GivenBack(MinorUnits),
    /// Nothing: it was reversed, voided, cleared or ended before, or never held anything.
    HeldNothing,
    /// An increment was added since its life was found to be over: it has begun again.
    BegunAgain,
    /// There is no such authorization.
    NotThere,
}

/// The answer to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// DE39, before rendering.
    pub reason: Reason,
    /// DE38, for approvals.
    pub approval_code: Option<ApprovalCode>,
    /// The authorization it is about, if it is about one.
    pub authorization: Option<AuthorizationId>,
    /// True where the message had been answered before and this is that answer again.
    pub repeated: bool,
    /// What the account has, for a balance inquiry that was granted.
    pub amounts: Option<AccountAmounts>,
    /// Which part was approved, where it was not all.
    pub part: Option<PartOf>,
}

/// A part of what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartOf {
    /// What is approved: DE4 of the answer.
    pub approved: Amount,
    /// What was asked for.
    pub asked: Amount,
}

/// What an account has, in minor units of its currency. Either may be below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountAmounts {
    /// All that is in it.
    pub ledger: MinorUnits,
    /// What may be spent.
    pub available: MinorUnits,
    /// Of what.
    pub currency: Currency,
}

impl Decision {
    /// An answer without approval code and authorization.
    #[must_use]
    pub const fn plain(reason: Reason) -> Self {
        Self {
            reason,
            approval_code: None,
            authorization: None,
            repeated: false,
            amounts: None,
            part: None,
        }
    }
}

impl Answer {
    /// What a file action is answered that became a management command (x302, x304), or the second
    /// half of a change of a PIN; `None` for what no such command is answered with.
    #[must_use]
    pub const fn file_action_reason(self) -> Option<Reason> {
        match self {
            Self::Done(_) => Some(Reason::FileActionDone),
            Self::Refused(Refusal::Outside(refusal)) => Some(refusal.reason()),
            Self::Refused(Refusal::KeyReused) => Some(Reason::DuplicateTransmission),
            Self::Refused(Refusal::NoSuchCard) => Some(Reason::InvalidCardNumber),
            _ => None,
        }
    }
}

/// Why a management command was not done. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another command was done under the same idempotency key.
    #[error("another command was done under this idempotency key")]
    KeyReused,
    /// The partner is unknown.
    #[error("there is no such partner")]
    NoSuchPartner,
    /// The pool is unknown.
    #[error("there is no such pool")]
    NoSuchPool,
    /// The programme is unknown.
    #[error("there is no such programme")]
    NoSuchProgramme,
    /// The account is unknown.
    #[error("there is no such balance")]
    NoSuchBalance,
    /// The card is unknown, or was removed.
    #[error("there is no such card")]
    NoSuchCard,
    /// The BIN range is empty, or its PAN length is not 14 to 19.
    #[error("a BIN range goes from a lower to a higher eight-digit BIN, with PANs of 14 to 19")]
    BinsInvalid,
    /// The BIN range shares a BIN with another programme.
    #[error("another programme has card numbers in this BIN range")]
    BinsTaken,
    /// The pool is of another partner, kind or currency than the programme needs.
    #[error("the pool is not of this partner, kind and currency")]
    PoolUnfit,
    /// The amount is zero or negative.
    #[error("the amount must be above zero")]
    AmountNotPositive,
    /// The sum would pass the range of amounts.
    #[error("the amount is too large")]
    AmountTooLarge,
    /// The partner's credit pool does not cover the amount (SR-222, step 9).
    #[error("insufficient funds in the partner's credit pool")]
    PoolInsufficient,
    /// The account is closed for good.
    #[error("the balance is closed")]
    BalanceClosed,
    /// The account is blocked.
    #[error("the balance is blocked")]
    BalanceBlocked,
    /// The customer may not spend.
    #[error("the customer is blocked")]
    CustomerBlocked,
    /// The account's own funds do not cover the amount.
    #[error("insufficient funds in the balance")]
    InsufficientFunds,
    /// A transfer from an account to itself.
    #[error("a transfer goes from one balance to another; these are the same")]
    SameBalance,
    /// The account that should get a transfer cannot.
    #[error("{0}")]
    Target(TransferOutcome),
    /// The account still has money, holds or transfers on it.
    #[error("a balance with money, open holds or open transfers cannot be closed")]
    BalanceNotEmpty,
    /// The terms of verification cannot be.
    #[error(
        "terms have 1 to 15 PIN tries, 1 to 20 wrong card codes a day, PINs of 4 to 12 digits, at \
         most 8 keys of card codes and 16 cryptogram profiles"
    )]
    SecurityTermsInvalid,
    /// The printed code of a card was reset as often as there is room for.
    #[error("the card's values were changed too often: replace the card")]
    CodesExhausted,
    /// A card is renewed to what it has already, or had before.
    #[error(
        "a card is renewed to a later month than it has, and to plastic with a higher sequence \
         number"
    )]
    RenewalNotLater,
    /// The card's lock can never be taken back (SR-174).
    #[error("the card is locked with a code that cannot be taken back")]
    LockIsFinal,
    /// The card is locked with another code, which must be taken back first.
    #[error("the card is locked with another code already")]
    LockedOtherwise,
    /// A lock from outside was refused, and that is on record.
    #[error("{0}")]
    Outside(LockRefusal),
    /// The spend control is unknown, or is for somebody else.
    #[error("there is no such spend control of this card, balance or programme")]
    NoSuchControl,
    /// A limit, a list, hours or a window is not one.
    #[error(
        "a spend control has amounts and counts above zero, categories from a lower to a higher, \
         hours of some day, and at most 8784 hours in a rolling window"
    )]
    ControlInvalid,
    /// The time zone is unknown.
    #[error("there is no such time zone in the IANA database")]
    NoSuchZone,
    /// One subject has enough of them.
    #[error("the card, balance or programme has as many spend controls as [controls] per_subject")]
    TooManyControls,
    /// A list is longer than is judged with every purchase.
    #[error("a list of the spend control is longer than [controls] list")]
    ControlListTooLong,
    /// What was used would not be comparable.
    #[error(
        "only the amount, the count, the name and the shadow of a spend control can be changed: \
         remove it and make another"
    )]
    ControlCountsOtherwise,
    /// A pair of one currency, or without a name of who quoted it.
    #[error("an exchange rate is between two different currencies, and names its source")]
    RateInvalid,
    /// It was quoted in time to come.
    #[error("the exchange rate is of a time that has not come")]
    RateOfTheFuture,
    /// There is a later one, or another of the same time.
    #[error("the exchange rate in force is as recent as this one, or more so")]
    RateSuperseded,
    /// There are enough of them.
    #[error("there are at most 1024 exchange rates")]
    TooManyRates,
    /// The pair has none.
    #[error("there is no such exchange rate")]
    NoSuchRate,
    /// The schedule of fees is of another currency than its programme.
    #[error("the fees are not in the currency of the programme")]
    FeeCurrency,
    /// The card is already past the state that the command starts from.
    #[error("the card is not awaiting activation")]
    NotAwaitingActivation,
    /// A card is issued inactive or active; one past its expiry may be, when it comes from
    /// elsewhere.
    #[error("a card is issued inactive or active")]
    CardUnfit,
    /// Identifiers of this shard have run out.
    #[error("this shard has no identifiers left")]
    IdentifiersExhausted,
}
