//! Amounts in other currencies than the account's: what is held, settled and given back of them, by
//! which rate, and what is declined. The formula has a table of its own (`docs/currency.md`); here
//! are its results through every kind of message, to the minor unit.

use proptest::prelude::*;
use switch_domain::{Amount, Conversion, Event, MinorUnits, RateSource};

use crate::harness::{World, currency};

/// A credit programme that adds 2 % and holds 5 % more; a dollar is 92.34 cents.
const SETUP: &str = "
    partner acme
    pool credit EUR 10000.00
    programme gold credit
    balance alice 500.00
    card c1 alice exp 2812
    rate USD EUR 0.9234
    foreign gold 200 500
";

fn check(table: &str) -> World {
    World::after(&format!("{SETUP}{table}"))
}

#[test]
fn a_hold_has_the_margin_and_clearing_settles_what_it_is_worth_then() {
    for (rate, settled, left, came_to) in [
        ("0.9234", "94.19", "405.81", "agreed"),
        ("0.95", "96.90", "403.10", "agreed"),
        ("0.50", "51.00", "449.00", "agreed"),
        // Above the margin: the rate of the day is no fault of the merchant's.
        ("1.10", "112.20", "387.80", "agreed"),
        ("5.10", "520.20", "-20.20", "forced insufficient_funds"),
    ] {
        check(&format!(
            "
            auth c1 100.00 in USD stan 1 -> approved
            converted 1 94.19 98.90 ECB
            held alice 98.90
            totals 1 98.90 0.00 0.00 0.00
            rate USD EUR {rate} by FED
            restart
            post c1 100.00 in USD stan 2 to 1 -> advice_accepted
            stand-in 2 {came_to}
            converted 2 {settled} {settled} FED
            held alice 0.00
            ledger alice {left}
            network acme EUR {settled}
            totals 1 98.90 0.00 {settled} 0.00
            reverse stan 1 own 71 -> reversal_accepted of 1
            held alice 0.00
            ledger alice {left}
            "
        ));
    }
}

#[test]
fn more_than_was_authorized_is_told_in_the_currency_of_the_merchant() {
    check(
        "
        auth c1 100.00 in USD stan 1 -> approved
        post c1 101.00 in USD stan 2 to 1 -> advice_accepted
        stand-in 2 forced exceeds_preauthorized_amount
        auth c1 100.00 in USD stan 3 -> approved
        pay c1 101.00 in USD stan 4 to 3 -> exceeds_preauthorized_amount
        rate USD EUR 1.05
        pay c1 100.00 in USD stan 5 to 3 -> approved
        totals 3 98.90 0.00 107.10 0.00
        held alice 0.00
        # cleared in the account's own currency
        auth c1 100.00 in USD stan 6 -> approved
        held alice 112.46
        post c1 99.00 stan 7 to 6 -> advice_accepted
        stand-in 7 agreed
        converted 7 no
        held alice 0.00
        ",
    );
}

#[test]
fn a_part_that_is_cleared_frees_its_share_of_the_hold() {
    check(
        "
        auth c1 100.00 in USD stan 1 -> approved
        post c1 40.00 in USD stan 2 to 1 last no -> advice_accepted
        held alice 59.34
        ledger alice 462.33
        totals 1 98.90 1.89 37.67 0.00
        post c1 60.00 in USD stan 3 to 1 last no -> advice_accepted
        held alice 0.00
        ledger alice 405.82
        reverse stan 3 own 73 -> reversal_accepted of 3
        ledger alice 462.33
        held alice 0.00
        # The rate went up: what was settled is no longer held.
        auth c1 100.00 in USD stan 4 -> approved
        rate USD EUR 1.50
        post c1 40.00 in USD stan 5 to 4 last no -> advice_accepted
        held alice 37.70
        ledger alice 401.13
        post c1 1.00 in USD stan 6 to 4 -> advice_accepted
        held alice 0.00
        ",
    );
}

#[test]
fn a_reversal_gives_back_at_the_rate_of_its_original() {
    check(
        "
        auth c1 100.00 in USD stan 1 -> approved
        rate USD EUR 0.50
        reverse stan 1 own 71 leaving 40.00 in USD -> reversal_accepted of 1
        held alice 39.56
        reverse stan 1 own 71 leaving 40.00 in USD -> reversal_accepted repeated of 1
        reverse stan 1 own 72 leaving 50.00 in USD -> reversal_accepted of 1
        held alice 39.56
        reverse stan 1 own 73 leaving 10.00 -> reversal_accepted of 1   # euros say nothing of it
        held alice 39.56
        restart
        reverse stan 1 own 74 leaving 0.01 in USD -> reversal_accepted of 1
        held alice 0.01
        reverse stan 1 own 75 -> reversal_accepted of 1
        held alice 0.00
        no-rate USD EUR
        pay c1 100.00 in USD stan 2 -> rate_missing
        rate USD EUR 0.9234
        pay c1 100.00 in USD stan 3 -> approved
        ledger alice 405.81
        reverse stan 3 own 76 leaving 40.00 in USD -> reversal_accepted of 3
        ledger alice 462.33
        reverse stan 3 own 77 -> reversal_accepted of 3
        ledger alice 500.00
        network acme EUR 0.00
        # before what it is of
        reverse c1 stan 4 own 78 leaving 40.00 in USD -> reversal_accepted
        auth c1 100.00 in USD stan 4 -> approved
        held alice 39.56
        reverse c1 stan 5 own 79 -> reversal_accepted
        auth c1 100.00 in USD stan 5 -> original_reversed
        void 4 issuer_inoperative -> issuer_inoperative of 4
        held alice 0.00
        auth c1 100.00 in USD stan 6 -> approved
        expire 6 -> given_back
        held alice 0.00
        ",
    );
}

#[test]
fn an_increment_is_held_at_the_rate_of_its_day_and_given_back_at_that() {
    check(
        "
        auth c1 100.00 in USD stan 1 -> approved
        rate USD EUR 0.95
        auth c1 50.00 in USD stan 2 onto 1 -> approved
        converted 2 48.45 50.87 ECB
        held alice 149.77
        rate USD EUR 0.10
        reverse stan 2 own 72 leaving 20.00 in USD -> reversal_accepted of 2
        held alice 119.25
        reverse stan 2 own 73 -> reversal_accepted of 2
        held alice 98.90
        rate USD EUR 0.9234
        auth c1 150.00 in USD stan 3 instead 1 -> approved
        held alice 148.34
        auth c1 50.00 in USD stan 4 instead 1 -> approved
        held alice 49.45
        auth c1 10.00 stan 5 onto 1 -> approved
        held alice 59.45
        reverse stan 1 own 71 -> reversal_accepted of 1
        held alice 0.00
        ",
    );
}

#[test]
fn what_the_network_converted_is_used_as_it_is() {
    check(
        "
        no-rate USD EUR
        auth c1 100.00 in USD stan 1 billed 91.00EUR settled 100.00USD -> approved
        converted 1 91.00 95.55 network
        held alice 95.55
        reverse stan 1 own 71 leaving 50.00 in USD -> reversal_accepted of 1
        held alice 47.78
        reverse stan 1 own 72 -> reversal_accepted of 1
        held alice 0.00
        foreign gold 200 500 billed too
        auth c1 100.00 in USD stan 2 billed 91.00EUR -> approved
        converted 2 92.82 97.46 network
        post c1 100.00 in USD stan 3 to 2 billed 92.00EUR -> advice_accepted
        converted 3 93.84 93.84 network
        held alice 0.00
        ledger alice 406.16
        # a refund has neither mark-up nor margin
        post c1 100.00 in USD stan 4 kind refund billed 90.00EUR -> advice_accepted
        ledger alice 496.16
        # into another currency than the account's, or into nothing: no conversion of this
        auth c1 100.00 in USD stan 5 billed 80.00GBP -> rate_missing
        auth c1 100.00 in USD stan 6 billed 0.00EUR -> rate_missing
        rate USD EUR 0.9234
        auth c1 100.00 in USD stan 7 billed 80.00GBP -> approved
        converted 7 94.19 98.90 ECB
        # of the account's own currency: only what is settled elsewhere is noted
        auth c1 10.00 stan 8 billed 10.00EUR -> approved
        converted 8 no
        auth c1 10.00 stan 9 settled 10.90USD -> approved
        converted 9 10.00 10.00 none
        held alice 118.90
        reverse stan 9 own 79 leaving 4.00 -> reversal_accepted of 9
        held alice 112.90
        ",
    );
}

#[test]
fn what_cannot_be_converted_is_declined_or_waits_for_people() {
    check(
        "
        auth c1 10.00 in GBP stan 1 -> rate_missing
        rate GBP EUR 1.17 aged 72
        auth c1 10.00 in GBP stan 2 -> rate_too_old
        advise c1 10.00 in GBP stan 3 -> advice_accepted
        stand-in 3 suspense rate_too_old
        converted 3 no
        rate GBP EUR 1.17 aged 71
        auth c1 10.00 in GBP stan 4 -> approved
        advise c1 10.00 in CHF stan 5 -> advice_accepted
        stand-in 5 suspense rate_missing
        # the other way round is another rate
        rate EUR CHF 0.95
        auth c1 10.00 in CHF stan 6 -> rate_missing
        # an inquiry asks for nothing, which is worth nothing in any currency
        auth c1 0.00 in CHF stan 7 kind inquiry -> approved
        converted 7 0.00 0.00 none
        auth c1 0.00 in USD stan 8 -> invalid_amount
        domestic gold
        auth c1 10.00 in USD stan 9 -> currency_unacceptable
        auth c1 0.00 in USD stan 10 kind inquiry -> currency_unacceptable
        # what was held in another currency is settled all the same once its network converts
        foreign gold 0 0
        auth c1 10.00 in USD stan 11 -> approved
        converted 11 9.23 9.23 ECB
        ",
    );
    // Past the range of amounts.
    check(
        "
        rate JPY EUR 9999999999
        auth c1 999999999999 in JPY stan 1 -> invalid_amount
        advise c1 999999999999 in JPY stan 2 -> advice_accepted
        stand-in 2 suspense invalid_amount
        ",
    );
}

#[test]
fn funds_limits_and_deposits_are_of_what_is_held() {
    check(
        "
        balance bob 98.89
        card c2 bob exp 2812
        auth c2 100.00 in USD stan 1 -> insufficient_funds
        credit bob 0.01
        auth c2 100.00 in USD stan 2 -> approved
        available bob 0.00
        control day card c1 amount 100.00 window day
        auth c1 100.00 in USD stan 3 -> approved
        auth c1 2.00 in USD stan 4 -> amount_limit_exceeded
        auth c1 1.00 in USD stan 5 -> approved
        reverse stan 3 own 73 leaving 50.00 in USD -> reversal_accepted of 3
        auth c1 50.00 in USD stan 6 -> approved
        auth c1 1.00 in USD stan 7 -> amount_limit_exceeded
        ",
    );
    World::after(
        "
        partner acme
        pool deposit EUR 100.00
        programme gold deposit
        balance alice 500.00
        card c1 alice exp 2812
        rate USD EUR 0.9234
        foreign gold 200 500
        auth c1 102.00 in USD stan 1 -> partner_deposit_insufficient
        auth c1 100.00 in USD stan 2 -> approved
        pool-held deposit 98.90
        post c1 100.00 in USD stan 3 to 2 -> advice_accepted
        pool-held deposit 0.00
        pool-available deposit 5.81
        memorandum acme EUR -405.81   # what was topped up, less the purchase
        ",
    );
}

#[test]
fn a_repeat_is_answered_alike_whatever_became_of_the_rate() {
    check(
        "
        auth c1 100.00 in USD stan 1 -> approved
        rate USD EUR 0.50
        auth c1 100.00 in USD stan 1 mark repeat -> approved repeated of 1
        no-rate USD EUR
        auth c1 100.00 in USD stan 1 -> approved repeated of 1
        auth c1 98.90 stan 1 -> duplicate_transmission
        auth c1 101.00 in USD stan 1 -> duplicate_transmission
        auth c1 100.00 in GBP stan 1 -> duplicate_transmission
        advise c1 100.00 in USD stan 1 as a1 -> advice_accepted
        held alice 98.90
        auth c1 100.00 in USD stan 2 -> rate_missing
        rate USD EUR 0.9234
        auth c1 100.00 in USD stan 2 -> rate_missing repeated of 2
        ",
    );
}

#[test]
fn rates_come_into_force_when_they_are_committed_and_never_go_back() {
    check(
        "
        later: rate USD EUR 0.50
        auth c1 1.00 in USD stan 1 -> approved     # commits the rate before it
        later: rate USD EUR 0.60
        later: rate USD EUR 0.70 -> busy
        later: auth c1 10.00 in USD stan 2 -> approved
        commit
        converted 2 5.10 5.36 ECB
        auth c1 10.00 in USD stan 3 -> approved
        converted 3 6.12 6.43 ECB
        rate USD EUR 0.70 aged 1 -> refused RateSuperseded
        rate USD EUR 0.70 aged -1 -> refused RateOfTheFuture
        rate EUR EUR 1 -> refused RateInvalid
        no-rate CHF EUR -> refused NoSuchRate
        rate USD EUR 0.70 key k1
        rate USD EUR 0.70 key k1 -> refused KeyReused    # of another moment
        ",
    );
}

#[test]
fn the_record_says_how_it_was_converted() {
    let world = check("auth c1 100.00 in USD stan 1 billed 91.00EUR settled 99.00USD -> approved");
    let records = world.cluster.committed_records();
    let made = records.iter().rev().find_map(|record| match &record.event {
        Event::Authorized(made) => Some(made),
        _ => None,
    });
    let made = made.expect("an authorization");
    let usd = |minor| Amount { minor: MinorUnits(minor), currency: currency("USD") };
    let done: &Conversion = made.conversion.as_deref().expect("converted");
    assert_eq!((done.transaction, done.settlement), (usd(10_000), Some(usd(9_900))));
    assert_eq!((done.billing, done.held), (MinorUnits(9_100), MinorUnits(9_555)));
    assert_eq!((done.source, done.rate), (RateSource::Network, None));
    assert_eq!((done.markup.points(), done.margin.points()), (0, 500));
    let euros = Amount { minor: MinorUnits(9_555), currency: currency("EUR") };
    assert_eq!(made.requested, euros);
}

/// What the formula of `docs/currency.md` makes of a part, for the programme of [`SETUP`].
fn held_of(cents: i64) -> i64 {
    let product = i128::from(cents) * 9_234 * 10_200 * 10_500;
    let (whole, rest) = (product / 10_i128.pow(12), product % 10_i128.pow(12));
    i64::try_from(whole).expect("small") + i64::from(rest * 2 >= 10_i128.pow(12))
}

fn written(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever parts are reversed in whatever order, and whatever the rate is meanwhile: what is
    /// held is what the least of them leaves, and all of it is given back in the end.
    #[test]
    fn reversals_leave_what_the_formula_says_and_give_back_what_was_taken(
        asked in 1_i64..40_000,
        parts in proptest::collection::vec((1_i64..40_000, 1_u32..1_000_000), 0..6),
    ) {
        let mut world = check(&format!(
            "auth c1 {} in USD stan 1 -> approved\nheld alice {}",
            written(asked),
            written(held_of(asked)),
        ));
        let mut held = held_of(asked);
        for (number, (left, rate)) in (10..).zip(parts) {
            held = held.min(held_of(left));
            world.run(&format!(
                "rate USD EUR 0.{rate:06}
                reverse stan 1 own {number} leaving {} in USD -> reversal_accepted of 1
                held alice {}",
                written(left),
                written(held),
            ));
        }
        world.run(
            "reverse stan 1 own 9 -> reversal_accepted of 1
            held alice 0.00
            ledger alice 500.00
            open 0",
        );
    }
}
