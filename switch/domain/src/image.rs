//! A shard's state as the tables have it, on the way from store to engine. It owns nothing but the
//! shape: which rows make up a shard, and how far each has got (W-23).

use crate::{
    AnsweredReversal, Authorization, Balance, Card, CardCounters, CardId, Control, ControlId,
    CustomerId, CustomerState, DoneCommand, Fingerprint, PoolId, PoolShare, Seq, ShardId,
    SpendControl, Timestamp, Transfer, TransferId, TransferOutcome, Usage,
};

/// All rows of one shard.
#[derive(Clone, Debug)]
pub struct ShardImage {
    /// Whose rows.
    pub shard: ShardId,
    /// Every record up to here is in the rows; replay goes on after it.
    pub projected: Seq,
    /// Highest counter in any identifier that the shard minted.
    pub last_counter: u64,
    /// Time of the last projected record.
    pub last_decided: Timestamp,
    /// Partners, pools and programmes; empty but for the control shard.
    pub control: Control,
    /// Accounts.
    pub balances: Vec<Balance>,
    /// Customers whose state is not the default.
    pub customers: Vec<(CustomerId, CustomerState)>,
    /// Cards, with the keyed hash of each number from the vault.
    pub cards: Vec<(Card, Fingerprint)>,
    /// Spend controls of cards and accounts.
    pub spend_controls: Vec<SpendControl>,
    /// What was used of limits, by control and holder.
    pub usage: Vec<((ControlId, i64), Usage)>,
    /// What was counted of cards.
    pub counters: Vec<(CardId, CardCounters)>,
    /// Shares of pools.
    pub shares: Vec<(PoolId, PoolShare)>,
    /// Transfers of its own that are not closed, by their identifiers.
    pub transfers: Vec<Transfer>,
    /// What it said to transfers of others that are not known to be closed, by their identifiers.
    pub received: Vec<(TransferId, TransferOutcome)>,
    /// The latest authorizations, as far back as the repeat window and its limit go.
    pub authorizations: Vec<Authorization>,
    /// True when the shard never had any other authorization, reversal or command.
    pub complete: bool,
    /// The latest reversals, as far back.
    pub reversals: Vec<AnsweredReversal>,
    /// The latest commands, as far back.
    pub commands: Vec<DoneCommand>,
}

impl ShardImage {
    /// A shard that nothing has happened in.
    #[must_use]
    pub fn empty(shard: ShardId) -> Self {
        Self {
            shard,
            projected: Seq::NONE,
            last_counter: 0,
            last_decided: Timestamp::default(),
            control: Control::default(),
            balances: Vec::new(),
            customers: Vec::new(),
            cards: Vec::new(),
            spend_controls: Vec::new(),
            usage: Vec::new(),
            counters: Vec::new(),
            shares: Vec::new(),
            transfers: Vec::new(),
            received: Vec::new(),
            authorizations: Vec::new(),
            complete: true,
            reversals: Vec::new(),
            commands: Vec::new(),
        }
    }
}
