//! The stored shapes of a snapshot, format 1: what a shard is after some row, without history.
//! They own their tags, as the shapes of records do; they hold no logic and no secrets.

use prost::Message;

use super::card_security::{Counters, References};
use super::controls::{Control, StoredCounted, StoredUsage};
use super::conversion::{Quoted, StoredConversion};
use super::fees::{FeesSet, Totals as FeeTotals};
use super::shapes::{
    AmountsDelta, Facts, Partner, Pool, Portion, Programme, StateChanged, Transfer,
};

#[derive(Clone, PartialEq, Message)]
pub(super) struct Snapshot {
    #[prost(uint32, tag = "1")]
    pub(super) shard: u32,
    #[prost(int64, tag = "2")]
    pub(super) seq: i64,
    #[prost(uint64, tag = "3")]
    pub(super) last_counter: u64,
    #[prost(sint64, optional, tag = "4")]
    pub(super) last_decided: Option<i64>,
    #[prost(uint64, tag = "5")]
    pub(super) control_version: u64,
    #[prost(message, repeated, tag = "6")]
    pub(super) partners: Vec<Partner>,
    #[prost(message, repeated, tag = "7")]
    pub(super) pools: Vec<Pool>,
    #[prost(message, repeated, tag = "8")]
    pub(super) programmes: Vec<Programme>,
    #[prost(message, repeated, tag = "9")]
    pub(super) balances: Vec<Balance>,
    #[prost(message, repeated, tag = "10")]
    pub(super) customers: Vec<StateChanged>,
    #[prost(message, repeated, tag = "11")]
    pub(super) cards: Vec<Card>,
    /// Level and held of each share.
    #[prost(message, repeated, tag = "12")]
    pub(super) shares: Vec<AmountsDelta>,
    /// Those that hold something.
    #[prost(message, repeated, tag = "13")]
    pub(super) authorizations: Vec<Authorization>,
    /// Those that are not closed.
    #[prost(message, repeated, tag = "14")]
    pub(super) transfers: Vec<Transfer>,
    /// What was said to those of others.
    #[prost(message, repeated, tag = "15")]
    pub(super) received: Vec<StateChanged>,
    /// Spend controls: of programmes in the control shard, of cards and accounts in the others.
    #[prost(message, repeated, tag = "20")]
    pub(super) controls: Vec<Control>,
    /// What was used of limits.
    #[prost(message, repeated, tag = "21")]
    pub(super) usage: Vec<StoredUsage>,
    /// Exchange rates in force.
    #[prost(message, repeated, tag = "22")]
    pub(super) rates: Vec<Quoted>,
    /// What is counted of cards.
    #[prost(message, repeated, tag = "23")]
    pub(super) counters: Vec<Counters>,
    /// Schedules of fees in force.
    #[prost(message, repeated, tag = "24")]
    pub(super) fees: Vec<FeesSet>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Balance {
    #[prost(int64, tag = "1")]
    pub(super) id: i64,
    #[prost(int64, tag = "2")]
    pub(super) programme: i64,
    #[prost(int64, tag = "3")]
    pub(super) partner: i64,
    #[prost(int64, tag = "4")]
    pub(super) customer: i64,
    #[prost(uint32, tag = "5")]
    pub(super) currency: u32,
    #[prost(uint32, tag = "6")]
    pub(super) state: u32,
    #[prost(sint64, optional, tag = "7")]
    pub(super) ledger: Option<i64>,
    #[prost(sint64, optional, tag = "8")]
    pub(super) held: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Card {
    #[prost(int64, tag = "1")]
    pub(super) id: i64,
    #[prost(int64, tag = "2")]
    pub(super) balance: i64,
    #[prost(int64, tag = "3")]
    pub(super) programme: i64,
    #[prost(int64, tag = "4")]
    pub(super) vault_row: i64,
    #[prost(int32, tag = "5")]
    pub(super) vault_version: i32,
    #[prost(uint32, tag = "6")]
    pub(super) expiry: u32,
    #[prost(uint32, tag = "7")]
    pub(super) status: u32,
    #[prost(uint32, optional, tag = "8")]
    pub(super) lock: Option<u32>,
    #[prost(uint32, tag = "9")]
    pub(super) approvals: u32,
    /// What its values are compared with, where anything was set.
    #[prost(message, optional, tag = "20")]
    pub(super) references: Option<References>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Authorization {
    #[prost(int64, tag = "1")]
    pub(super) id: i64,
    #[prost(message, optional, tag = "2")]
    pub(super) facts: Option<Facts>,
    #[prost(int64, optional, tag = "3")]
    pub(super) card: Option<i64>,
    #[prost(int64, optional, tag = "4")]
    pub(super) balance: Option<i64>,
    #[prost(int64, optional, tag = "5")]
    pub(super) pool: Option<i64>,
    #[prost(uint32, tag = "6")]
    pub(super) currency: u32,
    #[prost(sint64, optional, tag = "7")]
    pub(super) requested: Option<i64>,
    #[prost(string, tag = "8")]
    pub(super) reason: String,
    #[prost(string, optional, tag = "9")]
    pub(super) approval_code: Option<String>,
    #[prost(sint64, optional, tag = "10")]
    pub(super) authorized: Option<i64>,
    #[prost(sint64, optional, tag = "11")]
    pub(super) incremented: Option<i64>,
    #[prost(sint64, optional, tag = "12")]
    pub(super) reversed: Option<i64>,
    #[prost(sint64, optional, tag = "13")]
    pub(super) cleared: Option<i64>,
    #[prost(sint64, optional, tag = "14")]
    pub(super) refunded: Option<i64>,
    #[prost(sint64, optional, tag = "15")]
    pub(super) decided_at: Option<i64>,
    /// What an advice came to; 0 for a request.
    #[prost(uint32, tag = "16")]
    pub(super) stand_in: u32,
    /// The reason that belongs to it, if any: its stable name.
    #[prost(string, tag = "17")]
    pub(super) would_be: String,
    /// How it was converted, where it was.
    #[prost(message, optional, tag = "18")]
    pub(super) conversion: Option<StoredConversion>,
    /// What was granted, where that is not just what was asked for.
    #[prost(message, optional, tag = "19")]
    pub(super) portion: Option<Portion>,
    /// What was answered instead of the reason.
    #[prost(string, tag = "20")]
    pub(super) answered: String,
    /// Where it counts towards limits.
    #[prost(message, repeated, tag = "30")]
    pub(super) counted: Vec<StoredCounted>,
    /// Where its fees stand.
    #[prost(message, optional, tag = "31")]
    pub(super) fees: Option<FeeTotals>,
}
