//! The stored shapes of transfers, format 1. They own their tags, as the shapes of records do.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Transfer {
    #[prost(int64, tag = "1")]
    pub(super) id: i64,
    #[prost(int64, tag = "2")]
    pub(super) from: i64,
    #[prost(int64, tag = "3")]
    pub(super) to: i64,
    #[prost(int64, tag = "4")]
    pub(super) partner: i64,
    #[prost(sint64, optional, tag = "5")]
    pub(super) amount: Option<i64>,
    #[prost(uint32, tag = "6")]
    pub(super) currency: u32,
    #[prost(string, tag = "7")]
    pub(super) reference: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TransferReceived {
    #[prost(message, optional, tag = "1")]
    pub(super) transfer: Option<Transfer>,
    #[prost(uint32, tag = "2")]
    pub(super) outcome: u32,
    #[prost(int64, tag = "3")]
    pub(super) settled_below: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TransferClosed {
    #[prost(int64, tag = "1")]
    pub(super) transfer: i64,
    #[prost(int64, tag = "2")]
    pub(super) partner: i64,
    #[prost(uint32, tag = "3")]
    pub(super) outcome: u32,
}
