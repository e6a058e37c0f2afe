//! What makes two messages the same one, and what finds a message's original. It owns which fields
//! count (design section 2); it never looks at a message itself.

use crate::{AsciiText, Fingerprint, LinkId};

/// Who sent it: DE32, or the link where the message names no acquirer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Acquirer {
    /// DE32.
    Institution(AsciiText<11>),
    /// The link it came by.
    Link(LinkId),
}

/// Class and function of the message, without the repeat digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageClass {
    /// x100.
    AuthorizationRequest,
    /// x120.
    AuthorizationAdvice,
    /// x200.
    FinancialRequest,
    /// x220.
    FinancialAdvice,
    /// x400.
    ReversalRequest,
    /// x420.
    ReversalAdvice,
}

/// Of which class a message is that is spoken of: the second digit of its MTI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OriginalClass {
    /// x1xx.
    Authorization,
    /// x2xx.
    Financial,
}

impl MessageClass {
    /// Of which class it is, as others speak of it; `None` for a reversal, which nobody reverses.
    #[must_use]
    pub const fn as_original(self) -> Option<OriginalClass> {
        match self {
            Self::AuthorizationRequest | Self::AuthorizationAdvice => {
                Some(OriginalClass::Authorization)
            }
            Self::FinancialRequest | Self::FinancialAdvice => Some(OriginalClass::Financial),
            Self::ReversalRequest | Self::ReversalAdvice => None,
        }
    }

    /// Whether what it asks for is settled by it, and not only held.
    #[must_use]
    pub const fn is_financial(self) -> bool {
        matches!(self, Self::FinancialRequest | Self::FinancialAdvice)
    }

    /// Whether it tells what was decided in our stead.
    #[must_use]
    pub const fn is_advice(self) -> bool {
        matches!(self, Self::AuthorizationAdvice | Self::FinancialAdvice)
    }
}

/// Two messages with equal keys are one message sent twice. DE7 is not part of it: peers renew it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageKey {
    /// DE32 or the link.
    pub acquirer: Acquirer,
    /// MTI without version and repeat digit.
    pub class: MessageClass,
    /// DE11: six digits, twelve in the edition of 2003.
    pub stan: u64,
    /// DE13 and DE12 as MMDDhhmmss, or DE12 alone with the year in front where the edition has it
    /// so; 0 where the message has neither.
    pub local_time: u64,
    /// DE41.
    pub terminal: AsciiText<16>,
    /// DE37.
    pub rrn: AsciiText<12>,
    /// Which card.
    pub card: Fingerprint,
}

/// What a reversal and its original have in common, whichever comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OriginalKey {
    /// DE32 or the link.
    pub acquirer: Acquirer,
    /// DE11 of the original: DE90 of the reversal, or its own DE11 where it has no DE90.
    pub stan: u64,
    /// DE41.
    pub terminal: AsciiText<16>,
    /// Which card.
    pub card: Fingerprint,
}

impl OriginalKey {
    /// 63 bits of the key, the same in every version: finds its rows. The STAN stands before the
    /// fingerprint because acquirers count it upwards: an index over such numbers grows where it
    /// grew last, while one over a keyed hash touches another page for every row. Rows of another
    /// acquirer or terminal with the same value are few, and told apart by the whole key.
    #[must_use]
    pub const fn origin(&self) -> i64 {
        let [a, b, c, d, e, f, g, h, ..] = self.card.0;
        let fingerprint = i64::from_be_bytes([a, b, c, d, e, f, g, h]) & ORIGIN_CARD_MASK;
        ((self.stan & ORIGIN_STAN_MASK) as i64) << ORIGIN_CARD_BITS | fingerprint
    }
}

/// Of a STAN: all of six digits, the lowest part of twelve.
const ORIGIN_STAN_MASK: u64 = (1 << 20) - 1;
/// What is left of 63 bits.
const ORIGIN_CARD_BITS: u32 = 43;
const ORIGIN_CARD_MASK: i64 = (1 << ORIGIN_CARD_BITS) - 1;

impl MessageKey {
    /// The key of the advice of what this requests, or of the request that this is the advice of;
    /// `None` for a reversal.
    #[must_use]
    pub const fn twin(&self) -> Option<Self> {
        let class = match self.class {
            MessageClass::AuthorizationRequest => MessageClass::AuthorizationAdvice,
            MessageClass::AuthorizationAdvice => MessageClass::AuthorizationRequest,
            MessageClass::FinancialRequest => MessageClass::FinancialAdvice,
            MessageClass::FinancialAdvice => MessageClass::FinancialRequest,
            MessageClass::ReversalRequest | MessageClass::ReversalAdvice => return None,
        };
        Some(Self { class, ..*self })
    }

    /// Under which key a reversal will look for this message.
    #[must_use]
    pub const fn as_original(&self) -> OriginalKey {
        OriginalKey {
            acquirer: self.acquirer,
            stan: self.stan,
            terminal: self.terminal,
            card: self.card,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LinkId;

    /// Rows are found by it: it is the same in every version, and what migration 0012 computes.
    #[test]
    fn the_origin_is_pinned() {
        let mut card = [0xff; 16];
        card[..8].copy_from_slice(&0x9b26_2a7b_ef3e_6692_u64.to_be_bytes());
        let key = |stan| OriginalKey {
            acquirer: Acquirer::Link(LinkId(1)),
            stan,
            terminal: AsciiText::EMPTY,
            card: Fingerprint(card),
        };
        assert_eq!(key(3).origin(), 29_119_597_143_698);
        assert!(key(999_999).origin() > key(999_998).origin());
    }
}
