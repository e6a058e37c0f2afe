//! The numbers and names by which choices of the domain are stored: numbers in the journal, names
//! in tables. It owns both lists; a number or name once given is never given to anything else.

use switch_domain::{
    BalanceState, CardForm, CardStatus, Channel, ChargedBy, CustomerState, EntryMode, LockRefusal,
    MessageClass, OriginalClass, PartnerState, PoolKind, Reason, StandIn, Taken, TransactionType,
    TransferOutcome,
};

/// A choice that is stored. Numbers start at 1, so that a field that is missing names nothing.
pub(crate) trait Stored: Sized + Copy {
    /// What the column or field is called in an error.
    const FIELD: &'static str;

    /// The number in the journal.
    fn code(self) -> u32;

    /// The name in tables.
    fn name(self) -> &'static str;

    /// From the number.
    fn from_code(code: u32) -> Option<Self>;

    /// From the name.
    fn from_name(name: &str) -> Option<Self>;
}

macro_rules! stored {
    ($choice:ident, $field:literal: $($variant:ident = $code:literal $name:literal),+ $(,)?) => {
        impl Stored for $choice {
            const FIELD: &'static str = $field;

            fn code(self) -> u32 {
                match self { $(Self::$variant => $code),+ }
            }

            fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            fn from_code(code: u32) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }

            fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

stored!(PartnerState, "partner state": Active = 1 "active", Suspended = 2 "suspended");
stored!(PoolKind, "pool kind": Credit = 1 "credit", Deposit = 2 "deposit");
stored!(BalanceState, "balance state":
    Active = 1 "active", Blocked = 2 "blocked", Closed = 3 "closed");
stored!(CustomerState, "customer state": Active = 1 "active", Blocked = 2 "blocked");
stored!(CardStatus, "card status":
    Inactive = 1 "inactive", Active = 2 "active", Removed = 3 "removed");
stored!(CardForm, "form of card": Virtual = 1 "virtual", Physical = 2 "physical");
stored!(ChargedBy, "who charges fees": Platform = 1 "platform", Partner = 2 "partner");
stored!(Taken, "how a fee is taken": AtOnce = 1 "at_once", Invoiced = 2 "invoiced");
stored!(Channel, "channel": Pos = 1 "pos", Atm = 2 "atm", Ecommerce = 3 "ecommerce");
stored!(EntryMode, "entry mode":
    Unknown = 1 "unknown", Manual = 2 "manual", Stripe = 3 "stripe", Chip = 4 "chip",
    Contactless = 5 "contactless", ContactlessStripe = 6 "contactless_stripe",
    Ecommerce = 7 "ecommerce");
stored!(TransferOutcome, "transfer outcome":
    Credited = 1 "credited", NoSuchBalance = 2 "no_such_balance",
    BalanceClosed = 3 "balance_closed", BalanceBlocked = 4 "balance_blocked",
    OtherCurrency = 5 "other_currency", OtherPartner = 6 "other_partner",
    OtherFunding = 7 "other_funding", AmountTooLarge = 8 "amount_too_large");
stored!(LockRefusal, "refusal of a lock":
    NotAllowed = 1 "not_allowed", NoSuchCard = 2 "no_such_card", Final = 3 "final",
    LockedOtherwise = 4 "locked_otherwise");
stored!(MessageClass, "message class":
    AuthorizationRequest = 1 "authorization", ReversalRequest = 2 "reversal",
    AuthorizationAdvice = 3 "authorization_advice", FinancialRequest = 4 "financial",
    FinancialAdvice = 5 "financial_advice", ReversalAdvice = 6 "reversal_advice");
stored!(OriginalClass, "class of the original":
    Authorization = 1 "authorization", Financial = 2 "financial");
// A purchase is what nothing says, in the journal and in tables: nearly everything is one.
stored!(TransactionType, "transaction type":
    Purchase = 1 "purchase", Preauthorization = 2 "preauthorization", Cash = 3 "cash",
    CashBack = 4 "cash_back", QuasiCash = 5 "quasi_cash", Refund = 6 "refund",
    BalanceInquiry = 7 "balance_inquiry", AccountVerification = 8 "account_verification",
    MiniStatement = 9 "mini_statement", PinChange = 10 "pin_change",
    PinUnblock = 11 "pin_unblock");

/// A transaction type as a number in the journal: 0 for a purchase.
pub(crate) fn kind_code(kind: TransactionType) -> u32 {
    if kind == TransactionType::Purchase { 0 } else { kind.code() }
}

/// The name in tables; none for a purchase.
pub(crate) fn kind_name(kind: TransactionType) -> Option<&'static str> {
    (kind != TransactionType::Purchase).then(|| kind.name())
}

/// What an advice came to, as a number in the journal: 0 where there was no advice. The reason that
/// belongs to some of them stands beside it.
pub(crate) const fn stand_in_code(stand_in: Option<StandIn>) -> u32 {
    match stand_in {
        None => 0,
        Some(StandIn::Agreed) => 1,
        Some(StandIn::Forced(_)) => 2,
        Some(StandIn::Suspense(_)) => 3,
        Some(StandIn::Declined) => 4,
        Some(StandIn::Known) => 5,
        Some(StandIn::Reversed) => 6,
    }
}

/// From the number and the reason beside it; `None` where they do not belong together.
pub(crate) const fn stand_in_from_code(code: u32, would_be: Option<Reason>) -> Option<StandIn> {
    match (code, would_be) {
        (1, None) => Some(StandIn::Agreed),
        (2, Some(reason)) => Some(StandIn::Forced(reason)),
        (3, Some(reason)) => Some(StandIn::Suspense(reason)),
        (4, None) => Some(StandIn::Declined),
        (5, None) => Some(StandIn::Known),
        (6, None) => Some(StandIn::Reversed),
        _ => None,
    }
}
