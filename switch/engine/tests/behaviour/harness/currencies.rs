//! Rows about currencies: `rate`, `no-rate`, `foreign`, `domestic`, and `converted`, what became of
//! an amount.

use switch_domain::{
    Amount, AsciiText, BasisPoints, ExchangeRate, ForeignTerms, NetworkAmounts, RateSource,
    Timestamp,
};
use switch_engine::Act;

use super::row::Row;
use super::{CARDS, CONTROL, World, currency, expect_equal, minor_units};

const HOUR: i64 = 3_600 * 1_000_000;

impl World {
    /// `rate USD EUR 0.9234 [by SOURCE] [aged HOURS]`, `no-rate USD EUR`,
    /// `foreign PROGRAMME MARKUP MARGIN [billed too]`, `domestic PROGRAMME`.
    pub(super) fn currencies(&mut self, row: &Row<'_>) {
        let first = row.word("a currency or a programme");
        let act = match row.verb {
            "rate" => {
                let (from, to) = (currency(first), currency(row.word("a currency")));
                let source = row.option("by").unwrap_or("ECB");
                let age: i64 = row.number_option("aged").unwrap_or(0);
                Act::SetRate(ExchangeRate {
                    from,
                    to,
                    rate: row.parsed(row.word("a rate")),
                    source: AsciiText::new(source.as_bytes()).expect("short"),
                    at: Timestamp(self.cluster.now.0 - age * HOUR),
                })
            }
            "no-rate" => {
                Act::RemoveRate { from: currency(first), to: currency(row.word("a currency")) }
            }
            _ => {
                let (programme, _) = self.names.programme(row, first);
                let terms = (row.verb == "foreign").then(|| {
                    let points = |what| BasisPoints::new(row.parsed(row.word(what)));
                    ForeignTerms {
                        markup: points("a mark-up").expect("points"),
                        margin: points("a margin").expect("points"),
                        marks_up_network: row.option("billed") == Some("too"),
                    }
                });
                Act::SetForeignTerms { programme, terms }
            }
        };
        self.manage(row, CONTROL, act);
    }

    /// `converted LABEL BILLING HELD SOURCE`; `converted LABEL no` where it was not.
    pub(super) fn look_at_conversion(&self, row: &Row<'_>) {
        let label = row.word("an authorization");
        let Some(id) = self.names.authorizations.get(label) else { row.fail("no such message") };
        let found = self.cluster.states[CARDS].authorization(*id);
        let Some(one) = found else { row.fail("it is not remembered") };
        let billing = row.word("an amount, or no");
        let Some(done) = one.conversion.as_deref() else {
            return expect_equal(row, &"no", &billing);
        };
        let next = |text| minor_units(row, text, done.currency);
        let expected = (next(billing), next(row.word("an amount")), row.word("a source"));
        let source = match &done.source {
            RateSource::NotNeeded => "none",
            RateSource::Network => "network",
            RateSource::Table { name, .. } => name.as_str(),
        };
        expect_equal(row, &(done.billing, done.held, source), &expected);
    }
}

/// `[billed 9.23EUR] [settled 9.30USD]`
pub(super) fn network_amounts(row: &Row<'_>) -> Option<Box<NetworkAmounts>> {
    let amount = |option| {
        let text = row.option(option)?;
        let (number, letters) = text.split_at(text.len().saturating_sub(3));
        let currency = currency(letters);
        Some(Amount { minor: minor_units(row, number, currency), currency })
    };
    let (billing, settlement) = (amount("billed"), amount("settled"));
    let any = billing.is_some() || settlement.is_some();
    any.then(|| Box::new(NetworkAmounts { billing, settlement, ..NetworkAmounts::default() }))
}
