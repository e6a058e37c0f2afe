//! Any exchange rate, terms for other currencies and conversion that the domain can express.

use proptest::option;
use proptest::prelude::*;
use switch_domain::{
    Amount, BasisPoints, Conversion, Currency, Event, ExchangeRate, ForeignTerms, MinorUnits, Rate,
    RateSource, Timestamp,
};

use crate::arbitrary::{amount, currency, text};

fn rate() -> impl Strategy<Value = Rate> {
    let parts = (1_u64..=9_999_999_999, 0_u8..=12);
    parts.prop_map(|(digits, decimals)| Rate::new(digits, decimals).expect("a rate"))
}

fn points() -> impl Strategy<Value = BasisPoints> {
    (0_u16..=10_000).prop_map(|points| BasisPoints::new(points).expect("at most the whole"))
}

pub(crate) fn terms() -> impl Strategy<Value = ForeignTerms> {
    (points(), points(), any::<bool>()).prop_map(|(markup, margin, marks_up_network)| {
        ForeignTerms { markup, margin, marks_up_network }
    })
}

pub(crate) fn events() -> impl Strategy<Value = Event> {
    let set = (currency(), currency(), rate(), text(), any::<i64>()).prop_map(
        |(from, to, rate, source, at)| {
            Event::RateSet(Box::new(ExchangeRate { from, to, rate, source, at: Timestamp(at) }))
        },
    );
    let removed = (currency(), currency()).prop_map(|(from, to)| Event::RateRemoved { from, to });
    prop_oneof![set, removed]
}

fn source() -> impl Strategy<Value = RateSource> {
    prop_oneof![
        Just(RateSource::NotNeeded),
        Just(RateSource::Network),
        (text(), any::<i64>()).prop_map(|(name, at)| RateSource::Table { name, at: Timestamp(at) }),
    ]
}

fn sum() -> impl Strategy<Value = Amount> {
    (amount(), currency()).prop_map(|(minor, currency)| Amount { minor, currency })
}

pub(crate) fn conversion() -> impl Strategy<Value = Box<Conversion>> {
    let amounts = (sum(), any::<[i64; 2]>(), currency());
    let how = (source(), option::of(rate()), points(), points());
    let settled = (option::of(sum()), option::of(rate()));
    (amounts, how, settled).prop_map(
        |((transaction, [billing, held], currency), how, (settlement, settlement_rate))| {
            let (source, rate, markup, margin) = how;
            let currency: Currency = currency;
            Box::new(Conversion {
                transaction,
                billing: MinorUnits(billing),
                held: MinorUnits(held),
                currency,
                source,
                rate,
                markup,
                margin,
                settlement,
                settlement_rate,
            })
        },
    )
}
