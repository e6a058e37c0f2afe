//! Exchange rates, terms for other currencies and conversions, as they are stored: in records, in
//! snapshots, and in the column that holds a conversion whole. It owns those shapes both ways.

use prost::Message;
use switch_domain::{
    Amount, BasisPoints, Conversion, Currency, Event, ExchangeRate, ForeignTerms, Rate, RateSource,
    Timestamp,
};

use super::read::{Read, amount, currency, illegal, narrow, text};
use super::{FormatError, RecordFault};

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Terms {
    #[prost(uint32, tag = "1")]
    markup: u32,
    #[prost(uint32, tag = "2")]
    margin: u32,
    #[prost(bool, tag = "3")]
    marks_up_network: bool,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct StoredRate {
    #[prost(uint64, tag = "1")]
    digits: u64,
    #[prost(uint32, tag = "2")]
    decimals: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Quoted {
    #[prost(uint32, tag = "1")]
    from: u32,
    #[prost(uint32, tag = "2")]
    to: u32,
    #[prost(message, optional, tag = "3")]
    rate: Option<StoredRate>,
    #[prost(string, tag = "4")]
    source: String,
    #[prost(sint64, optional, tag = "5")]
    at: Option<i64>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Pair {
    #[prost(uint32, tag = "1")]
    from: u32,
    #[prost(uint32, tag = "2")]
    to: u32,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct StoredAmount {
    #[prost(sint64, optional, tag = "1")]
    minor: Option<i64>,
    #[prost(uint32, tag = "2")]
    currency: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredConversion {
    #[prost(message, optional, tag = "1")]
    transaction: Option<StoredAmount>,
    #[prost(sint64, optional, tag = "2")]
    billing: Option<i64>,
    #[prost(sint64, optional, tag = "3")]
    held: Option<i64>,
    #[prost(uint32, tag = "4")]
    currency: u32,
    /// 1 where no rate was needed, 2 the network, 3 our table.
    #[prost(uint32, tag = "5")]
    source: u32,
    /// Who quoted the rate of our table, and when.
    #[prost(string, tag = "6")]
    quoted_by: String,
    #[prost(sint64, optional, tag = "7")]
    quoted_at: Option<i64>,
    #[prost(message, optional, tag = "8")]
    rate: Option<StoredRate>,
    #[prost(message, optional, tag = "9")]
    on_top: Option<Terms>,
    #[prost(message, optional, tag = "10")]
    settlement: Option<StoredAmount>,
    #[prost(message, optional, tag = "11")]
    settlement_rate: Option<StoredRate>,
}

/// A conversion as its column holds it.
pub(crate) fn encode_conversion(conversion: &Conversion) -> Vec<u8> {
    write_conversion(conversion).encode_to_vec()
}

/// A conversion from its column.
pub(crate) fn decode_conversion(bytes: &[u8]) -> Result<Box<Conversion>, FormatError> {
    read_conversion(&StoredConversion::decode(bytes)?).map_err(FormatError::Snapshot)
}

pub(super) fn write_terms(terms: ForeignTerms) -> Terms {
    let ForeignTerms { markup, margin, marks_up_network } = terms;
    Terms {
        markup: u32::from(markup.points()),
        margin: u32::from(margin.points()),
        marks_up_network,
    }
}

pub(super) fn read_terms(stored: Terms) -> Read<ForeignTerms> {
    Ok(ForeignTerms {
        markup: points(stored.markup)?,
        margin: points(stored.margin)?,
        marks_up_network: stored.marks_up_network,
    })
}

fn points(stored: u32) -> Read<BasisPoints> {
    let points = BasisPoints::new(narrow("basis points", stored)?);
    points.ok_or_else(|| illegal("basis points", stored))
}

fn write_rate(rate: Rate) -> StoredRate {
    StoredRate { digits: rate.digits(), decimals: u32::from(rate.decimals()) }
}

fn read_rate(stored: StoredRate) -> Read<Rate> {
    let rate = Rate::new(stored.digits, narrow("decimals of a rate", stored.decimals)?);
    rate.map_err(|_| illegal("rate", stored.digits))
}

pub(super) fn write_quoted(rate: &ExchangeRate) -> Quoted {
    Quoted {
        from: u32::from(rate.from.numeric()),
        to: u32::from(rate.to.numeric()),
        rate: Some(write_rate(rate.rate)),
        source: rate.source.to_string(),
        at: Some(rate.at.0),
    }
}

pub(super) fn read_quoted(stored: &Quoted) -> Read<ExchangeRate> {
    Ok(ExchangeRate {
        from: currency(stored.from)?,
        to: currency(stored.to)?,
        rate: read_rate(stored.rate.ok_or(RecordFault::Missing("rate"))?)?,
        source: text("source of a rate", &stored.source)?,
        at: Timestamp(stored.at.ok_or(RecordFault::Missing("time of a rate"))?),
    })
}

pub(super) fn write_pair(from: Currency, to: Currency) -> Pair {
    Pair { from: u32::from(from.numeric()), to: u32::from(to.numeric()) }
}

pub(super) fn read_pair(stored: Pair) -> Read<Event> {
    Ok(Event::RateRemoved { from: currency(stored.from)?, to: currency(stored.to)? })
}

fn write_amount(amount: Amount) -> StoredAmount {
    StoredAmount { minor: Some(amount.minor.0), currency: u32::from(amount.currency.numeric()) }
}

fn read_amount(field: &'static str, stored: StoredAmount) -> Read<Amount> {
    Ok(Amount { minor: amount(field, stored.minor)?, currency: currency(stored.currency)? })
}

pub(super) fn write_conversion(conversion: &Conversion) -> StoredConversion {
    let (source, quoted_by, quoted_at) = match conversion.source {
        RateSource::NotNeeded => (1, String::new(), None),
        RateSource::Network => (2, String::new(), None),
        RateSource::Table { name, at } => (3, name.to_string(), Some(at.0)),
    };
    let Conversion { markup, margin, .. } = *conversion;
    StoredConversion {
        transaction: Some(write_amount(conversion.transaction)),
        billing: Some(conversion.billing.0),
        held: Some(conversion.held.0),
        currency: u32::from(conversion.currency.numeric()),
        source,
        quoted_by,
        quoted_at,
        rate: conversion.rate.map(write_rate),
        on_top: Some(write_terms(ForeignTerms { markup, margin, marks_up_network: false })),
        settlement: conversion.settlement.map(write_amount),
        settlement_rate: conversion.settlement_rate.map(write_rate),
    }
}

pub(super) fn read_conversion(stored: &StoredConversion) -> Read<Box<Conversion>> {
    let source = match stored.source {
        1 => RateSource::NotNeeded,
        2 => RateSource::Network,
        3 => RateSource::Table {
            name: text("source of a rate", &stored.quoted_by)?,
            at: Timestamp(stored.quoted_at.ok_or(RecordFault::Missing("time of a rate"))?),
        },
        other => return Err(illegal("source of a rate", other)),
    };
    let transaction = stored.transaction.ok_or(RecordFault::Missing("transaction amount"))?;
    let on_top = read_terms(stored.on_top.ok_or(RecordFault::Missing("mark-up"))?)?;
    let settlement = stored.settlement.map(|one| read_amount("settlement", one)).transpose()?;
    Ok(Box::new(Conversion {
        transaction: read_amount("transaction", transaction)?,
        billing: amount("billing", stored.billing)?,
        held: amount("held", stored.held)?,
        currency: currency(stored.currency)?,
        source,
        rate: stored.rate.map(read_rate).transpose()?,
        markup: on_top.markup,
        margin: on_top.margin,
        settlement,
        settlement_rate: stored.settlement_rate.map(read_rate).transpose()?,
    }))
}
