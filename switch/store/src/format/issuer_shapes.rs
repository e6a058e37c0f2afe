//! The stored shapes of what an issuer sets up before any card spends: partners, pools, programmes.
//! They own their tags, as all shapes of format 1 do, and hold no logic.

use prost::Message;

use super::card_security;
use super::conversion::Terms;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Partner {
    #[prost(int64, tag = "1")]
    pub(super) id: i64,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(uint32, tag = "3")]
    pub(super) state: u32,
    /// From which amount on a part of a purchase is approved, by currency.
    #[prost(message, repeated, tag = "4")]
    pub(super) partial_minimums: Vec<Minimum>,
}

/// The least amount of a currency.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Minimum {
    #[prost(uint32, tag = "1")]
    pub(super) currency: u32,
    #[prost(sint64, optional, tag = "2")]
    pub(super) minor: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Pool {
    #[prost(int64, tag = "1")]
    pub(super) id: i64,
    #[prost(int64, tag = "2")]
    pub(super) partner: i64,
    #[prost(uint32, tag = "3")]
    pub(super) kind: u32,
    #[prost(uint32, tag = "4")]
    pub(super) currency: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Programme {
    #[prost(int64, tag = "1")]
    pub(super) id: i64,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(int64, tag = "3")]
    pub(super) partner: i64,
    #[prost(uint32, tag = "4")]
    pub(super) bin_low: u32,
    #[prost(uint32, tag = "5")]
    pub(super) bin_high: u32,
    #[prost(uint32, tag = "6")]
    pub(super) pan_length: u32,
    #[prost(uint32, tag = "7")]
    pub(super) currency: u32,
    /// The same numbers as a pool's kind.
    #[prost(uint32, tag = "8")]
    pub(super) funding: u32,
    #[prost(int64, tag = "9")]
    pub(super) pool: i64,
    /// Absent where amounts in other currencies are declined.
    #[prost(message, optional, tag = "18")]
    pub(super) foreign: Option<Terms>,
    /// Absent where cards are not verified.
    #[prost(message, optional, tag = "20")]
    pub(super) security: Option<card_security::Terms>,
}
