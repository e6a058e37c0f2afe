//! What a message asks for: the first two digits of DE3, and of a purchase whether its amount is
//! an estimate. It owns which of these take money, give it or ask for none; codes on the wire are
//! translated elsewhere.

/// What is asked for, in an authorization, a financial message or an advice of either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransactionType {
    /// 00: goods and services.
    #[default]
    Purchase,
    /// 00 with an amount that is estimated: the completion says what it came to.
    Preauthorization,
    /// 01: cash from a machine or a counter.
    Cash,
    /// 09: goods with cash back; the amount has both.
    CashBack,
    /// 11: what is as good as cash.
    QuasiCash,
    /// 20: goods that were given back.
    Refund,
    /// 30 and 31: what the account has. No money moves.
    BalanceInquiry,
    /// 38: what moved on the account lately. No money moves.
    MiniStatement,
    /// 00 for an amount of zero, or 33: whether the card is good. No money moves.
    AccountVerification,
    /// 70 and 92: another PIN. No money moves.
    PinChange,
    /// 72 and 91: the chip's own counter of wrong PINs begins anew. No money moves.
    PinUnblock,
}

/// Where the money of a transaction goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the customer.
    Debit,
    /// To the customer.
    Credit,
    /// Nowhere.
    None,
}

impl TransactionType {
    /// Every one once.
    pub const ALL: [Self; 11] = [
        Self::Purchase,
        Self::Preauthorization,
        Self::Cash,
        Self::CashBack,
        Self::QuasiCash,
        Self::Refund,
        Self::BalanceInquiry,
        Self::MiniStatement,
        Self::AccountVerification,
        Self::PinChange,
        Self::PinUnblock,
    ];

    /// Whether it is a service of the card's PIN.
    #[must_use]
    pub const fn is_of_pin(self) -> bool {
        matches!(self, Self::PinChange | Self::PinUnblock)
    }

    /// Where its money goes.
    #[must_use]
    pub const fn direction(self) -> Direction {
        match self {
            Self::Purchase
            | Self::Preauthorization
            | Self::Cash
            | Self::CashBack
            | Self::QuasiCash => Direction::Debit,
            Self::Refund => Direction::Credit,
            Self::BalanceInquiry
            | Self::MiniStatement
            | Self::AccountVerification
            | Self::PinChange
            | Self::PinUnblock => Direction::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_goes_one_way_at_most() {
        let of = |wanted| {
            TransactionType::ALL.into_iter().filter(move |one| one.direction() == wanted).count()
        };
        assert_eq!((of(Direction::Debit), of(Direction::Credit), of(Direction::None)), (5, 1, 5));
    }
}
