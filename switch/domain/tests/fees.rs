//! Fees: every row of both tables in `docs/fees.md`, and any terms and amounts against what a fee
//! must never do.

use proptest::prelude::*;
use switch_domain::{
    BasisPoints, CardForm, Channel, ChargedBy, Cost, Currency, FeeEvent, FeeMoment, FeeRule,
    FeeSchedule, InvalidSchedule, MOST_FEE_RULES, MOST_OF_A_FEE, MinorUnits, Place, Price,
    PriceTerms, Taken,
};

const DOCUMENT: &str = include_str!("../../../docs/fees.md");

/// A use and a conversion, both when authorized.
const USE: FeeEvent = FeeEvent::Use(Channel::Pos, Place::World, FeeMoment::Authorized);
const CONVERSION: FeeEvent = FeeEvent::Conversion(FeeMoment::Authorized);

fn euro() -> Currency {
    Currency::from_alphabetic("EUR").expect("a currency of the standard")
}

/// `12.50`, with as many decimals as the currency has.
fn minor(text: &str, currency: Currency) -> MinorUnits {
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    assert_eq!(decimals, usize::from(currency.exponent()), "{text}");
    MinorUnits(text.replace('.', "").parse().expect("digits"))
}

fn points(points: u16) -> BasisPoints {
    BasisPoints::new(points).expect("at most the whole")
}

/// Four cells: fixed, rate, least, most.
fn price(cells: [&str; 4], currency: Currency) -> Price {
    let [fixed, rate, least, most] = cells;
    let terms = PriceTerms {
        fixed: minor(fixed, currency),
        rate: points(rate.parse().expect("basis points")),
        least: minor(least, currency),
        most: (most != "-").then(|| minor(most, currency)),
    };
    Price::new(terms).expect("a price")
}

fn taken(cell: &str) -> Taken {
    match cell {
        "at once" => Taken::AtOnce,
        "invoiced" => Taken::Invoiced,
        other => panic!("`{other}` is no way to take a fee"),
    }
}

/// How a fee is taken, as its cost shows it.
fn cost(taken: Taken, fee: MinorUnits) -> Cost {
    match taken {
        Taken::AtOnce => Cost { at_once: fee, ..Cost::default() },
        Taken::Invoiced => Cost { invoiced: fee, ..Cost::default() },
    }
}

/// The rows of the table under a heading, by cells.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, rest) = DOCUMENT.split_once(heading).expect("it has one");
    let of_it = rest.lines().take_while(|line| !line.starts_with("## "));
    let rows = of_it.filter(|line| line.starts_with("| ")).skip(2);
    rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

fn schedule(rules: Vec<FeeRule>) -> FeeSchedule {
    FeeSchedule::new(euro(), ChargedBy::Platform, rules).expect("a schedule")
}

const fn rule(event: FeeEvent, form: Option<CardForm>, price: Price, taken: Taken) -> FeeRule {
    FeeRule { event, form, price, taken }
}

fn fixed(minor: i64) -> Price {
    let fixed = MinorUnits(minor);
    Price::new(PriceTerms { fixed, ..PriceTerms::default() }).expect("a price")
}

#[test]
fn every_row_of_the_table_comes_out_to_the_minor_unit() {
    let mut exponents = [0; 5];
    let mut acts = 0;
    let rows = rows("## The table");
    for row in &rows {
        let [event, form, fixed, rate, least, most, how, amount, fee] = row[..] else {
            panic!("nine cells: {row:?}");
        };
        let (amount, letters) = amount.split_once(' ').expect("an amount and a currency");
        let currency = Currency::from_alphabetic(letters).expect("a currency");
        let event = FeeEvent::from_name(event.trim_matches('`')).expect("an event");
        let (form, card) = match form {
            "any" => (None, CardForm::Virtual),
            "virtual" => (Some(CardForm::Virtual), CardForm::Virtual),
            "physical" => (Some(CardForm::Physical), CardForm::Physical),
            other => panic!("`{other}` is no form of a card"),
        };
        let how = taken(how);
        let rules = vec![rule(event, form, price([fixed, rate, least, most], currency), how)];
        let fees = FeeSchedule::new(currency, ChargedBy::Platform, rules).expect("a schedule");
        let found = if amount == "-" {
            acts += 1;
            fees.of_act(event, card)
        } else {
            fees.of_amount(&[event], card, minor(amount, currency))
        };
        assert_eq!(found, cost(how, minor(fee, currency)), "{row:?}");
        exponents[usize::from(currency.exponent())] += 1;
    }
    assert!(rows.len() >= 40, "{} rows", rows.len());
    assert!(exponents[0] >= 5 && exponents[2] >= 5 && exponents[3] >= 5, "{exponents:?}");
    assert!(acts >= 5, "{acts} acts");
}

#[test]
fn every_part_of_the_second_table_leaves_room_for_its_fee() {
    let rows = rows("## What fits");
    for row in &rows {
        let [fixed, rate, least, most, how, there, part, fee] = row[..] else {
            panic!("eight cells: {row:?}");
        };
        let (there, letters) = there.split_once(' ').expect("an amount and a currency");
        let currency = Currency::from_alphabetic(letters).expect("a currency");
        let how = taken(how);
        let fees =
            schedule(vec![rule(USE, None, price([fixed, rate, least, most], currency), how)]);
        let found = fees.part_within(&[USE], CardForm::Virtual, minor(there, currency));
        assert_eq!(found, minor(part, currency), "{row:?}");
        let of_it = fees.of_amount(&[USE], CardForm::Virtual, found);
        assert_eq!(of_it, cost(how, minor(fee, currency)), "{row:?}");
    }
    assert!(rows.len() >= 10, "{} rows", rows.len());
}

/// All that an amount can be, with a fee on top, is past what an amount can be.
#[test]
fn a_fee_is_not_lost_at_the_end_of_the_range() {
    let fees = schedule(vec![rule(USE, None, fixed(1), Taken::AtOnce)]);
    let part = fees.part_within(&[USE], CardForm::Virtual, MinorUnits(i64::MAX));
    assert_eq!(part, MinorUnits(i64::MAX - 1));
}

#[test]
fn a_rule_for_the_form_of_the_card_goes_before_one_for_all() {
    let fees = schedule(vec![
        rule(FeeEvent::CardCreated, None, fixed(100), Taken::AtOnce),
        rule(FeeEvent::CardCreated, Some(CardForm::Physical), fixed(900), Taken::Invoiced),
    ]);
    let of = |form| fees.of_act(FeeEvent::CardCreated, form);
    assert_eq!(of(CardForm::Virtual), cost(Taken::AtOnce, MinorUnits(100)));
    assert_eq!(of(CardForm::Physical), cost(Taken::Invoiced, MinorUnits(900)));
    assert_eq!(fees.of_act(FeeEvent::CardReplaced, CardForm::Physical), Cost::default());
}

#[test]
fn what_is_two_things_at_once_costs_both() {
    let fees = schedule(vec![
        rule(USE, None, fixed(30), Taken::AtOnce),
        rule(CONVERSION, None, fixed(7), Taken::AtOnce),
    ]);
    let of = |events: &[FeeEvent]| fees.of_amount(events, CardForm::Virtual, MinorUnits(1_000));
    assert_eq!(of(&[USE, CONVERSION]), cost(Taken::AtOnce, MinorUnits(37)));
    assert_eq!(of(&[USE]), cost(Taken::AtOnce, MinorUnits(30)));
    assert_eq!(of(&[]), Cost::default());
}

#[test]
fn where_the_partner_charges_by_itself_nothing_is_charged_here() {
    let rules = vec![
        rule(USE, None, fixed(30), Taken::AtOnce),
        rule(FeeEvent::CardMonthly, None, fixed(199), Taken::Invoiced),
    ];
    let fees = FeeSchedule::new(euro(), ChargedBy::Partner, rules).expect("a schedule");
    let amount = MinorUnits(1_000);
    assert_eq!(fees.of_amount(&[USE], CardForm::Virtual, amount), Cost::default());
    assert_eq!(fees.of_act(FeeEvent::CardMonthly, CardForm::Virtual), Cost::default());
    assert_eq!(fees.part_within(&[USE], CardForm::Virtual, amount), amount);
}

#[test]
fn two_rules_for_the_same_and_too_many_are_no_schedule() {
    let one = rule(USE, None, fixed(1), Taken::AtOnce);
    let other = rule(USE, None, fixed(2), Taken::Invoiced);
    let of = |rules| FeeSchedule::new(euro(), ChargedBy::Platform, rules).err();
    let between = rule(USE, Some(CardForm::Virtual), fixed(2), Taken::AtOnce);
    assert_eq!(of(vec![one, between, other]), Some(InvalidSchedule::Twice(0, 2)));
    assert_eq!(of(vec![one, between]), None);
    let named = |number: usize| {
        let event = FeeEvent::from_name(&format!("other:n{number}")).expect("a name");
        rule(event, None, fixed(1), Taken::AtOnce)
    };
    assert_eq!(of((0..MOST_FEE_RULES).map(named).collect()), None);
    assert_eq!(of((0..=MOST_FEE_RULES).map(named).collect()), Some(InvalidSchedule::TooMany));
}

fn any_price() -> impl Strategy<Value = Price> {
    let small = || prop_oneof![Just(0), 0..2_000_i64, 0..=MOST_OF_A_FEE.0];
    let most = proptest::option::of(small());
    (small(), 0..=10_000_u16, small(), most).prop_map(|(fixed, rate, least, above)| {
        let most = above.map(|above| MinorUnits(MOST_OF_A_FEE.0.min(least + above)));
        let (fixed, least) = (MinorUnits(fixed), MinorUnits(least));
        Price::new(PriceTerms { fixed, rate: points(rate), least, most }).expect("a price")
    })
}

fn any_amount() -> impl Strategy<Value = i64> {
    prop_oneof![0..10_000_i64, 0..=i64::MAX, Just(i64::MAX), i64::MIN..0]
}

fn any_schedule() -> impl Strategy<Value = FeeSchedule> {
    let way = || prop_oneof![3 => Just(Taken::AtOnce), 1 => Just(Taken::Invoiced)];
    (any_price(), way(), any_price(), way()).prop_map(|(of_use, one, of_conversion, other)| {
        schedule(vec![
            rule(USE, None, of_use, one),
            rule(CONVERSION, Some(CardForm::Virtual), of_conversion, other),
        ])
    })
}

proptest! {
    #[test]
    fn a_fee_is_never_below_zero_and_never_less_for_more(
        price in any_price(),
        one in any_amount(),
        other in any_amount(),
    ) {
        let (less, more) = (one.min(other), one.max(other));
        let of = |amount| price.of_amount(MinorUnits(amount));
        prop_assert!(MinorUnits::ZERO <= of(less) && of(less) <= of(more));
        let within = price.terms().most.is_none_or(|most| of(more) <= most);
        prop_assert!(within && (more <= 0 || of(more) >= price.terms().least));
    }

    #[test]
    fn a_part_leaves_room_for_its_fee_and_one_unit_more_would_not(
        fees in any_schedule(),
        there in any_amount(),
        physical in any::<bool>(),
    ) {
        let form = if physical { CardForm::Physical } else { CardForm::Virtual };
        let events = [USE, CONVERSION];
        // Wider than any amount, so that nothing is lost on the way.
        let comes_to = |part: i64| {
            let fee = fees.of_amount(&events, form, MinorUnits(part)).at_once;
            i128::from(part) + i128::from(fee.0)
        };
        let part = fees.part_within(&events, form, MinorUnits(there)).0;
        prop_assert!((0..=there.max(0)).contains(&part));
        prop_assert!(comes_to(part) <= i128::from(there.max(0)));
        prop_assert!(part == there.max(0) || comes_to(part + 1) > i128::from(there));
    }
}
