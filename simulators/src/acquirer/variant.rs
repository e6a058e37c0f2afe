//! What else a terminal or a network sends beside authorizations of purchases: financial messages,
//! refunds, inquiries, advices. Must only change what makes it another message than a purchase.

use anyhow::Result;

use crate::iso::Message;

/// Another message than the authorization of a purchase.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Variant {
    /// 0200: settled at once.
    Payment,
    /// 0200, processing code 20.
    Refund,
    /// 0100, processing code 31, for nothing.
    Inquiry,
    /// 0100, processing code 38, for nothing: what moved lately.
    MiniStatement,
    /// 0100 for nothing: whether the card is good.
    Verification,
    /// 0100, processing code 92.
    PinChange,
    /// 0120 of what the network approved.
    Advice,
    /// 0120 of what the network declined.
    DeclinedAdvice,
    /// 0220 without an authorization before it.
    FinancialAdvice,
}

impl Variant {
    /// Every one once, in the order in which a run takes them.
    pub const ALL: [Variant; 9] = [
        Variant::Payment,
        Variant::Inquiry,
        Variant::Refund,
        Variant::Advice,
        Variant::FinancialAdvice,
        Variant::Verification,
        Variant::PinChange,
        Variant::DeclinedAdvice,
        Variant::MiniStatement,
    ];

    /// A word for tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Variant::Payment => "financial request",
            Variant::Refund => "refund",
            Variant::Inquiry => "balance inquiry",
            Variant::MiniStatement => "mini-statement",
            Variant::Verification => "account verification",
            Variant::PinChange => "PIN change",
            Variant::Advice => "advice of an approval",
            Variant::DeclinedAdvice => "advice of a decline",
            Variant::FinancialAdvice => "financial advice",
        }
    }

    /// DE39 of the answer, with a card that is good.
    #[must_use]
    pub const fn expected(self) -> &'static str {
        match self {
            Variant::PinChange => "40", // not supported
            _ => "00",
        }
    }

    /// Whether the answer has an approval code.
    #[must_use]
    pub const fn is_coded(self) -> bool {
        matches!(
            self,
            Variant::Payment
                | Variant::Refund
                | Variant::Inquiry
                | Variant::MiniStatement
                | Variant::Verification
        )
    }

    const fn mti(self) -> &'static str {
        match self {
            Variant::Payment | Variant::Refund => "0200",
            Variant::Inquiry
            | Variant::MiniStatement
            | Variant::Verification
            | Variant::PinChange => "0100",
            Variant::Advice | Variant::DeclinedAdvice => "0120",
            Variant::FinancialAdvice => "0220",
        }
    }

    /// DE3, where it is not the purchase's.
    const fn processing_code(self) -> Option<&'static str> {
        match self {
            Variant::Refund => Some("200000"),
            Variant::Inquiry => Some("310000"),
            Variant::MiniStatement => Some("380000"),
            Variant::PinChange => Some("920000"),
            Variant::Verification => Some("000000"),
            _ => None,
        }
    }

    const fn is_for_nothing(self) -> bool {
        matches!(
            self,
            Variant::Inquiry | Variant::MiniStatement | Variant::Verification | Variant::PinChange
        )
    }
}

/// A purchase's authorization as this.
///
/// # Errors
/// Never with a purchase's authorization.
pub fn varied(purchase: Message, variant: Variant) -> Result<Message> {
    let mut message = purchase.retyped(variant.mti())?;
    if let Some(code) = variant.processing_code() {
        message.set(3, code)?;
    }
    if variant.is_for_nothing() {
        message.set(4, "0")?;
    }
    match variant {
        Variant::Advice => {
            message.set(38, "SIM001")?;
            message.set(39, "00")?;
        }
        Variant::DeclinedAdvice => message.set(39, "05")?,
        _ => {}
    }
    Ok(message)
}
