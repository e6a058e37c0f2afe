//! Transfers between accounts (W-17). It owns the way to the shard's command, and what the tables
//! say of a transfer afterwards; whether money may move is for the shards to say.

use sqlx::Row;
use switch_domain::{
    Amount, AsciiText, BalanceId, Currency, IdempotencyKey, MinorUnits, TransferId, TransferOutcome,
};
use switch_shard::Act;

use super::Services;
use crate::Problem;

/// A transfer to be sent.
#[derive(Clone, Copy, Debug)]
pub struct NewTransfer {
    /// The account that pays.
    pub from: BalanceId,
    /// The account that gets it.
    pub to: BalanceId,
    /// How much, in minor units of the account that pays.
    pub amount: MinorUnits,
    /// The caller's reference.
    pub reference: AsciiText<40>,
}

/// A transfer that was sent.
#[derive(Clone, Debug)]
pub struct SentTransfer {
    /// The account that pays.
    pub from: BalanceId,
    /// The account that gets it.
    pub to: BalanceId,
    /// How much.
    pub amount: Amount,
    /// `None` while it is on its way; `credited`; else why it was given back.
    pub outcome: Option<String>,
}

const FIND: &str =
    "SELECT from_balance, to_balance, amount, currency, outcome FROM transfer WHERE id = $1";

impl Services {
    /// Sends money from one account to another of the same partner. The answer comes when the money
    /// has left the first; it arrives a moment later, or is given back (see `transfer`).
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn send_transfer(
        &self,
        key: IdempotencyKey,
        actor: AsciiText<40>,
        new: NewTransfer,
    ) -> Result<TransferId, Problem> {
        let NewTransfer { from, to, amount, reference } = new;
        // What can be told of the target is filled in by the node.
        let target = TransferOutcome::NoSuchBalance;
        let act = Act::Transfer { from, to, amount, reference, target };
        self.make(key, actor, act).await.map(TransferId)
    }

    /// What became of a transfer.
    ///
    /// # Errors
    /// There is no such transfer; the database.
    pub async fn transfer(&self, id: TransferId) -> Result<SentTransfer, Problem> {
        let row = sqlx::query(FIND).bind(id.0).fetch_optional(self.store.pool()).await?;
        let row = row.ok_or_else(|| Problem::not_found("there is no such transfer"))?;
        let code: i16 = row.try_get("currency")?;
        let currency = u16::try_from(code).ok().and_then(|code| Currency::from_numeric(code).ok());
        let currency = currency.ok_or_else(|| {
            Problem::internal("reading a transfer", &format!("its currency is {code}"))
        })?;
        Ok(SentTransfer {
            from: BalanceId(row.try_get("from_balance")?),
            to: BalanceId(row.try_get("to_balance")?),
            amount: Amount { minor: MinorUnits(row.try_get("amount")?), currency },
            outcome: row.try_get("outcome")?,
        })
    }
}
