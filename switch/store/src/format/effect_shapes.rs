//! The stored shapes of what a record does to money and to limits, format 1. They own their tags,
//! as the shapes of records do, and hold no logic.

use prost::{Message, Oneof};

use super::card_security::Counters;
use super::controls::StoredUsageDelta;
use super::fees::StoredFeeEffect;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Effects {
    #[prost(message, optional, tag = "1")]
    pub(super) authorization: Option<AuthorizationDelta>,
    #[prost(message, optional, tag = "2")]
    pub(super) balance: Option<AmountsDelta>,
    #[prost(message, optional, tag = "3")]
    pub(super) pool: Option<AmountsDelta>,
    #[prost(message, repeated, tag = "4")]
    pub(super) postings: Vec<Posting>,
    #[prost(message, optional, tag = "5")]
    pub(super) completed: Option<AuthorizationDelta>,
    #[prost(message, repeated, tag = "10")]
    pub(super) usage: Vec<StoredUsageDelta>,
    #[prost(message, optional, tag = "20")]
    pub(super) counters: Option<Counters>,
    #[prost(message, optional, tag = "30")]
    pub(super) fees: Option<StoredFeeEffect>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct AuthorizationDelta {
    #[prost(int64, tag = "1")]
    pub(super) authorization: i64,
    #[prost(sint64, optional, tag = "2")]
    pub(super) authorized: Option<i64>,
    #[prost(sint64, optional, tag = "3")]
    pub(super) incremented: Option<i64>,
    #[prost(sint64, optional, tag = "4")]
    pub(super) reversed: Option<i64>,
    #[prost(sint64, optional, tag = "5")]
    pub(super) cleared: Option<i64>,
    #[prost(sint64, optional, tag = "6")]
    pub(super) refunded: Option<i64>,
    #[prost(bool, tag = "7")]
    pub(super) closes: bool,
    #[prost(sint64, optional, tag = "8")]
    pub(super) decided_at: Option<i64>,
}

/// Change of a balance (ledger, held) or of a pool share (level, held).
#[derive(Clone, PartialEq, Message)]
pub(super) struct AmountsDelta {
    #[prost(int64, tag = "1")]
    pub(super) id: i64,
    #[prost(sint64, optional, tag = "2")]
    pub(super) level: Option<i64>,
    #[prost(sint64, optional, tag = "3")]
    pub(super) held: Option<i64>,
}

#[derive(Clone, Copy, PartialEq, Oneof)]
pub(super) enum Account {
    #[prost(int64, tag = "1")]
    Balance(i64),
    #[prost(int64, tag = "2")]
    Pool(i64),
    #[prost(int64, tag = "3")]
    SettlementBank(i64),
    #[prost(int64, tag = "4")]
    Memorandum(i64),
    #[prost(int64, tag = "7")]
    InTransit(i64),
    #[prost(int64, tag = "8")]
    NetworkSettlement(i64),
    #[prost(int64, tag = "9")]
    FeeIncome(i64),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Posting {
    #[prost(oneof = "Account", tags = "1, 2, 3, 4, 7, 8, 9")]
    pub(super) account: Option<Account>,
    #[prost(sint64, optional, tag = "5")]
    pub(super) amount: Option<i64>,
    #[prost(uint32, tag = "6")]
    pub(super) currency: u32,
}
