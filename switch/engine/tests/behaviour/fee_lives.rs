//! Fees of purchases: every price of `docs/fees.md` charged by a message, and lives of purchases
//! with fees from the hold to the end, in both fundings. After each row the books are audited.

use crate::harness::{World, check};

const DOCUMENT: &str = include_str!("../../../../docs/fees.md");

/// A rule of the document, and what one amount costs by it.
struct Priced<'a> {
    event: &'a str,
    form: &'a str,
    /// Fixed part, rate, least and most, as rows of a table have them.
    terms: String,
    taken: &'a str,
    /// Amount and currency; `None` for an act.
    amount: Option<&'a str>,
    currency: &'a str,
    fee: &'a str,
}

fn documented() -> Vec<Priced<'static>> {
    let head = "| event | form | fixed | rate | least | most | taken | amount | fee |";
    let table = DOCUMENT.split(head).nth(1).expect("the table of prices");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let priced = |row: &'static str| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [event, form, fixed, rate, least, most, taken, amount, fee] = cells[..] else {
            panic!("{row}")
        };
        let (amount, currency) = amount.split_once(' ').expect(row);
        let most = if most == "-" { String::new() } else { format!(" most {most}") };
        Priced {
            event: event.trim_matches('`'),
            form,
            terms: format!("{fixed} {rate} least {least}{most}"),
            taken,
            amount: (amount != "-").then_some(amount),
            currency,
            fee,
        }
    };
    rows.map(priced).collect()
}

/// So many minor units as an amount of as many decimals as another has.
fn like(text: &str, minor: i64) -> String {
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let sign = if minor < 0 { "-" } else { "" };
    let digits = format!("{:0width$}", minor.abs(), width = decimals + 1);
    let (major, rest) = digits.split_at(digits.len() - decimals);
    if decimals == 0 { format!("{sign}{major}") } else { format!("{sign}{major}.{rest}") }
}

fn minor(text: &str) -> i64 {
    text.replace('.', "").parse().expect("a number")
}

/// A card with so much, under a schedule of one rule.
fn stage(one: &Priced<'_>, funding: &str, funds: &str) -> String {
    let Priced { event, terms, currency, .. } = one;
    let form = if one.form == "any" { String::new() } else { format!(" form {}", one.form) };
    let taken = if one.taken == "invoiced" { " taken invoiced" } else { "" };
    let plastic = if one.form == "physical" { "card-data c1 201 seq 1" } else { "" };
    format!(
        "
        partner acme
        pool {funding} {currency} {funds}
        reload {funding} {funds}
        programme gold {funding}
        foreign gold 0 0
        fees gold {event} {terms}{form}{taken}
        around gold ES FR,PT
        balance alice {funds}
        card c1 alice exp 2712
        {plastic}
        "
    )
}

/// The message that the event is of, for so much of the account's currency.
fn message(one: &Priced<'_>, amount: &str) -> String {
    let mut parts = one.event.split('_');
    let channel = parts.next().unwrap_or_default();
    if channel == "conversion" {
        let other = if one.currency == "JPY" { "USD 1.00" } else { "JPY 100" };
        let (code, asked) = other.split_once(' ').expect("two words");
        return format!("c1 {asked} in {code} billed {amount}{} stan 1", one.currency);
    }
    let country = match parts.next() {
        Some("domestic") => "ES",
        Some("region") => "PT",
        _ => "US",
    };
    format!("c1 {amount} stan 1 chan {channel} country {country}")
}

/// Every price is what a settled message posts, and what is held before it is settled.
#[test]
fn every_price_of_the_document_is_charged() {
    let (mut messages, mut acts) = (0, 0);
    for one in documented() {
        for funding in ["credit", "deposit"] {
            let funds = like(one.fee, 900_000_000);
            let at_once = one.taken == "at once";
            let (out, invoiced) = if at_once { (one.fee, "0") } else { ("0", one.fee) };
            let [out, invoiced] = [out, invoiced].map(|text| like(one.fee, minor(text)));
            let nothing = like(one.fee, 0);
            let there = stage(&one, funding, &funds);
            let Some(amount) = one.amount else {
                let left = like(one.fee, minor(&funds) - minor(&out));
                let (event, fee) = (one.event, one.fee);
                let taken = if at_once { "" } else { " taken invoiced" };
                check(&format!(
                    "{there}
                    charge alice {event} {fee}{taken}
                    ledger alice {left}
                    income acme {} {out}",
                    one.currency
                ));
                acts += 1;
                continue;
            };
            if minor(amount) == 0 {
                continue;
            }
            let text = message(&one, amount);
            println!("{funding} {} {text}", one.event);
            let left = like(one.fee, minor(&funds) - minor(amount) - minor(&out));
            let held_fee = if one.event.ends_with("cleared") { &nothing } else { &out };
            let held = like(one.fee, minor(amount) + minor(held_fee));
            let currency = one.currency;
            let spent = like(one.fee, minor(amount));
            let pool = if funding == "deposit" { &spent } else { &nothing };
            check(&format!(
                "{there}
                auth {text} -> approved
                held alice {held}
                pool-held {funding} {pool}
                ledger alice {funds}
                income acme {currency} {nothing}
                fees-of 1 {held_fee} {nothing} {nothing}
                reverse stan 1 -> reversal_accepted
                held alice {nothing}
                fees-of 1 {nothing} {nothing} {nothing}
                pay {text} as paid -> approved
                ledger alice {left}
                network acme {currency} {spent}
                income acme {currency} {out}
                fees-of paid {nothing} {out} {invoiced}
                restart
                reverse stan 1 class financial own 77 -> reversal_accepted
                ledger alice {funds}
                network acme {currency} {nothing}
                income acme {currency} {nothing}
                fees-of paid {nothing} {nothing} {nothing}
                "
            ));
            messages += 1;
        }
    }
    assert!(messages >= 80 && acts >= 10, "{messages} {acts}");
}

/// 0.30 and 1.5 % of what is authorized at a terminal: of 10.00 it is 0.45, of 20.00 0.60, of 25.00
/// 0.68, of 30.00 0.75.
pub(crate) fn with_fees(funding: &str, table: &str) -> World {
    let mut world = World::after(&format!(
        "
        partner acme
        pool {funding} EUR 1000.00
        programme gold {funding}
        fees gold pos_domestic_authorized 0.30 150
        balance alice 50.00
        card c1 alice exp 2712
        "
    ));
    world.run(&table.replace("POOL", funding));
    world
}

pub(crate) fn in_both(table: &str) {
    for funding in ["credit", "deposit"] {
        with_fees(funding, table);
    }
}

#[test]
fn a_hold_that_is_reversed_in_part_and_completed_costs_what_is_left() {
    in_both(
        "
        auth c1 20.00 stan 1              -> approved
        held alice 20.60
        reverse stan 1 leaving 10.00      -> reversal_accepted
        held alice 10.45
        fees-of 1 0.45 0.00 0.00
        restart
        post c1 10.00 stan 2 to 1         -> advice_accepted
        held alice 0.00
        ledger alice 39.55
        income acme EUR 0.45
        network acme EUR 10.00
        fees-of 1 0.00 0.45 0.00
        fees-of 2 0.00 0.45 0.00
        reverse stan 2 class financial    -> reversal_accepted
        ledger alice 50.00
        income acme EUR 0.00
        fees-of 1 0.00 0.00 0.00
        ",
    );
}

#[test]
fn expiry_void_and_reversal_give_back_all_of_it_and_what_comes_late_is_charged() {
    in_both(
        "
        auth c1 20.00 stan 1              -> approved
        auth c1 10.00 stan 2              -> approved
        auth c1 5.00 stan 3               -> approved
        held alice 36.43                  # 0.60, 0.45 and 0.38
        expire 1                          -> given_back
        void 2 issuer_inoperative         -> issuer_inoperative
        held alice 5.38
        reverse stan 3                    -> reversal_accepted
        held alice 0.00
        income acme EUR 0.00
        post c1 20.00 stan 4 to 1         -> advice_accepted
        ledger alice 29.40
        income acme EUR 0.60
        restart
        ledger alice 29.40
        ",
    );
}

#[test]
fn what_is_settled_in_pieces_costs_what_the_whole_does() {
    in_both(
        "
        auth c1 30.00 stan 1              -> approved
        held alice 30.75
        post c1 10.00 stan 2 to 1 last no -> advice_accepted
        held alice 20.30
        ledger alice 39.55
        income acme EUR 0.45
        fees-of 1 0.30 0.45 0.00
        post c1 20.00 stan 3 to 1         -> advice_accepted
        held alice 0.00
        ledger alice 19.25
        income acme EUR 0.75
        reverse stan 3 class financial    -> reversal_accepted
        income acme EUR 0.45
        reverse stan 2 leaving 5.00 class financial -> reversal_accepted
        income acme EUR 0.38
        ledger alice 44.62
        reverse stan 2 class financial own 99 -> reversal_accepted
        ledger alice 50.00
        income acme EUR 0.00
        ",
    );
}

#[test]
fn more_than_was_authorized_costs_more_and_an_advice_may_go_below_zero() {
    in_both(
        "
        auth c1 20.00 stan 1              -> approved
        post c1 25.00 stan 2 to 1         -> advice_accepted
        ledger alice 24.32
        income acme EUR 0.68
        advise c1 24.32 stan 3            -> advice_accepted
        stand-in 3 forced insufficient_funds
        held alice 24.98                  # 0.30 and 0.36
        available alice -0.66
        post c1 24.32 stan 4 to 3         -> advice_accepted
        ledger alice -0.66
        income acme EUR 1.34
        ",
    );
}

#[test]
fn increments_add_to_the_fee_of_the_purchase() {
    in_both(
        "
        auth c1 20.00 stan 1              -> approved
        auth c1 10.00 stan 2 onto 1       -> approved
        held alice 30.75
        fees-of 1 0.75 0.00 0.00
        auth c1 19.11 stan 3 onto 1       -> insufficient_funds   # 49.11 and 1.04
        reverse stan 2                    -> reversal_accepted
        held alice 20.60
        auth c1 30.00 stan 4 instead 1    -> approved
        held alice 30.75
        auth c1 10.00 stan 5 instead 1    -> approved
        held alice 10.45
        expire 1                          -> given_back
        held alice 0.00
        income acme EUR 0.00
        ",
    );
}

/// The account has to cover both; the deposit pays the network alone.
#[test]
fn amount_and_fee_have_to_be_there() {
    for (funding, pool) in [("credit", "50.00"), ("deposit", "20.00")] {
        check(&format!(
            "
            partner acme
            partial-minimum acme EUR 5.00
            pool {funding} EUR {pool}
            programme gold {funding}
            fees gold pos_domestic_authorized 0.30 150
            balance alice 20.00
            card c1 alice exp 2712
            auth c1 20.00 stan 1          -> insufficient_funds
            auth c1 19.42 stan 2          -> insufficient_funds
            auth c1 19.41 stan 3          -> approved
            available alice 0.00
            reverse stan 3                -> reversal_accepted
            pay c1 19.42 stan 4           -> insufficient_funds
            auth c1 30.00 stan 5 part yes -> {partly}
            held alice {held}
            ",
            partly = "approved_partially 19.41 EUR for 30.00 EUR",
            held = "20.00",
        ));
    }
}

#[test]
fn a_part_is_no_more_than_the_deposit_has_and_its_fee_comes_on_top() {
    check(
        "
        partner acme
        partial-minimum acme EUR 5.00
        pool deposit EUR 10.00
        programme gold deposit
        fees gold pos_domestic_authorized 0.30 150
        balance alice 50.00
        card c1 alice exp 2712
        auth c1 30.00 stan 1 part yes     -> approved_partially 10.00 EUR for 30.00 EUR
        held alice 10.45
        pool-held deposit 10.00
        post c1 10.00 stan 2 to 1         -> advice_accepted
        ledger alice 39.55
        pool-available deposit 0.00
        income acme EUR 0.45
        ",
    );
}

#[test]
fn a_completion_by_request_needs_what_the_hold_does_not_cover() {
    in_both(
        "
        fees gold pos_domestic_cleared 1.00 0
        auth c1 49.00 stan 1              -> insufficient_funds   # 1.04 is held with it
        auth c1 48.00 stan 2              -> approved             # 1.02
        held alice 49.02
        pay c1 48.00 stan 3 to 2          -> insufficient_funds   # 2.02 in all
        held alice 49.02
        pay c1 47.00 stan 4 to 2          -> approved             # 2.01
        ledger alice 0.99
        held alice 0.00
        income acme EUR 2.01
        ",
    );
}

#[test]
fn refunds_cost_nothing_and_give_no_fee_back() {
    in_both(
        "
        pay c1 20.00 stan 1               -> approved
        ledger alice 29.40
        pay c1 20.00 stan 2 kind refund   -> approved
        ledger alice 49.40
        income acme EUR 0.60
        post c1 5.00 stan 3 kind refund to 1 -> advice_accepted
        ledger alice 54.40
        income acme EUR 0.60
        reverse stan 2 class financial    -> reversal_accepted
        income acme EUR 0.60
        ",
    );
}

/// What is held is computed by the schedule in force; what goes back is never more than is held.
#[test]
fn a_schedule_that_changes_meanwhile_goes_from_then_on() {
    in_both(
        "
        auth c1 20.00 stan 1              -> approved
        auth c1 10.00 stan 2              -> approved
        no-fees gold
        held alice 31.05
        reverse stan 1 leaving 10.00      -> reversal_accepted
        held alice 20.45                  # nothing is charged any longer
        post c1 10.00 stan 3 to 2         -> advice_accepted
        ledger alice 40.00
        held alice 10.00
        fees gold pos_domestic_authorized 5.00 0
        reverse stan 1 leaving 5.00 own 90 -> reversal_accepted
        held alice 5.00                   # it was not held
        post c1 5.00 stan 4 to 1          -> advice_accepted
        ledger alice 30.00
        income acme EUR 5.00
        no-fees gold
        reverse stan 4 class financial    -> reversal_accepted
        ledger alice 40.00
        income acme EUR 0.00
        ",
    );
}

#[test]
fn a_partner_that_charges_by_itself_and_other_events_cost_nothing_here() {
    in_both(
        "
        pay c1 10.00 stan 1 chan ecommerce -> approved
        pay c1 10.00 stan 2 chan atm kind cash -> approved
        ledger alice 30.00
        around gold ES FR
        pay c1 1.00 stan 3 country US     -> approved
        pay c1 1.00 stan 4 country FR     -> approved
        ledger alice 28.00
        pay c1 1.00 stan 5 country ES     -> approved
        income acme EUR 0.32
        partner-charges gold
        pay c1 1.00 stan 6                -> approved
        auth c1 1.00 stan 7               -> approved
        held alice 1.00
        income acme EUR 0.32
        ",
    );
}

/// A purchase abroad is a use and a conversion; each is a line by itself.
#[test]
fn use_and_conversion_both_cost_and_are_told_apart() {
    for funding in ["credit", "deposit"] {
        let world = with_fees(
            funding,
            "
            foreign gold 0 0
            around gold ES FR
            fees gold pos_world_authorized 0.50 0
            fees gold conversion_authorized 0.00 100
            fees gold conversion_cleared 0.00 200 taken invoiced
            rate USD EUR 0.5
            auth c1 20.00 in USD stan 1 country US -> approved
            held alice 10.60
            fees-of 1 0.60 0.00 0.00
            post c1 20.00 in USD stan 2 to 1 country US -> advice_accepted
            ledger alice 39.40
            income acme EUR 0.60
            fees-of 1 0.00 0.60 0.20
            ",
        );
        let records = world.cluster.committed_records();
        let lines = records.iter().filter_map(|record| record.effects.fees.as_ref());
        let lines = lines.flat_map(|fees| &fees.lines);
        let lines: Vec<_> = lines.map(|line| (line.event.name(), line.amount.minor.0)).collect();
        let expected = [
            ("pos_world_authorized", 50),
            ("conversion_authorized", 10),
            ("conversion_cleared", 20),
        ];
        assert_eq!(lines, expected.map(|(name, fee)| (name.to_owned(), fee)));
    }
}

/// What is forgotten is looked up with its fees.
#[test]
fn a_forgotten_purchase_is_found_with_its_fees() {
    let mut world = with_fees("deposit", "auth c1 20.00 stan 1 -> approved");
    let after = switch_domain::Timestamp(world.cluster.now.0 + 1);
    world.cluster.states[crate::harness::CARDS].forget(after, usize::MAX, after);
    world.run(
        "
        reverse stan 1 leaving 10.00 -> reversal_accepted
        held alice 10.45
        ",
    );
    let after = switch_domain::Timestamp(world.cluster.now.0 + 1);
    world.cluster.states[crate::harness::CARDS].forget(after, usize::MAX, after);
    world.run(
        "
        post c1 10.00 stan 2 to 1    -> advice_accepted
        held alice 0.00
        ledger alice 39.55
        income acme EUR 0.45
        ",
    );
}
