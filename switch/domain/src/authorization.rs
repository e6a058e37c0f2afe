//! An authorization as one aggregate with running totals (design section 4), and the facts of the
//! messages about it. It owns how a hold follows from the totals; it holds no card number.

use crate::{
    Amount, ApprovalCode, AsciiText, AuthorizationId, BalanceId, CardId, Conversion, Counted,
    Country, Currency, FeeTotals, MessageClass, MessageKey, MinorUnits, NetworkTrace,
    OriginalClass, OriginalKey, PoolId, Portion, Reason, StandIn, Timestamp, TransactionType,
};

/// Where a purchase is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// At a terminal of a merchant.
    Pos,
    /// At a cash machine.
    Atm,
    /// Without the card being present.
    Ecommerce,
}

/// How the card number came into the terminal: the first two digits of DE22 (1987).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryMode {
    /// Not said.
    Unknown,
    /// Typed.
    Manual,
    /// Magnetic stripe.
    Stripe,
    /// Chip.
    Chip,
    /// Contactless, chip data.
    Contactless,
    /// Contactless, stripe data.
    ContactlessStripe,
    /// Stored or entered for an order without the card.
    Ecommerce,
}

/// Who asks for the money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Merchant {
    /// DE18.
    pub category: u16,
    /// DE42.
    pub id: AsciiText<35>,
}

/// Facts of a request that its record keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageFacts {
    /// What makes it the same message when it comes again.
    pub key: MessageKey,
    /// DE7 as MMDDhhmmss, 0 where absent: tells originals apart, never repeats.
    pub transmitted: u64,
    /// Where the purchase is made.
    pub channel: Channel,
    /// How the card was read.
    pub entry: EntryMode,
    /// What is asked for.
    pub kind: TransactionType,
    /// Who asks.
    pub merchant: Merchant,
    /// Where the merchant is, where the message says so.
    pub country: Option<Country>,
    /// By what the network links the messages of its transaction, where the dialect has that.
    pub network_trace: NetworkTrace,
}

/// What a reversal or a completion says of its original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OriginalReference {
    /// The fields that must be equal.
    pub key: OriginalKey,
    /// Of which class the original is, where it is named by its type: rules out the others.
    pub class: Option<OriginalClass>,
    /// DE7 of the original by DE90, 0 where unknown: prefers one of several, rules none out.
    pub transmitted: u64,
    /// DE37 of the reversal, which repeats that of the original: prefers, rules none out.
    pub rrn: AsciiText<12>,
    /// The network's own identifier of that transaction: finds one that all these do not.
    pub network_trace: NetworkTrace,
}

/// Running totals of an authorization, in minor units; none is ever negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Approved at first.
    pub authorized: MinorUnits,
    /// Added by incremental authorizations.
    pub incremented: MinorUnits,
    /// Taken back by reversals.
    pub reversed: MinorUnits,
    /// Settled.
    pub cleared: MinorUnits,
    /// Given back after settlement.
    pub refunded: MinorUnits,
}

impl Totals {
    /// These totals and `delta`, each by itself; `None` past the range of an i64.
    #[must_use]
    pub fn checked_add(self, delta: Self) -> Option<Self> {
        Some(Self {
            authorized: self.authorized.checked_add(delta.authorized)?,
            incremented: self.incremented.checked_add(delta.incremented)?,
            reversed: self.reversed.checked_add(delta.reversed)?,
            cleared: self.cleared.checked_add(delta.cleared)?,
            refunded: self.refunded.checked_add(delta.refunded)?,
        })
    }

    /// What an open authorization holds: never below zero. Saturates rather than wraps.
    #[must_use]
    pub fn open(&self) -> MinorUnits {
        let up = self.authorized.0.saturating_add(self.incremented.0);
        let down = self.reversed.0.saturating_add(self.cleared.0);
        MinorUnits(up.saturating_sub(down).max(0))
    }

    /// What counts towards limits: of an open authorization what it may come to, of one that is
    /// over what it came to.
    #[must_use]
    pub fn used(&self, closed: bool) -> MinorUnits {
        let up = self.authorized.0.saturating_add(self.incremented.0);
        let open = if closed { 0 } else { up.saturating_sub(self.reversed.0) };
        MinorUnits(open.max(self.cleared.0).max(0))
    }
}

/// An authorization and all that happened to it. Amounts are minor units of `currency`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// Its name.
    pub id: AuthorizationId,
    /// The facts of the request.
    pub facts: MessageFacts,
    /// The card, where it is known.
    pub card: Option<CardId>,
    /// The account, where the card is known.
    pub balance: Option<BalanceId>,
    /// The deposit pool that was charged, if any.
    pub pool: Option<PoolId>,
    /// Of what.
    pub currency: Currency,
    /// What was asked for; where it was converted, what is asked of the account.
    pub requested: MinorUnits,
    /// What was granted, where that is not just what was asked for. Apart, because of few it is.
    pub portion: Option<Box<Portion>>,
    /// What the message asked for, and how it was converted, where it was.
    pub conversion: Option<Box<Conversion>>,
    /// What the stored answer says, or why it says nothing of it.
    pub reason: Reason,
    /// What the stored answer says instead, where the programme does not tell that reason.
    pub answered: Option<Reason>,
    /// DE38 of the stored answer, for approvals; of an advice, the code given in our stead.
    pub approval_code: Option<ApprovalCode>,
    /// What an advice came to; `None` for a request.
    pub stand_in: Option<StandIn>,
    /// The authorization that it completes, refunds or adds to, if it does: its totals have what
    /// is settled here, or held more, too.
    pub completes: Option<Completed>,
    /// Where it counts towards limits, if anywhere.
    pub counted: Option<Box<[Counted]>>,
    /// Running totals; all zero for a decline.
    pub totals: Totals,
    /// Where its fees stand, where it ever had any. Apart, because of few it has.
    pub fees: Option<Box<FeeTotals>>,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// Set by the reversal, void or expiry that ended it.
    pub closed: bool,
}

/// An authorization that a financial advice completes, or an incremental authorization adds to,
/// named so that its row is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completed {
    /// The authorization.
    pub authorization: AuthorizationId,
    /// When it was decided: with its name, the key of its row.
    pub decided_at: Timestamp,
}

impl Authorization {
    /// What the message asked for, in its own currency: the same in every repeat of it.
    #[must_use]
    pub fn asked(&self) -> Amount {
        let plain = Amount { minor: self.requested, currency: self.currency };
        self.conversion.as_ref().map_or(plain, |conversion| conversion.transaction)
    }

    /// What was granted of that, in the same currency. What was converted is granted whole.
    #[must_use]
    pub fn granted(&self) -> Amount {
        match &self.conversion {
            Some(conversion) if conversion.is_foreign() => conversion.transaction,
            _ => Amount { minor: self.approved(), currency: self.currency },
        }
    }

    /// What an amount of the message's currency is in the account's, as this was converted; `None`
    /// for an amount of another currency.
    #[must_use]
    pub fn in_account(&self, amount: Amount) -> Option<MinorUnits> {
        if amount.currency != self.asked().currency {
            return None;
        }
        let conversion = self.conversion.as_ref();
        Some(conversion.map_or(amount.minor, |conversion| conversion.of_part(amount.minor)))
    }

    /// What was asked for by a message of which class.
    #[must_use]
    pub const fn class(&self) -> MessageClass {
        self.facts.key.class
    }

    /// What was approved of it: all that was asked for, unless only a part was.
    #[must_use]
    pub fn approved(&self) -> MinorUnits {
        self.portion.as_deref().map_or(self.requested, |portion| portion.approved)
    }

    /// The fee of its acquirer that is held or settled on top.
    #[must_use]
    pub fn fee(&self) -> MinorUnits {
        self.portion.as_deref().map_or(MinorUnits::ZERO, |portion| portion.fee)
    }

    /// What was held or settled by it at first: what was approved, and the fee on top.
    #[must_use]
    pub fn came_to(&self) -> MinorUnits {
        self.portion.as_deref().map_or(self.requested, |portion| portion.sum())
    }

    /// The authorization that it adds to, where it is an increment: that one holds for both.
    #[must_use]
    pub const fn adds_to(&self) -> Option<Completed> {
        if self.facts.key.class.is_financial() { None } else { self.completes }
    }

    /// Where its fees stand.
    #[must_use]
    pub fn fee_totals(&self) -> FeeTotals {
        self.fees.as_deref().copied().unwrap_or_default()
    }

    /// What is still held: `max(0, authorized + incremented - reversed - cleared)`, zero once
    /// closed (design section 4).
    #[must_use]
    pub fn held(&self) -> MinorUnits {
        if self.closed { MinorUnits::ZERO } else { self.totals.open() }
    }
}

/// A reversal that was answered, kept for when it comes again, and for its original where that
/// comes after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnsweredReversal {
    /// The reversal message's own number.
    pub id: AuthorizationId,
    /// What makes it the same reversal when it comes again.
    pub key: MessageKey,
    /// What it says of its original.
    pub reference: OriginalReference,
    /// The original, where it was found.
    pub original: Option<AuthorizationId>,
    /// What stands of the original after it: zero where all of it is reversed.
    pub standing: MinorUnits,
    /// What was answered.
    pub reason: Reason,
    /// When it was decided.
    pub decided_at: Timestamp,
}
