//! The stored shapes of format 1: protobuf messages, derived, without a compiler of their own. They
//! own the tags, which are never reused and never change their meaning (W-6). They hold no logic.
//!
//! Amounts are `optional`, so that a missing one is told from zero. Choices are numbers from 1.

use prost::{Message, Oneof};

use super::card_security::{ReferencesChanged, Renewed};
use super::controls::{Control, ControlRemoved, Findings};
use super::conversion::{Pair, Quoted, StoredConversion};
pub(super) use super::effect_shapes::{
    Account, AmountsDelta, AuthorizationDelta, Effects, Posting,
};
use super::evidence::StoredEvidence;
use super::fees::{Charged, FeesSet};
use super::generation::{Estate, Founded, Sealed};
pub(super) use super::issuer_shapes::{Minimum, Partner, Pool, Programme};
use super::outside::LockRefused;
use super::trace::Trace;
pub(super) use super::transfer_shapes::{Transfer, TransferClosed, TransferReceived};

/// What one journal row holds.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Batch {
    #[prost(message, repeated, tag = "1")]
    pub(super) records: Vec<Record>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Record {
    #[prost(sint64, optional, tag = "1")]
    pub(super) at: Option<i64>,
    #[prost(message, optional, tag = "5")]
    pub(super) effects: Option<Effects>,
    #[prost(oneof = "Cause", tags = "2, 3, 4")]
    pub(super) cause: Option<Cause>,
    #[prost(
        oneof = "Event",
        tags = "10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, \
                30, 31, 32, 33, 34, 40, 50, 51, 60, 61, 70, 71"
    )]
    pub(super) event: Option<Event>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Cause {
    #[prost(uint32, tag = "2")]
    Link(u32),
    #[prost(message, tag = "3")]
    Command(Command),
    #[prost(message, tag = "4")]
    Switch(Nothing),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Nothing {}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Command {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) key: Vec<u8>,
    #[prost(string, tag = "2")]
    pub(super) actor: String,
    #[prost(sfixed64, optional, tag = "3")]
    pub(super) digest: Option<i64>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Event {
    #[prost(message, tag = "10")]
    TakenOver(TakenOver),
    #[prost(message, tag = "11")]
    PartnerDefined(Partner),
    #[prost(message, tag = "12")]
    PoolDefined(Pool),
    #[prost(message, tag = "13")]
    ProgrammeDefined(Box<Programme>),
    #[prost(message, tag = "14")]
    PoolReloaded(Referenced),
    #[prost(message, tag = "15")]
    BalanceOpened(BalanceOpened),
    #[prost(message, tag = "16")]
    BalanceStateChanged(StateChanged),
    #[prost(message, tag = "17")]
    BalanceCredited(Referenced),
    #[prost(message, tag = "18")]
    CustomerStateChanged(StateChanged),
    #[prost(message, tag = "19")]
    CardIssued(CardIssued),
    #[prost(message, tag = "20")]
    CardStatusChanged(StateChanged),
    #[prost(message, tag = "21")]
    CardLockChanged(LockChanged),
    #[prost(message, tag = "22")]
    Authorized(Box<Authorized>),
    #[prost(message, tag = "23")]
    Reversed(Box<Reversed>),
    #[prost(message, tag = "24")]
    Voided(Voided),
    #[prost(message, tag = "25")]
    NothingChanged(Nothing),
    #[prost(message, tag = "26")]
    TransferSent(Transfer),
    #[prost(message, tag = "27")]
    TransferReceived(TransferReceived),
    #[prost(message, tag = "28")]
    TransferClosed(TransferClosed),
    #[prost(message, tag = "29")]
    Sealed(Sealed),
    #[prost(message, tag = "30")]
    Founded(Founded),
    #[prost(message, tag = "31")]
    Inherited(Box<Estate>),
    #[prost(message, tag = "32")]
    Expired(Expired),
    #[prost(message, tag = "33")]
    CardReferencesChanged(ReferencesChanged),
    #[prost(message, tag = "34")]
    CardRenewed(Renewed),
    #[prost(message, tag = "40")]
    LockRefused(LockRefused),
    #[prost(message, tag = "50")]
    ControlDefined(Box<Control>),
    #[prost(message, tag = "51")]
    ControlRemoved(ControlRemoved),
    #[prost(message, tag = "60")]
    RateSet(Quoted),
    #[prost(message, tag = "61")]
    RateRemoved(Pair),
    #[prost(message, tag = "70")]
    FeesSet(FeesSet),
    #[prost(message, tag = "71")]
    FeeCharged(Charged),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TakenOver {
    #[prost(uint32, tag = "1")]
    pub(super) shard: u32,
    #[prost(int64, tag = "2")]
    pub(super) epoch: i64,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) owner: Vec<u8>,
    #[prost(uint32, tag = "4")]
    pub(super) shards: u32,
}

/// A pool or balance got money under somebody's reference.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Referenced {
    #[prost(int64, tag = "1")]
    pub(super) id: i64,
    #[prost(string, tag = "2")]
    pub(super) reference: String,
}

/// A balance, customer or card has another state from now on.
#[derive(Clone, PartialEq, Message)]
pub(super) struct StateChanged {
    #[prost(int64, tag = "1")]
    pub(super) id: i64,
    #[prost(uint32, tag = "2")]
    pub(super) state: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct LockChanged {
    #[prost(int64, tag = "1")]
    pub(super) card: i64,
    /// The seed's lock number; absent where the card was unlocked.
    #[prost(uint32, optional, tag = "2")]
    pub(super) lock: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct BalanceOpened {
    #[prost(int64, tag = "1")]
    pub(super) balance: i64,
    #[prost(int64, tag = "2")]
    pub(super) programme: i64,
    #[prost(int64, tag = "3")]
    pub(super) partner: i64,
    #[prost(int64, tag = "4")]
    pub(super) customer: i64,
    #[prost(uint32, tag = "5")]
    pub(super) currency: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct CardIssued {
    #[prost(int64, tag = "1")]
    pub(super) card: i64,
    #[prost(int64, tag = "2")]
    pub(super) balance: i64,
    #[prost(int64, tag = "3")]
    pub(super) programme: i64,
    #[prost(int64, tag = "4")]
    pub(super) partner: i64,
    #[prost(int64, tag = "5")]
    pub(super) vault_row: i64,
    #[prost(int32, tag = "6")]
    pub(super) vault_version: i32,
    /// YYMM.
    #[prost(uint32, tag = "7")]
    pub(super) expiry: u32,
    #[prost(uint32, tag = "8")]
    pub(super) status: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Authorized {
    #[prost(int64, tag = "1")]
    pub(super) id: i64,
    #[prost(message, optional, tag = "2")]
    pub(super) facts: Option<Facts>,
    #[prost(int64, optional, tag = "3")]
    pub(super) card: Option<i64>,
    #[prost(int64, optional, tag = "4")]
    pub(super) balance: Option<i64>,
    #[prost(int64, optional, tag = "5")]
    pub(super) partner: Option<i64>,
    #[prost(int64, optional, tag = "6")]
    pub(super) pool: Option<i64>,
    #[prost(sint64, optional, tag = "7")]
    pub(super) requested: Option<i64>,
    #[prost(uint32, tag = "8")]
    pub(super) currency: u32,
    /// The reason's stable name.
    #[prost(string, tag = "9")]
    pub(super) reason: String,
    #[prost(string, optional, tag = "10")]
    pub(super) approval_code: Option<String>,
    #[prost(uint32, tag = "11")]
    pub(super) approvals: u32,
    #[prost(bool, tag = "12")]
    pub(super) reversed_before: bool,
    /// What an advice came to; 0 for a request.
    #[prost(uint32, tag = "13")]
    pub(super) stand_in: u32,
    /// The reason that belongs to it, if any: its stable name.
    #[prost(string, tag = "14")]
    pub(super) would_be: String,
    /// The authorization that it completes.
    #[prost(message, optional, tag = "15")]
    pub(super) completes: Option<Completed>,
    /// What decided, where it was not simply granted. 17 is kept for it as well.
    #[prost(message, optional, tag = "16")]
    pub(super) trace: Option<Trace>,
    /// How it was converted, where it was.
    #[prost(message, optional, tag = "18")]
    pub(super) conversion: Option<StoredConversion>,
    /// What was granted, where that is not just what was asked for.
    #[prost(message, optional, tag = "19")]
    pub(super) portion: Option<Portion>,
    /// What was found out about card and holder.
    #[prost(message, optional, tag = "20")]
    pub(super) evidence: Option<StoredEvidence>,
    /// What was answered instead of the reason: its stable name; empty where that itself was.
    #[prost(string, tag = "21")]
    pub(super) answered: String,
    /// What spend controls said, where there was anything to say.
    #[prost(message, optional, tag = "30")]
    pub(super) findings: Option<Findings>,
}

/// An approved amount, and the fee on top.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Portion {
    #[prost(sint64, optional, tag = "1")]
    pub(super) approved: Option<i64>,
    #[prost(sint64, optional, tag = "2")]
    pub(super) fee: Option<i64>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Completed {
    #[prost(int64, tag = "1")]
    pub(super) authorization: i64,
    #[prost(sint64, optional, tag = "2")]
    pub(super) decided_at: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Reversed {
    #[prost(int64, tag = "1")]
    pub(super) id: i64,
    #[prost(message, optional, tag = "2")]
    pub(super) key: Option<Key>,
    #[prost(message, optional, tag = "3")]
    pub(super) reference: Option<Reference>,
    #[prost(int64, optional, tag = "4")]
    pub(super) original: Option<i64>,
    #[prost(int64, optional, tag = "5")]
    pub(super) partner: Option<i64>,
    #[prost(string, tag = "6")]
    pub(super) reason: String,
    /// Left out where all is reversed.
    #[prost(sint64, tag = "7")]
    pub(super) standing: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Voided {
    #[prost(int64, tag = "1")]
    pub(super) authorization: i64,
    #[prost(string, tag = "2")]
    pub(super) reason: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Expired {
    #[prost(int64, tag = "1")]
    pub(super) authorization: i64,
    #[prost(int64, optional, tag = "2")]
    pub(super) partner: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Facts {
    #[prost(message, optional, tag = "1")]
    pub(super) key: Option<Key>,
    #[prost(uint64, tag = "2")]
    pub(super) transmitted: u64,
    #[prost(uint32, tag = "3")]
    pub(super) channel: u32,
    #[prost(uint32, tag = "4")]
    pub(super) entry: u32,
    #[prost(uint32, tag = "5")]
    pub(super) category: u32,
    #[prost(string, tag = "6")]
    pub(super) merchant: String,
    /// 0 for a purchase.
    #[prost(uint32, tag = "7")]
    pub(super) kind: u32,
    /// By its number; 0 where the message does not say it.
    #[prost(uint32, tag = "20")]
    pub(super) country: u32,
    /// By what the network links the messages of its transaction; empty where it has none.
    #[prost(string, tag = "8")]
    pub(super) network_trace: String,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Acquirer {
    #[prost(string, tag = "1")]
    Institution(String),
    #[prost(uint32, tag = "2")]
    Link(u32),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Key {
    #[prost(oneof = "Acquirer", tags = "1, 2")]
    pub(super) acquirer: Option<Acquirer>,
    #[prost(uint32, tag = "3")]
    pub(super) class: u32,
    #[prost(uint64, tag = "4")]
    pub(super) stan: u64,
    #[prost(uint64, tag = "5")]
    pub(super) local_time: u64,
    #[prost(string, tag = "6")]
    pub(super) terminal: String,
    #[prost(string, tag = "7")]
    pub(super) rrn: String,
    #[prost(bytes = "vec", tag = "8")]
    pub(super) card: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Reference {
    #[prost(oneof = "Acquirer", tags = "1, 2")]
    pub(super) acquirer: Option<Acquirer>,
    #[prost(uint64, tag = "3")]
    pub(super) stan: u64,
    #[prost(string, tag = "4")]
    pub(super) terminal: String,
    #[prost(bytes = "vec", tag = "5")]
    pub(super) card: Vec<u8>,
    #[prost(uint64, tag = "6")]
    pub(super) transmitted: u64,
    #[prost(string, tag = "7")]
    pub(super) rrn: String,
    /// 0 where the original is not named by its type.
    #[prost(uint32, tag = "8")]
    pub(super) class: u32,
    /// The same of the transaction that it speaks of.
    #[prost(string, tag = "9")]
    pub(super) network_trace: String,
}
