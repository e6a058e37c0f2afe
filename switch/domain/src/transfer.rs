//! Transfers from one account to another, which may be in another shard (W-17). It owns their
//! shape and the words for how they end; where the money is meanwhile is for records to say.

use crate::{Amount, AsciiText, BalanceId, PartnerId, TransferId};

/// Money on its way from one account to another: what the record of its debit says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Its name, minted by the shard of the account that pays: the target knows it again by this.
    pub id: TransferId,
    /// The account that pays.
    pub from: BalanceId,
    /// The account that gets it.
    pub to: BalanceId,
    /// The institution of both.
    pub partner: PartnerId,
    /// How much; above zero.
    pub amount: Amount,
    /// The caller's reference.
    pub reference: AsciiText<40>,
}

/// What the target said to a transfer. Everything but the first gives the money back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TransferOutcome {
    /// The money is there.
    #[error("the receiving balance was credited")]
    Credited,
    /// No such account.
    #[error("there is no such balance to transfer to")]
    NoSuchBalance,
    /// The account is closed.
    #[error("the receiving balance is closed")]
    BalanceClosed,
    /// The account is blocked.
    #[error("the receiving balance is blocked")]
    BalanceBlocked,
    /// The account has another currency.
    #[error("the two balances are of different currencies")]
    OtherCurrency,
    /// The account is of another institution.
    #[error("the two balances are of different partners")]
    OtherPartner,
    /// One of the two is a memorandum of money that the partner holds, and the other is not.
    #[error("the two balances are funded differently: one by a deposit, one by credit")]
    OtherFunding,
    /// The sum would pass the range of amounts.
    #[error("the receiving balance cannot hold so much")]
    AmountTooLarge,
}

impl TransferOutcome {
    /// Whether the money arrived.
    #[must_use]
    pub const fn is_credited(self) -> bool {
        matches!(self, Self::Credited)
    }
}

/// A transfer was answered by the shard of the account that gets it: credited, or refused for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferReceived {
    /// The transfer.
    pub transfer: Transfer,
    /// What became of it.
    pub outcome: TransferOutcome,
    /// Everything that the source minted before this is closed there: it will not come again, and
    /// the target need not know it any longer.
    pub settled_below: TransferId,
}
