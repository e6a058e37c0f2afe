//! The messages that ask for something, or tell that it was done: what each does to money where it
//! is granted. It owns these facts as an acquirer knows them, from the standard and the contract
//! with the issuer; it must never look at how the switch comes to them.

/// A kind of message other than a reversal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum AskKind {
    /// 0100 of goods.
    Purchase,
    /// 0100 of cash from a machine.
    Cash,
    /// 0100 of goods with cash back.
    CashBack,
    /// 0100 of an estimate.
    Preauthorization,
    /// 0100 that adds to another.
    Increment,
    /// 0100 for nothing: is the card good?
    Verification,
    /// 0100 for nothing: what is on the account?
    Inquiry,
    /// 0100 of a refund.
    RefundAuthorization,
    /// 0120 of what was approved in the issuer's stead.
    Advice,
    /// 0120 of what was declined there.
    DeclinedAdvice,
    /// 0200 of goods.
    Payment,
    /// 0200 that completes an authorization.
    CompletingRequest,
    /// 0200 of a refund.
    Refund,
    /// 0220 that completes an authorization.
    Completion,
    /// 0220 of what nobody authorized.
    FinancialAdvice,
}

/// What is done where it is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// So much is held.
    Holds,
    /// So much goes from the customer to the network.
    Takes,
    /// So much goes from the network to the customer.
    Gives,
    /// No money is moved or held.
    Nothing,
}

impl AskKind {
    /// Every one once.
    pub(crate) const ALL: [Self; 15] = [
        Self::Purchase,
        Self::Cash,
        Self::CashBack,
        Self::Preauthorization,
        Self::Increment,
        Self::Verification,
        Self::Inquiry,
        Self::RefundAuthorization,
        Self::Advice,
        Self::DeclinedAdvice,
        Self::Payment,
        Self::CompletingRequest,
        Self::Refund,
        Self::Completion,
        Self::FinancialAdvice,
    ];

    pub(crate) const fn effect(self) -> Effect {
        match self {
            Self::Purchase
            | Self::Cash
            | Self::CashBack
            | Self::Preauthorization
            | Self::Increment
            | Self::Advice => Effect::Holds,
            Self::Payment | Self::CompletingRequest | Self::Completion | Self::FinancialAdvice => {
                Effect::Takes
            }
            Self::Refund => Effect::Gives,
            Self::Verification
            | Self::Inquiry
            | Self::RefundAuthorization
            | Self::DeclinedAdvice => Effect::Nothing,
        }
    }

    /// Whether it tells of what has happened: it can be acknowledged, and not declined.
    pub(crate) const fn is_advice(self) -> bool {
        matches!(
            self,
            Self::Advice | Self::DeclinedAdvice | Self::Completion | Self::FinancialAdvice
        )
    }

    /// Whether it settles out of what another holds.
    pub(crate) const fn completes(self) -> bool {
        matches!(self, Self::Completion | Self::CompletingRequest)
    }

    /// A word for tables.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Purchase => "purchase",
            Self::Cash => "cash",
            Self::CashBack => "cash back",
            Self::Preauthorization => "pre-authorization",
            Self::Increment => "increment",
            Self::Verification => "account verification",
            Self::Inquiry => "balance inquiry",
            Self::RefundAuthorization => "refund authorization",
            Self::Advice => "advice of an approval",
            Self::DeclinedAdvice => "advice of a decline",
            Self::Payment => "financial request",
            Self::CompletingRequest => "completing request",
            Self::Refund => "refund",
            Self::Completion => "completion",
            Self::FinancialAdvice => "financial advice",
        }
    }
}
