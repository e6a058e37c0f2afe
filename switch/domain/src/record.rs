//! Records: what happened, as the journal keeps it. They are physical (W-8): each states its facts
//! and its effects on money in full. They name vault rows and never carry a card number (W-9).

use crate::{
    Amount, ApprovalCode, AsciiText, AuthorizationId, BalanceId, BalanceState, CardId,
    CardReferences, CardStatus, CommandDigest, Completed, ControlId, ControlSubject, Conversion,
    Currency, CustomerId, CustomerState, DecisionTrace, Direction, Effects, Epoch, Estate,
    Evidence, ExchangeRate, Expiry, FeeCharged, FeeSchedule, IdempotencyKey, LinkId, LockCode,
    LockRefusal, MessageFacts, MessageKey, MinorUnits, OriginalReference, OutsideAsk, OwnerId,
    Partner, PartnerId, Placement, Pool, PoolId, Portion, Programme, ProgrammeId, Reason, Seq,
    ShardId, SpendControl, StandIn, Timestamp, Transfer, TransferId, TransferOutcome,
    TransferReceived, VaultRef,
};

/// One thing that happened in a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When it was decided.
    pub at: Timestamp,
    /// Who or what made it happen.
    pub cause: Cause,
    /// What happened.
    pub event: Event,
    /// What it does to money.
    pub effects: Effects,
}

/// Who or what made something happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A message on a link.
    Message(LinkId),
    /// A management command: deduplicated by its key, audited with its actor (W-18).
    Command {
        /// The same for every sending of one command.
        key: IdempotencyKey,
        /// What it asked for; `None` in records from before there were digests.
        digest: Option<CommandDigest>,
        /// Who: `uid:1000`, `operator:7`, `partner:3`, `link:visa`.
        actor: AsciiText<40>,
    },
    /// The switch itself: takeover, void, the end of a hold.
    Switch,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A process took the shard over; first record of its epoch.
    TakenOver(TakenOver),
    /// A command asked for what was so already: its key is remembered, and who asked. Or the switch
    /// found out whether the shard is still its own.
    NothingChanged,
    /// A partner was made or changed: the whole of it.
    PartnerDefined(Partner),
    /// A pool was made: the whole of it.
    PoolDefined(Pool),
    /// A programme was made or changed: the whole of it.
    ProgrammeDefined(Programme),
    /// Money came into a pool; the amount is in the effects.
    PoolReloaded {
        /// The pool.
        pool: PoolId,
        /// The bank's reference of the transfer.
        reference: AsciiText<40>,
    },
    /// An account was opened.
    BalanceOpened(BalanceOpened),
    /// An account was blocked, unblocked or closed.
    BalanceStateChanged {
        /// The account.
        balance: BalanceId,
        /// Its state from now on.
        state: BalanceState,
    },
    /// A customer got money; the amounts are in the effects.
    BalanceCredited {
        /// The account.
        balance: BalanceId,
        /// The caller's reference.
        reference: AsciiText<40>,
    },
    /// Money left an account for another; the amounts are in the effects.
    TransferSent(Transfer),
    /// Money from another account came, or was refused.
    TransferReceived(TransferReceived),
    /// The shard of the account that paid knows how a transfer ended, and has given back what was
    /// refused.
    TransferClosed {
        /// The transfer.
        transfer: TransferId,
        /// The institution.
        partner: PartnerId,
        /// How it ended.
        outcome: TransferOutcome,
    },
    /// A customer was blocked or unblocked, as far as this shard goes.
    CustomerStateChanged {
        /// The customer.
        customer: CustomerId,
        /// The state from now on.
        state: CustomerState,
    },
    /// A card was issued.
    CardIssued(CardIssued),
    /// A card was activated or removed.
    CardStatusChanged {
        /// The card.
        card: CardId,
        /// Its status from now on.
        status: CardStatus,
    },
    /// A card was locked, locked otherwise, or unlocked.
    CardLockChanged {
        /// The card.
        card: CardId,
        /// Its lock from now on.
        lock: Option<LockCode>,
    },
    /// What a card's values are compared with was changed: the whole of it.
    CardReferencesChanged {
        /// The card.
        card: CardId,
        /// What they are compared with from now on.
        references: Box<CardReferences>,
    },
    /// A card was renewed: it is the same one with another month, of which its printed code is
    /// made, and where it is of plastic with another plastic.
    CardRenewed {
        /// The card.
        card: CardId,
        /// Last month of validity from now on.
        expiry: Expiry,
        /// What its values are compared with from now on: the whole of it.
        references: Box<CardReferences>,
    },
    /// A spend control was made or changed: the whole of it.
    ControlDefined(Box<SpendControl>),
    /// A spend control is no more.
    ControlRemoved {
        /// The control.
        control: ControlId,
        /// Whom it was for.
        subject: ControlSubject,
    },
    /// An exchange rate was put in force.
    RateSet(Box<ExchangeRate>),
    /// An exchange rate is no more.
    RateRemoved {
        /// Of what.
        from: Currency,
        /// Into what.
        to: Currency,
    },
    /// The schedule of fees of a programme was put in force, or taken out of it.
    FeesSet {
        /// The programme.
        programme: ProgrammeId,
        /// The whole of it; `None` where nothing is charged from now on.
        schedule: Option<Box<FeeSchedule>>,
    },
    /// A fee was charged for an act or a period, or given back; the postings are in the effects.
    FeeCharged(Box<FeeCharged>),
    /// A lock that somebody outside asked for was refused: nothing changed, and it is known who
    /// asked, and what a repeat is answered.
    LockRefused {
        /// The card, where there is one.
        card: Option<CardId>,
        /// What was asked for.
        ask: OutsideAsk,
        /// Why it was refused.
        refusal: LockRefusal,
    },
    /// An authorization or a financial message, or an advice of one, was answered.
    Authorized(Authorized),
    /// A reversal was answered.
    Reversed(Reversed),
    /// An approval that was never sent was taken back.
    Voided(Voided),
    /// A hold lived its life: what it still held was given back.
    Expired(Expired),
    /// The shard ended, and has nothing from here on: its last record (W-12).
    Sealed(Sealed),
    /// The shard began, with what sealed ones left: its first record.
    Founded(Founded),
    /// Something of what they left.
    Inherited(Box<Estate>),
}

/// A process took the shard over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenOver {
    /// The shard, so that a row put in the wrong place is noticed.
    pub shard: ShardId,
    /// The new epoch.
    pub epoch: Epoch,
    /// The new owner.
    pub owner: OwnerId,
    /// The shards of the group when it was taken over, the control shard included.
    pub shards: u16,
}

/// A shard ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The shard, so that a row put in the wrong place is noticed.
    pub shard: ShardId,
    /// Who has what it had.
    pub heirs: Placement,
}

/// A shard began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Founded {
    /// The shard, so that a row put in the wrong place is noticed.
    pub shard: ShardId,
    /// It and those that began with it.
    pub heirs: Placement,
    /// The last rows of the shards that were sealed for them, by shard.
    pub from: Vec<SealedHead>,
}

/// The last row of a sealed shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedHead {
    /// The shard.
    pub shard: ShardId,
    /// Its last row.
    pub seq: Seq,
    /// That row's hash, which all rows before it are in.
    pub hash: [u8; 32],
}

/// An account was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceOpened {
    /// The account.
    pub balance: BalanceId,
    /// Its product.
    pub programme: ProgrammeId,
    /// Its institution.
    pub partner: PartnerId,
    /// Its holder.
    pub customer: CustomerId,
    /// Its currency.
    pub currency: Currency,
}

/// A card was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardIssued {
    /// The card.
    pub card: CardId,
    /// Its account.
    pub balance: BalanceId,
    /// Its product.
    pub programme: ProgrammeId,
    /// Its institution: in every record of the hot tables (design section 9).
    pub partner: PartnerId,
    /// Where its number is kept.
    pub vault: VaultRef,
    /// Last month of validity.
    pub expiry: Expiry,
    /// Inactive for a card in the post, active for a virtual one.
    pub status: CardStatus,
}

/// An authorization, a financial message or an advice was answered: approved, declined or taken
/// note of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorized {
    /// The authorization.
    pub id: AuthorizationId,
    /// The facts of the request.
    pub facts: MessageFacts,
    /// The card, where known.
    pub card: Option<CardId>,
    /// The account, where known.
    pub balance: Option<BalanceId>,
    /// The institution, where known.
    pub partner: Option<PartnerId>,
    /// The deposit pool that was charged, if any.
    pub pool: Option<PoolId>,
    /// What was asked for; where it was converted, what is asked of the account: a hold with its
    /// margin.
    pub requested: Amount,
    /// What was granted, where that is not just what was asked for. Apart, because of few it is.
    pub portion: Option<Box<Portion>>,
    /// What was decided.
    pub reason: Reason,
    /// DE38, for approvals; of an advice, the code that was given in our stead.
    pub approval_code: Option<ApprovalCode>,
    /// What an advice came to; `None` for a request.
    pub stand_in: Option<StandIn>,
    /// The authorization that it completes, refunds or adds to, if it does.
    pub completes: Option<Completed>,
    /// What spend controls said of it, where there was anything to say. Apart, because of few there
    /// is and every record has room for it.
    pub findings: Option<Box<ControlFindings>>,
    /// What decided, and what each check said; `None` where it was simply granted, and so passed
    /// every check, and in records from before there were traces. Apart, as the findings are.
    pub trace: Option<Box<DecisionTrace>>,
    /// What was found out about card and holder, as far as it was looked at; `None` where nothing
    /// was. Apart, as well.
    pub evidence: Option<Box<Evidence>>,
    /// What was answered, where the programme does not tell that reason.
    pub answered: Option<Reason>,
    /// What the message asked for, and how it was converted, where it was. Apart, because few are.
    pub conversion: Option<Box<Conversion>>,
    /// The card's count of approvals after this one.
    pub approvals: u32,
    /// True where a reversal had come before: approved by nobody, held by nobody.
    pub reversed_before: bool,
}

impl Event {
    /// Why what it is about was refused; `None` where it was done.
    #[must_use]
    pub const fn refusal(&self) -> Option<LockRefusal> {
        match self {
            Self::LockRefused { refusal, .. } => Some(*refusal),
            _ => None,
        }
    }
}

impl Authorized {
    /// Whether it was granted, by us or in our stead with effect here.
    const fn is_granted(&self) -> bool {
        match self.stand_in {
            Some(stand_in) => stand_in.holds(),
            None => self.reason.is_approval(),
        }
    }

    /// Whether it takes money that is settled later: an approval, or an advice of one. A refund
    /// that was authorized holds nothing, and gives nothing yet.
    const fn is_held(&self) -> bool {
        self.is_granted()
            && !self.facts.key.class.is_financial()
            && matches!(self.facts.kind.direction(), Direction::Debit)
    }

    /// Whether it holds anything from here on by itself.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.is_held() && self.completes.is_none()
    }

    /// Whether what it holds is added to an earlier authorization, which holds it for both.
    #[must_use]
    pub const fn adds(&self) -> bool {
        self.is_held() && self.completes.is_some()
    }

    /// Whether it moves money for good: a financial message that was granted, or an advice of one.
    #[must_use]
    pub const fn settles(&self) -> bool {
        self.is_granted()
            && self.facts.key.class.is_financial()
            && !matches!(self.facts.kind.direction(), Direction::None)
    }
}

/// What spend controls said of an authorization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControlFindings {
    /// The one that declined it.
    pub declined_by: Option<ControlId>,
    /// Those that would have, had they not been in shadow, in their order.
    pub would_decline: Vec<ControlId>,
}

/// A reversal was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversed {
    /// The reversal message's own number.
    pub id: AuthorizationId,
    /// The key under which a repeat of it is found.
    pub key: MessageKey,
    /// What it says of its original.
    pub reference: OriginalReference,
    /// The original, where it was found.
    pub original: Option<AuthorizationId>,
    /// The institution, where the original was found.
    pub partner: Option<PartnerId>,
    /// What stands of the original after it: zero where all of it is reversed.
    pub standing: MinorUnits,
    /// What was answered.
    pub reason: Reason,
}

/// A hold lived its life. The answer to its message stays what it was; its totals do too, so that
/// they tell what was never cleared. What was given back is in the effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expired {
    /// The authorization.
    pub authorization: AuthorizationId,
    /// The institution, where its account is known.
    pub partner: Option<PartnerId>,
}

/// An approval was taken back before it left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voided {
    /// The authorization.
    pub authorization: AuthorizationId,
    /// What its message is answered from now on.
    pub reason: Reason,
}
