//! Commands: what a shard can be asked to do, in the field's own words. They carry no card number
//! and nothing secret; what had to be verified was verified before (design section 2, step 3).

use switch_domain::{
    Amount, ApprovalCode, AsciiText, AuthorizationId, BalanceId, BalanceState, Bin, BinRange,
    CardId, CardSecurityTerms, CardStatus, ControlId, ControlSubject, ControlTerms, Currency,
    CustomerId, CustomerState, Evidence, ExchangeRate, Expiry, FeeEvent, FeeSchedule, ForeignTerms,
    Funding, Hold, IdempotencyKey, LinkId, LockCode, LockCodes, MessageFacts, MessageKey,
    MinorUnits, NetworkAmounts, OriginalReference, OutsideAsk, PartnerId, PartnerState,
    PinReference, PoolId, PoolKind, ProgrammeId, Reason, ServiceCode, Taken, Tolerance, Transfer,
    TransferId, TransferOutcome, VaultRef,
};

/// One command.
#[derive(Clone, Debug)]
pub enum Command {
    /// An authorization or financial request (x100, x200, and their repeats).
    Authorize(Authorize),
    /// An advice of what was decided in our stead, or of what an authorization came to (x120, x220,
    /// and their repeats).
    Advise(Advise),
    /// A reversal, of all or of a part (x400, x420, and their repeats).
    Reverse(Reverse),
    /// Takes back an approval whose answer will not be sent (W-20).
    Void {
        /// The approval.
        authorization: AuthorizationId,
        /// What its message is answered from now on.
        reason: Reason,
    },
    /// Ends a hold that lived its life, whatever it still holds.
    Expire(Hold),
    /// A management command.
    Manage(Manage),
    /// Money of another account, for one of this shard (W-17).
    Receive {
        /// What was sent.
        transfer: Transfer,
        /// What its source minted before this is closed there.
        settled_below: TransferId,
    },
    /// What the target said to a transfer of this shard (W-17).
    Close {
        /// The transfer.
        transfer: TransferId,
        /// How it ended.
        outcome: TransferOutcome,
    },
}

/// An authorization or financial request.
#[derive(Clone, Debug)]
pub struct Authorize {
    /// The link it came by.
    pub link: LinkId,
    /// What the record keeps of the message.
    pub facts: MessageFacts,
    /// The first eight digits of the card number.
    pub bin: Bin,
    /// The card, where the directory knows it.
    pub card: Option<CardId>,
    /// Expiry by DE14 or the track, where the message names one.
    pub expiry: Option<Expiry>,
    /// Why the message as a whole cannot be granted, where translation found that it cannot.
    pub fault: Option<Reason>,
    /// What is asked for.
    pub amount: Amount,
    /// On which terms.
    pub terms: Terms,
    /// What the network converted before it came. Apart, because few networks do.
    pub network: Option<Box<NetworkAmounts>>,
    /// True where the message says that it may have been sent before (x101).
    pub repeat: bool,
    /// The authorization that it adds to, where it is an increment of one. Apart, because few are
    /// and every request has room for it.
    pub adds_to: Option<Box<Increment>>,
    /// Of a financial request, the authorization that it completes, where it says that it does.
    /// Apart as well; an advice has its own room for it.
    pub completes: Option<Box<Original>>,
    /// What was found out about card and holder; `None` where nothing was sent or asked for. Apart,
    /// because it is verified for some programmes alone.
    pub evidence: Option<Box<Evidence>>,
    /// True where its merchant is refused cards of its BIN at present, since somebody tries numbers
    /// there: no part of the message. Whoever hands it to the engine fills it in.
    pub blocked: bool,
}

/// On which terms a terminal asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// True where it can go on with a part of the amount.
    pub takes_part: bool,
    /// The fee of its acquirer: from the cardholder above zero, to the cardholder below.
    pub fee: MinorUnits,
    /// True where the amount has the fee in it; false where that comes on top.
    pub fee_within: bool,
}

/// What an incremental authorization says of the one before it.
#[derive(Clone, Copy, Debug)]
pub struct Increment {
    /// The fields by which it is found.
    pub reference: OriginalReference,
    /// True where the message names it; as with [`Original::named`].
    pub named: bool,
    /// True where the amount takes the place of what was authorized; false where it comes on top.
    pub replaces: bool,
}

/// An advice of what was decided in our stead, while we did not answer in time.
#[derive(Clone, Debug)]
pub struct Advise {
    /// What was asked for, as the request itself would have it; a repeat where the advice is one.
    pub request: Authorize,
    /// True where it was approved, false where it was declined.
    pub approved: bool,
    /// DE38 as it was given in our stead, where the advice has it.
    pub approval_code: Option<ApprovalCode>,
    /// Of a financial advice, the authorization that it completes or the purchase that it refunds,
    /// as far as it says.
    pub original: Option<Original>,
}

impl Authorize {
    /// What it says of what it adds to, or completes, where it does either.
    #[must_use]
    pub fn spoken_of(&self) -> Option<&OriginalReference> {
        let completed = self.completes.as_ref().map(|original| &original.reference);
        completed.or_else(|| self.adds_to.as_ref().map(|increment| &increment.reference))
    }
}

impl Advise {
    /// What it says of what it completes, refunds or adds to, where it does.
    #[must_use]
    pub fn spoken_of(&self) -> Option<&OriginalReference> {
        let original = self.original.as_ref().map(|original| &original.reference);
        original.or_else(|| self.request.spoken_of())
    }
}

/// What a financial message says of the authorization before it.
#[derive(Clone, Copy, Debug)]
pub struct Original {
    /// The fields by which it is found.
    pub reference: OriginalReference,
    /// True where the message names it. Otherwise these are the message's own fields, and an
    /// authorization is meant only where the retrieval reference number is the same, too.
    pub named: bool,
    /// True where nothing more will be settled of it: what is left of its hold is given back.
    pub last: bool,
    /// How far its merchant may go above it: no part of what the message says.
    pub tolerance: Tolerance,
}

/// A reversal.
#[derive(Clone, Debug)]
pub struct Reverse {
    /// The link it came by.
    pub link: LinkId,
    /// What makes it the same reversal when it comes again.
    pub key: MessageKey,
    /// What it says of its original.
    pub reference: OriginalReference,
    /// What is to stand of it; `None` where all of it is reversed.
    pub standing: Option<Amount>,
    /// True where the message says that it may have been sent before (x401, x421).
    pub repeat: bool,
}

/// A management command: done once for its key, audited with its actor.
#[derive(Clone, Debug)]
pub struct Manage {
    /// The same for every sending of one command.
    pub key: IdempotencyKey,
    /// Who asks.
    pub actor: AsciiText<40>,
    /// For what.
    pub act: Act,
}

/// What a management command does. Those before [`Act::ChargeFee`] belong to the control shard.
#[derive(Clone, Debug)]
pub enum Act {
    /// Makes a partner.
    DefinePartner {
        /// Its name for people.
        name: AsciiText<40>,
    },
    /// Gives a partner another name.
    RenamePartner {
        /// The partner.
        partner: PartnerId,
        /// Its name from now on.
        name: AsciiText<40>,
    },
    /// Serves a partner's cards or stops serving them.
    SetPartnerState {
        /// The partner.
        partner: PartnerId,
        /// Its state from now on.
        state: PartnerState,
    },
    /// Says from which amount on a partner's cards are approved for a part of a purchase.
    SetPartialMinimum {
        /// The partner.
        partner: PartnerId,
        /// Of which currency: its programmes have one each.
        currency: Currency,
        /// The least; above zero. `None`: nothing is approved in part.
        minimum: Option<MinorUnits>,
    },
    /// Makes an empty pool.
    OpenPool {
        /// Whose.
        partner: PartnerId,
        /// For what.
        kind: PoolKind,
        /// Of what.
        currency: Currency,
    },
    /// Books money that the partner transferred.
    ReloadPool {
        /// The pool.
        pool: PoolId,
        /// How much; above zero.
        amount: MinorUnits,
        /// The bank's reference.
        reference: AsciiText<40>,
    },
    /// Makes a programme.
    DefineProgramme {
        /// Whose.
        partner: PartnerId,
        /// Its name for people.
        name: AsciiText<40>,
        /// Its card numbers.
        bins: BinRange,
        /// Its currency.
        currency: Currency,
        /// Where the money comes from.
        funding: Funding,
    },
    /// Gives a programme another name. Numbers, currency and funding are for ever: cards and
    /// accounts rest on them.
    RenameProgramme {
        /// The programme.
        programme: ProgrammeId,
        /// Its name from now on.
        name: AsciiText<40>,
    },
    /// Takes amounts in other currencies under a programme, on these terms, or declines them.
    SetForeignTerms {
        /// The programme.
        programme: ProgrammeId,
        /// Its terms from now on; `None` where such amounts are declined.
        terms: Option<ForeignTerms>,
    },
    /// Puts an exchange rate in force.
    SetRate(ExchangeRate),
    /// Takes the exchange rate of a pair out of force.
    RemoveRate {
        /// Of what.
        from: Currency,
        /// Into what.
        to: Currency,
    },
    /// Puts the schedule of fees of a programme in force, or takes it out of force.
    SetFees {
        /// The programme.
        programme: ProgrammeId,
        /// The whole of it; `None`: nothing is charged.
        schedule: Option<Box<FeeSchedule>>,
    },
    /// Charges a fee for an act or a period.
    ChargeFee {
        /// The account.
        balance: BalanceId,
        /// The card, where it is charged for one; it is of this account.
        card: Option<CardId>,
        /// For what.
        event: FeeEvent,
        /// How much, in the currency of the account; above zero.
        fee: MinorUnits,
        /// How. What is taken at once must be there.
        taken: Taken,
        /// The caller's reference.
        reference: AsciiText<40>,
    },
    /// Gives back a fee that was charged so. Whether it was is for the caller to know.
    RefundFee {
        /// The account.
        balance: BalanceId,
        /// The card.
        card: Option<CardId>,
        /// For what.
        event: FeeEvent,
        /// How much; above zero.
        fee: MinorUnits,
        /// How it was taken.
        taken: Taken,
        /// The caller's reference.
        reference: AsciiText<40>,
    },
    /// Opens an account.
    OpenBalance {
        /// Under which product.
        programme: ProgrammeId,
        /// For whom.
        customer: CustomerId,
    },
    /// Blocks, unblocks or closes an account.
    SetBalanceState {
        /// The account.
        balance: BalanceId,
        /// Its state from now on.
        state: BalanceState,
    },
    /// Gives a customer money.
    CreditBalance {
        /// The account.
        balance: BalanceId,
        /// How much; above zero.
        amount: MinorUnits,
        /// The caller's reference.
        reference: AsciiText<40>,
    },
    /// Sends money from one account to another, wherever that is.
    Transfer {
        /// The account that pays.
        from: BalanceId,
        /// The account that gets it.
        to: BalanceId,
        /// How much; above zero.
        amount: MinorUnits,
        /// The caller's reference.
        reference: AsciiText<40>,
        /// What could be told of the account that gets it when the command came: no part of what
        /// it asks for. Whoever routes the command fills it in.
        target: TransferOutcome,
    },
    /// Blocks or unblocks a customer, as far as this shard goes.
    SetCustomerState {
        /// The customer.
        customer: CustomerId,
        /// The state from now on.
        state: CustomerState,
    },
    /// Issues a card whose number is in the vault already.
    IssueCard {
        /// The account it spends from.
        balance: BalanceId,
        /// Where its number is.
        vault: VaultRef,
        /// Last month of validity.
        expiry: Expiry,
        /// Inactive or active.
        status: CardStatus,
    },
    /// Activates a card that was issued inactive.
    ActivateCard {
        /// The card.
        card: CardId,
    },
    /// Removes a card for good.
    RemoveCard {
        /// The card.
        card: CardId,
    },
    /// Locks a card.
    LockCard {
        /// The card.
        card: CardId,
        /// Why.
        lock: LockCode,
    },
    /// Unlocks a card.
    UnlockCard {
        /// The card.
        card: CardId,
    },
    /// Makes a spend control.
    DefineControl(Box<ControlTerms>),
    /// Changes how much a spend control lets through, its name, or whether it declines.
    ChangeControl {
        /// The control.
        control: ControlId,
        /// What it is from now on.
        terms: Box<ControlTerms>,
    },
    /// Removes a spend control, and what was used of it.
    RemoveControl {
        /// The control.
        control: ControlId,
        /// Whom it is for.
        subject: ControlSubject,
    },
    /// Says how the cards of a programme are verified, or that they are not.
    SetCardSecurity {
        /// The programme.
        programme: ProgrammeId,
        /// Its terms from now on.
        terms: Option<Box<CardSecurityTerms>>,
    },
    /// Says what stripe and chip of a card have in them.
    SetCardData {
        /// The card.
        card: CardId,
        /// Its service code, where it is known.
        service_code: Option<ServiceCode>,
        /// Its sequence number.
        sequence: u8,
    },
    /// Says that other plastic of a card was made, which is not good before the card is renewed by
    /// it.
    AwaitPlastic {
        /// The card.
        card: CardId,
        /// The sequence number of the plastic.
        sequence: u8,
    },
    /// Renews a card: the month of before is no longer good, and where it is of plastic, neither is
    /// the plastic of before.
    RenewCard {
        /// The card.
        card: CardId,
        /// Last month of validity from now on.
        expiry: Expiry,
        /// What stripe and chip have in them from now on; `None` where there is no plastic.
        plastic: Option<(ServiceCode, u8)>,
    },
    /// Gives a card another PIN, by what that is compared with; wrong ones are forgiven.
    SetPinReference {
        /// The card.
        card: CardId,
        /// What its PIN is compared with from now on.
        reference: PinReference,
    },
    /// Gives a card another printed code; wrong ones are forgiven.
    ResetCardCode {
        /// The card.
        card: CardId,
    },
    /// Locks or unlocks a card for somebody outside (SR-209). A refusal is recorded, and is the
    /// answer to the command for ever.
    LockOutside {
        /// The card; `None` where the directory knows none of its number.
        card: Option<CardId>,
        /// What is asked for.
        ask: OutsideAsk,
        /// The codes that the source may set on a card of this number: no part of what it asks for.
        may: LockCodes,
    },
}
