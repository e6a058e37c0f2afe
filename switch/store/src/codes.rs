//! The numbers and names by which choices of the domain are stored: numbers in the journal, names
//! in tables. It owns both lists; a number or name once given is never given to anything else.

use switch_domain::{
    BalanceState, CardStatus, Channel, CustomerState, EntryMode, MessageClass, PartnerState,
    PoolKind, TransferOutcome,
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
stored!(MessageClass, "message class":
    AuthorizationRequest = 1 "authorization", ReversalRequest = 2 "reversal");
