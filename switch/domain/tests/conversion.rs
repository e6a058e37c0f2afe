//! The conversion of amounts: every row of the table in `docs/currency.md`, worked out by hand, and
//! any amount at all against the same formula written with digits on paper.

use proptest::prelude::*;
use switch_domain::{
    Amount, AsciiText, BasisPoints, Conversion, Currency, MinorUnits, Rate, RateSource, Timestamp,
};

const DOCUMENT: &str = include_str!("../../../docs/currency.md");

fn currency(letters: &str) -> Currency {
    Currency::from_alphabetic(letters).expect("a currency of the standard")
}

/// `12.50 EUR`, with as many decimals as the currency has.
fn amount(text: &str) -> Amount {
    let (number, letters) = text.split_once(' ').expect("a number and a currency");
    let currency = currency(letters);
    let decimals = number.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    assert_eq!(decimals, usize::from(currency.exponent()), "{text}");
    let minor = number.replace('.', "").parse().expect("digits");
    Amount { minor: MinorUnits(minor), currency }
}

fn points(text: &str) -> BasisPoints {
    points_of(text.parse().expect("basis points"))
}

fn points_of(points: u16) -> BasisPoints {
    BasisPoints::new(points).expect("at most the whole")
}

fn by_table(transaction: Amount, to: Currency, rate: Rate, on_top: [u16; 2]) -> Option<Conversion> {
    let source = RateSource::Table { name: AsciiText::EMPTY, at: Timestamp(0) };
    Conversion::by_rate(transaction, to, rate, source, on_top.map(points_of)).ok()
}

#[test]
fn every_row_of_the_table_comes_out_to_the_minor_unit() {
    let mut exponents = [0; 5];
    let (mut rows, mut of_network, mut marked_up, mut past) = (0, 0, 0, 0);
    let (_, table) = DOCUMENT.split_once("## The table").expect("it has one");
    for line in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [transaction, to, rate, markup, margin, billing, held] = cells[..] else {
            panic!("seven cells: {line}");
        };
        let transaction = amount(transaction.trim_matches('`'));
        let on_top = [points(markup), points(margin)];
        let done = if rate == "network" {
            of_network += 1;
            Conversion::by_network(transaction, amount(to), None, on_top)
        } else {
            let rate = rate.parse().expect("a rate");
            let source = RateSource::Table { name: AsciiText::EMPTY, at: Timestamp(0) };
            Conversion::by_rate(transaction, currency(to), rate, source, on_top)
        };
        rows += 1;
        exponents[usize::from(transaction.currency.exponent())] += 1;
        marked_up += usize::from(on_top[0] > BasisPoints::ZERO);
        if billing == "past the range" {
            past += 1;
            assert!(done.is_err(), "{line}");
            continue;
        }
        let done = done.expect(line);
        let show = |minor| Amount { minor, currency: done.currency }.to_string();
        assert_eq!((show(done.billing), show(done.held)), (billing.into(), held.into()), "{line}");
        assert_eq!(done.of_part(transaction.minor), whole_of(&done), "{line}");
        assert_eq!(done.of_part(MinorUnits::ZERO), MinorUnits::ZERO);
    }
    assert!(rows >= 60, "{rows} rows");
    assert!([0, 2, 3, 4].iter().all(|exponent| exponents[*exponent] > 0), "{exponents:?}");
    assert!(of_network >= 8 && marked_up >= 12 && past >= 3);
}

/// All that is held, for the whole of something; for nothing, nothing.
fn whole_of(done: &Conversion) -> MinorUnits {
    if done.transaction.minor.is_zero() { MinorUnits::ZERO } else { done.held }
}

#[test]
fn amounts_below_zero_round_away_from_zero_too() {
    let rate: Rate = "0.5".parse().expect("a rate");
    for (minor, expected) in [(-1, -1), (-3, -2), (-4, -2), (-5, -3), (0, 0)] {
        let transaction = Amount { minor: MinorUnits(minor), currency: currency("USD") };
        let done = by_table(transaction, currency("EUR"), rate, [0, 0]).expect("in range");
        assert_eq!(done.billing, MinorUnits(expected), "{minor}");
    }
}

#[test]
fn a_part_of_what_the_network_converted_is_in_proportion() {
    let billing = amount("92.35 EUR");
    let on_top = [points_of(0), points_of(300)];
    let done = Conversion::by_network(amount("100.00 USD"), billing, None, on_top);
    let done = done.expect("in range");
    assert_eq!(done.held, MinorUnits(9_512));
    for (part, expected) in [(0, 0), (1, 1), (2_500, 2_378), (5_000, 4_756), (9_999, 9_511)] {
        assert_eq!(done.of_part(MinorUnits(part)), MinorUnits(expected), "{part}");
    }
    assert_eq!(done.of_part(MinorUnits(10_000)), done.held);
    assert_eq!(done.of_part(MinorUnits(20_000)), MinorUnits(19_024));
    assert_eq!(done.of_part(MinorUnits(i64::MAX)), MinorUnits(8_773_271_481_456_262_748));
    let dear = Conversion::by_network(amount("1 JPY"), billing, None, on_top).expect("in range");
    assert_eq!(dear.of_part(MinorUnits(i64::MAX)), MinorUnits(i64::MAX));
    assert_eq!(done.of_part(MinorUnits(-1)), MinorUnits::ZERO);
}

/// A number on paper: its digits, the last first.
struct Paper(Vec<u8>);

impl Paper {
    fn of(number: u64) -> Self {
        Self(number.to_string().bytes().rev().map(|digit| digit - b'0').collect())
    }

    /// Multiplication by hand: digit by digit, carrying.
    fn times(&self, other: &Self) -> Self {
        let mut digits = vec![0_u32; self.0.len() + other.0.len() + 1];
        for (i, a) in self.0.iter().enumerate() {
            for (j, b) in other.0.iter().enumerate() {
                digits[i + j] += u32::from(*a) * u32::from(*b);
            }
        }
        for i in 0..digits.len() - 1 {
            digits[i + 1] += digits[i] / 10;
            digits[i] %= 10;
        }
        Self(digits.into_iter().map(|digit| u8::try_from(digit).expect("a digit")).collect())
    }

    /// Moves the point to the left, and rounds by looking at the first digit that falls away.
    fn shifted(&self, places: usize) -> Option<i64> {
        let digit = |at: usize| self.0.get(at).copied().unwrap_or(0);
        let kept: String = (places..self.0.len().max(places + 1))
            .rev()
            .map(|at| char::from(b'0' + digit(at)))
            .collect();
        let up = i64::from(places > 0 && digit(places - 1) >= 5);
        kept.trim_start_matches('0').parse::<i64>().ok().or_else(|| is_zero(&kept))?.checked_add(up)
    }
}

fn is_zero(digits: &str) -> Option<i64> {
    digits.bytes().all(|digit| digit == b'0').then_some(0)
}

fn on_paper(transaction: Amount, to: Currency, rate: Rate, on_top: [u16; 2]) -> Option<i64> {
    let [markup, margin] = on_top.map(|points| Paper::of(10_000 + u64::from(points)));
    let product = Paper::of(transaction.minor.0.unsigned_abs())
        .times(&Paper::of(rate.digits()))
        .times(&markup)
        .times(&margin);
    let places = 8 + rate.decimals() + transaction.currency.exponent() - to.exponent();
    product.shifted(usize::from(places))
}

fn any_currency() -> impl Strategy<Value = Currency> {
    prop::sample::select(vec!["JPY", "KRW", "EUR", "USD", "IDR", "KWD", "BHD", "TND", "CLF"])
        .prop_map(currency)
}

/// Of every length, the longest as likely as the shortest.
fn any_amount() -> impl Strategy<Value = i64> {
    (0_u32..63, any::<i64>()).prop_map(|(bits, number)| (number & i64::MAX) >> bits)
}

fn any_rate() -> impl Strategy<Value = Rate> {
    (1_u64..=9_999_999_999, 0_u32..10, 0_u8..=12)
        .prop_map(|(digits, cut, decimals)| Rate::new((digits / 10_u64.pow(cut)).max(1), decimals))
        .prop_map(|rate| rate.expect("a rate"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn any_conversion_is_that_on_paper(
        minor in any_amount(),
        (from, to) in (any_currency(), any_currency()),
        rate in any_rate(),
        markup in 0_u16..=10_000,
        margin in 0_u16..=10_000,
        part in any::<prop::sample::Index>(),
    ) {
        let transaction = Amount { minor: MinorUnits(minor), currency: from };
        let billing = on_paper(transaction, to, rate, [markup, 0]);
        let held = on_paper(transaction, to, rate, [markup, margin]);
        let done = by_table(transaction, to, rate, [markup, margin]);
        prop_assert_eq!(done.map(|done| (done.billing.0, done.held.0)), billing.zip(held));
        let Some(done) = done else { return Ok(()) };
        prop_assert!(done.held >= done.billing);
        let part = i64::try_from(part.index(usize::MAX)).unwrap_or(i64::MAX) % minor.max(1);
        let of_part = Amount { minor: MinorUnits(part), currency: from };
        let expected = on_paper(of_part, to, rate, [markup, margin]);
        prop_assert_eq!(Some(done.of_part(MinorUnits(part)).0), expected);
    }
}
