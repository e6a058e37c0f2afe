//! What arrives, over what is already there: every pair that a network can make of authorizations,
//! financial messages, advices, completions, reversals and refunds, and which rule wins where two
//! could. Each row is a world of its own; it ends with what is held on the account, what is in it,
//! and what is owed to the networks.
//!
//! Where several originals fit, in this order: the class that is named (DE90, DE56) rules out the
//! other; both optional fields wrong rule out a message; a retrieval reference number (DE37) weighs
//! more than a transmission time (DE7); then the latest wins. Of a request and its advice, the one
//! that holds. A financial advice that names no original means one of its own trace number and
//! retrieval reference number, and no other. Where all that leads to nothing, the network's own
//! identifier decides: `network_traces`. What increments do stands in `increments`.

use crate::harness::World;

pub(crate) const CARD: &str = "
    partner acme
    pool deposit EUR 1000.00
    programme gold deposit
    balance alice 50.00
    card c1 alice exp 2712
    card c2 alice exp 2712
";

/// `there; there => arrives -> answer | held ledger network`; a row ends with its sums.
pub(crate) fn check(table: &str) {
    let mut rows = 0;
    let lines = table.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
    for lines in lines.split_inclusive(|line: &&str| line.contains('|')) {
        let line = &lines.join(" ");
        let (steps, sums) = line.split_once('|').expect(line);
        let (there, arrives) = steps.split_once("=>").expect(line);
        let [held, ledger, network] =
            sums.split_whitespace().collect::<Vec<_>>().try_into().expect(line);
        let mut world = World::after(CARD);
        for step in there.split(';').chain([arrives]) {
            world.run(step);
        }
        let after = format!("held alice {held}\nledger alice {ledger}\nnetwork acme EUR {network}");
        world.run(&after);
        // The deposit pays the network, and the customer's account is a memorandum of the rest.
        world.run(&format!("pool-held deposit {held}\nrestart\n{after}"));
        rows += 1;
    }
    assert!(rows > 3, "a table of {rows} rows");
}

#[test]
fn over_nothing() {
    check(
        "
        => auth c1 20.00 stan 1 -> approved | 20.00 50.00 0.00
        => auth c1 20.00 stan 1 kind preauthorization -> approved | 20.00 50.00 0.00
        => auth c1 20.00 stan 1 kind cash -> approved | 20.00 50.00 0.00
        => auth c1 20.00 stan 1 kind cash-back -> approved | 20.00 50.00 0.00
        => auth c1 60.00 stan 1 -> insufficient_funds | 0.00 50.00 0.00
        # given when it is settled:
        => auth c1 20.00 stan 1 kind refund -> approved | 0.00 50.00 0.00
        => auth c1 0.00 stan 1 kind inquiry -> approved | 0.00 50.00 0.00
        => auth c1 0.00 stan 1 kind verification -> approved | 0.00 50.00 0.00
        => auth c1 0.00 stan 1 kind statement -> approved | 0.00 50.00 0.00
        => auth c1 0.00 stan 1 -> invalid_amount | 0.00 50.00 0.00
        => pay c1 20.00 stan 1 -> approved | 0.00 30.00 20.00
        => pay c1 20.00 stan 1 kind cash -> approved | 0.00 30.00 20.00
        => pay c1 50.00 stan 1 kind cash-back -> approved | 0.00 0.00 50.00
        => pay c1 60.00 stan 1 -> insufficient_funds | 0.00 50.00 0.00
        => pay c1 0.00 stan 1 -> invalid_amount | 0.00 50.00 0.00
        => pay c1 20.00 stan 1 kind refund -> approved | 0.00 70.00 -20.00
        => pay c1 0.00 stan 1 kind inquiry -> approved | 0.00 50.00 0.00
        => pay c1 0.00 stan 1 kind statement -> approved | 0.00 50.00 0.00
        => advise c1 20.00 stan 1 -> advice_accepted | 20.00 50.00 0.00
        => advise c1 60.00 stan 1 -> advice_accepted | 60.00 50.00 0.00
        => advise c1 20.00 stan 1 said declined -> advice_accepted | 0.00 50.00 0.00
        => advise c1 20.00 stan 1 kind refund -> advice_accepted | 0.00 50.00 0.00
        => post c1 20.00 stan 1 -> advice_accepted | 0.00 30.00 20.00
        => post c1 60.00 stan 1 -> advice_accepted | 0.00 -10.00 60.00
        => post c1 20.00 stan 1 said declined -> advice_accepted | 0.00 50.00 0.00
        => post c1 20.00 stan 9 to 1 -> advice_accepted | 0.00 30.00 20.00   # nothing to complete
        => post c1 20.00 stan 1 kind refund -> advice_accepted | 0.00 70.00 -20.00
        => post no-card 20.00 stan 1 -> advice_accepted | 0.00 50.00 0.00   # in suspense
        => reverse c1 stan 1 -> reversal_accepted of nothing | 0.00 50.00 0.00
        => reverse c1 stan 1 leaving 5.00 -> reversal_accepted of nothing | 0.00 50.00 0.00
        => reverse c1 stan 1 by advice -> reversal_accepted of nothing | 0.00 50.00 0.00
        ",
    );
}

#[test]
fn over_an_authorization() {
    let table = "
        => auth c1 20.00 stan 1 -> approved repeated of 1 | 20.00 50.00 0.00
        => auth c1 20.00 stan 1 mark repeat -> approved repeated of 1 | 20.00 50.00 0.00
        => auth c1 25.00 stan 1 -> duplicate_transmission | 20.00 50.00 0.00
        => auth c1 20.00 stan 1 kind cash -> duplicate_transmission | 20.00 50.00 0.00
        => advise c1 20.00 stan 1 -> advice_accepted | 20.00 50.00 0.00
        => advise c1 25.00 stan 1 -> advice_accepted | 20.00 50.00 0.00   # in suspense
        => pay c1 20.00 stan 1 -> approved | 20.00 30.00 20.00   # another class: another message
        => post c1 20.00 stan 9 to 1 -> advice_accepted | 0.00 30.00 20.00
        => post c1 15.00 stan 9 to 1 -> advice_accepted | 0.00 35.00 15.00
        => post c1 25.00 stan 9 to 1 -> advice_accepted | 0.00 25.00 25.00
        => post c1 60.00 stan 9 to 1 -> advice_accepted | 0.00 -10.00 60.00
        => post c1 5.00 stan 9 to 1 last no -> advice_accepted | 15.00 45.00 5.00
        => post c1 20.00 stan 9 to 1 said declined -> advice_accepted | 20.00 50.00 0.00
        => post c1 20.00 stan 9 to 2 -> advice_accepted | 20.00 30.00 20.00
        => post c1 20.00 stan 9 to 1 term T2 -> advice_accepted | 20.00 30.00 20.00
        => post c1 20.00 stan 9 to 1 acq 777 -> advice_accepted | 20.00 30.00 20.00
        => post c2 20.00 stan 9 to 1 -> advice_accepted | 20.00 30.00 20.00
        => post c1 20.00 stan 1 -> advice_accepted | 20.00 30.00 20.00   # no reference number
        => post c1 5.00 stan 9 to 1 kind refund -> advice_accepted | 20.00 55.00 -5.00
        => reverse stan 1 -> reversal_accepted of 1 | 0.00 50.00 0.00
        => reverse stan 1 by advice -> reversal_accepted of 1 | 0.00 50.00 0.00
        => reverse stan 1 leaving 5.00 -> reversal_accepted of 1 | 5.00 50.00 0.00
        => reverse stan 1 leaving 20.00 -> reversal_accepted of 1 | 20.00 50.00 0.00
        => reverse stan 1 leaving 25.00 -> reversal_accepted of 1 | 20.00 50.00 0.00
        => reverse stan 1 leaving 5.00 in USD -> reversal_accepted of 1 | 20.00 50.00 0.00
        => reverse stan 1 class financial -> reversal_accepted of nothing | 20.00 50.00 0.00
        => reverse stan 1 acq 777 -> reversal_accepted of nothing | 20.00 50.00 0.00
        => void 1 issuer_inoperative -> issuer_inoperative of 1 | 0.00 50.00 0.00
        ";
    check(&table.replace("=> ", "auth c1 20.00 stan 1 -> approved => "));
}

#[test]
fn by_the_retrieval_reference_number() {
    check(
        "
        auth c1 20.00 stan 1 rrn 77 -> approved =>
            post c1 20.00 stan 1 rrn 77 -> advice_accepted | 0.00 30.00 20.00
        auth c1 20.00 stan 1 rrn 77 -> approved =>
            post c1 20.00 stan 1 rrn 78 -> advice_accepted | 20.00 30.00 20.00
        auth c1 20.00 stan 1 rrn 77 -> approved =>
            post c1 20.00 stan 9 to 1 rrn 78 -> advice_accepted | 0.00 30.00 20.00
        auth c1 20.00 stan 1 rrn 1 -> approved; auth c1 9.00 stan 1 rrn 2 -> approved =>
            post c1 20.00 stan 9 to 1 rrn 1 -> advice_accepted | 9.00 30.00 20.00
        auth c1 20.00 stan 1 rrn 1 -> approved; auth c1 9.00 stan 1 rrn 2 -> approved =>
            post c1 9.00 stan 9 to 1 rrn 2 -> advice_accepted | 20.00 41.00 9.00
        auth c1 20.00 stan 1 rrn 1 -> approved; auth c1 9.00 stan 1 rrn 2 -> approved =>
            post c1 9.00 stan 9 to 1 -> advice_accepted | 20.00 41.00 9.00   # the latest
        # it was never granted:
        auth c1 60.00 stan 1 rrn 1 -> insufficient_funds =>
            post c1 20.00 stan 9 to 1 rrn 1 -> advice_accepted | 0.00 30.00 20.00
        advise c1 20.00 stan 1 -> advice_accepted =>
            post c1 20.00 stan 9 to 1 -> advice_accepted | 0.00 30.00 20.00
        auth c1 20.00 stan 1 -> approved; pay c1 10.00 stan 1 as P -> approved =>
            reverse stan 1 own 71 -> reversal_accepted of P | 20.00 50.00 0.00   # the latest
        auth c1 20.00 stan 1 -> approved; pay c1 10.00 stan 1 as P -> approved =>
            reverse stan 1 own 71 class authorization -> reversal_accepted of 1 | 0.00 40.00 10.00
        auth c1 20.00 stan 1 -> approved; pay c1 10.00 stan 1 as P -> approved =>
            reverse stan 1 own 71 class financial -> reversal_accepted of P | 20.00 50.00 0.00
        ",
    );
}

#[test]
fn over_what_was_reversed() {
    let whole = "
        => reverse stan 1 own 72 -> reversal_accepted of 1 | 0.00 50.00 0.00
        => reverse stan 1 own 71 -> reversal_accepted repeated of 1 | 0.00 50.00 0.00
        => reverse stan 1 own 71 by advice -> reversal_accepted of 1 | 0.00 50.00 0.00
        => auth c1 20.00 stan 1 -> approved repeated of 1 | 0.00 50.00 0.00
        => advise c1 20.00 stan 1 -> advice_accepted | 0.00 50.00 0.00
        => post c1 20.00 stan 9 to 1 -> advice_accepted | 0.00 30.00 20.00   # late: without a hold
        ";
    let there = "auth c1 20.00 stan 1 -> approved; reverse stan 1 own 71 -> reversal_accepted => ";
    check(&whole.replace("=> ", there));
    let part = "
        => reverse stan 1 leaving 3.00 own 72 -> reversal_accepted of 1 | 3.00 50.00 0.00
        => reverse stan 1 leaving 8.00 own 72 -> reversal_accepted of 1 | 5.00 50.00 0.00
        => reverse stan 1 leaving 5.00 own 71 -> reversal_accepted repeated of 1 | 5.00 50.00 0.00
        => reverse stan 1 leaving 6.00 own 71 -> duplicate_transmission | 5.00 50.00 0.00
        => reverse stan 1 own 71 -> duplicate_transmission | 5.00 50.00 0.00
        => reverse stan 1 leaving 5.00 own 71 by advice -> reversal_accepted of 1 | 5.00 50.00 0.00
        => reverse stan 1 own 72 -> reversal_accepted of 1 | 0.00 50.00 0.00
        => post c1 5.00 stan 9 to 1 -> advice_accepted | 0.00 45.00 5.00
        => post c1 20.00 stan 9 to 1 -> advice_accepted | 0.00 30.00 20.00
        => void 1 issuer_inoperative -> issuer_inoperative of 1 | 0.00 50.00 0.00
        ";
    let there = "auth c1 20.00 stan 1 -> approved; \
        reverse stan 1 leaving 5.00 own 71 -> reversal_accepted => ";
    check(&part.replace("=> ", there));
}

#[test]
fn over_what_was_completed() {
    let whole = "
        # late: nothing is held:
        => reverse stan 1 own 71 -> reversal_accepted of 1 | 0.00 30.00 20.00
        => reverse stan 1 leaving 5.00 own 71 -> reversal_accepted of 1 | 0.00 30.00 20.00
        => reverse stan 9 own 71 -> reversal_accepted of 9 | 0.00 50.00 0.00
        => reverse stan 9 leaving 5.00 own 71 -> reversal_accepted of 9 | 0.00 45.00 5.00
        => reverse stan 9 own 71 class authorization -> reversal_accepted of nothing
            | 0.00 30.00 20.00
        => post c1 20.00 stan 9 to 1 -> advice_accepted repeated of 9 | 0.00 30.00 20.00
        => post c1 25.00 stan 9 to 1 -> duplicate_transmission | 0.00 30.00 20.00
        => post c1 20.00 stan 9 to 1 kind refund -> duplicate_transmission | 0.00 30.00 20.00
        => post c1 10.00 stan 10 to 1 -> advice_accepted | 0.00 20.00 30.00   # settled twice
        => post c1 5.00 stan 10 to 1 kind refund -> advice_accepted | 0.00 35.00 15.00
        => auth c1 20.00 stan 1 -> approved repeated of 1 | 0.00 30.00 20.00
        ";
    let there = "auth c1 20.00 stan 1 -> approved; \
        post c1 20.00 stan 9 to 1 -> advice_accepted => ";
    check(&whole.replace("=> ", there));
    let part = "
        => post c1 15.00 stan 10 to 1 -> advice_accepted | 0.00 30.00 20.00
        => post c1 10.00 stan 10 to 1 -> advice_accepted | 0.00 35.00 15.00
        => post c1 10.00 stan 10 to 1 last no -> advice_accepted | 5.00 35.00 15.00
        => post c1 18.00 stan 10 to 1 last no -> advice_accepted | 0.00 27.00 23.00
        => reverse stan 1 own 71 -> reversal_accepted of 1 | 0.00 45.00 5.00
        => reverse stan 1 leaving 8.00 own 71 -> reversal_accepted of 1 | 3.00 45.00 5.00
        => reverse stan 1 leaving 5.00 own 71 -> reversal_accepted of 1 | 0.00 45.00 5.00
        => reverse stan 9 own 71 -> reversal_accepted of 9 | 15.00 50.00 0.00
        ";
    let there =
        "auth c1 20.00 stan 1 -> approved; post c1 5.00 stan 9 to 1 last no -> advice_accepted => ";
    check(&part.replace("=> ", there));
}

#[test]
fn over_a_financial_message() {
    let table = "
        => pay c1 20.00 stan 1 -> approved repeated of 1 | 0.00 30.00 20.00
        => pay c1 25.00 stan 1 -> duplicate_transmission | 0.00 30.00 20.00
        => post c1 20.00 stan 1 -> advice_accepted | 0.00 30.00 20.00   # its own advice
        => post c1 25.00 stan 1 -> advice_accepted | 0.00 30.00 20.00   # in suspense
        => auth c1 20.00 stan 1 -> approved | 20.00 30.00 20.00   # another class: another message
        => reverse stan 1 -> reversal_accepted of 1 | 0.00 50.00 0.00
        => reverse stan 1 by advice -> reversal_accepted of 1 | 0.00 50.00 0.00
        => reverse stan 1 leaving 5.00 -> reversal_accepted of 1 | 0.00 45.00 5.00
        => reverse stan 1 leaving 25.00 -> reversal_accepted of 1 | 0.00 30.00 20.00
        => reverse stan 1 class authorization -> reversal_accepted of nothing | 0.00 30.00 20.00
        => void 1 issuer_inoperative -> issuer_inoperative of 1 | 0.00 50.00 0.00
        => post c1 5.00 stan 9 to 1 kind refund -> advice_accepted | 0.00 35.00 15.00
        => post c1 20.00 stan 9 to 1 -> advice_accepted | 0.00 10.00 40.00   # completes no payment
        ";
    check(&table.replace("=> ", "pay c1 20.00 stan 1 -> approved => "));
    check(
        "
        pay c1 20.00 stan 1 -> approved; reverse stan 1 own 71 -> reversal_accepted =>
            reverse stan 1 own 72 -> reversal_accepted of 1 | 0.00 50.00 0.00
        pay c1 20.00 stan 1 -> approved; reverse stan 1 own 71 -> reversal_accepted =>
            reverse stan 1 leaving 5.00 own 72 -> reversal_accepted of 1 | 0.00 50.00 0.00
        pay c1 20.00 stan 1 kind refund -> approved =>
            reverse stan 1 -> reversal_accepted of 1 | 0.00 50.00 0.00
        pay c1 20.00 stan 1 kind refund -> approved =>
            reverse stan 1 leaving 5.00 -> reversal_accepted of 1 | 0.00 55.00 -5.00
        post c1 20.00 stan 1 -> advice_accepted =>
            pay c1 20.00 stan 1 -> duplicate_transmission | 0.00 30.00 20.00
        post c1 20.00 stan 1 -> advice_accepted =>
            reverse stan 1 -> reversal_accepted of 1 | 0.00 50.00 0.00
        post c1 20.00 stan 1 as A -> advice_accepted; pay c1 20.00 stan 1 -> duplicate_transmission
            => reverse stan 1 -> reversal_accepted of A | 0.00 50.00 0.00
        pay c1 60.00 stan 1 -> insufficient_funds =>
            post c1 60.00 stan 1 -> advice_accepted | 0.00 -10.00 60.00
        ",
    );
}

#[test]
fn over_a_reversal_that_came_first() {
    let whole = "
        => auth c1 20.00 stan 1 -> original_reversed | 0.00 50.00 0.00
        => pay c1 20.00 stan 1 -> original_reversed | 0.00 50.00 0.00
        => advise c1 20.00 stan 1 -> advice_accepted | 0.00 50.00 0.00
        => post c1 20.00 stan 1 -> advice_accepted | 0.00 50.00 0.00
        => auth c1 20.00 stan 2 -> approved | 20.00 50.00 0.00
        ";
    check(&whole.replace("=> ", "reverse c1 stan 1 -> reversal_accepted => "));
    let part = "
        => auth c1 20.00 stan 1 -> approved | 5.00 50.00 0.00
        => pay c1 20.00 stan 1 -> approved | 0.00 45.00 5.00
        => advise c1 20.00 stan 1 -> advice_accepted | 5.00 50.00 0.00
        => post c1 20.00 stan 1 -> advice_accepted | 0.00 45.00 5.00
        ";
    check(&part.replace("=> ", "reverse c1 stan 1 leaving 5.00 -> reversal_accepted => "));
    let of_class = "
        => auth c1 20.00 stan 1 -> approved | 20.00 50.00 0.00
        => advise c1 20.00 stan 1 -> advice_accepted | 20.00 50.00 0.00
        => pay c1 20.00 stan 1 -> original_reversed | 0.00 50.00 0.00
        => post c1 20.00 stan 1 -> advice_accepted | 0.00 50.00 0.00
        ";
    check(&of_class.replace("=> ", "reverse c1 stan 1 class financial -> reversal_accepted => "));
}

#[test]
fn over_a_card_that_was_locked_since() {
    check(
        "
        auth c1 20.00 stan 1 -> approved; lock c1 7 =>
            post c1 20.00 stan 9 to 1 -> advice_accepted | 0.00 30.00 20.00
        auth c1 20.00 stan 1 -> approved; lock c1 7 =>
            reverse stan 1 -> reversal_accepted of 1 | 0.00 50.00 0.00
        lock c1 7 => post c1 20.00 stan 1 -> advice_accepted | 0.00 30.00 20.00
        lock c1 7 => pay c1 20.00 stan 1 kind refund -> locked_suspected_fraud | 0.00 50.00 0.00
        lock c1 7 => auth c1 0.00 stan 1 kind inquiry -> locked_suspected_fraud | 0.00 50.00 0.00
        lock c1 7 => pay c1 0.00 stan 1 kind statement -> locked_suspected_fraud | 0.00 50.00 0.00
        ",
    );
}

#[test]
fn over_a_hold_that_lived_its_life() {
    let table = "
        => auth c1 20.00 stan 1 -> approved repeated of 1 | 0.00 50.00 0.00
        => advise c1 20.00 stan 1 -> advice_accepted | 0.00 50.00 0.00
        => reverse stan 1 own 71 -> reversal_accepted of 1 | 0.00 50.00 0.00
        => reverse stan 1 leaving 5.00 own 71 -> reversal_accepted of 1 | 0.00 50.00 0.00
        => post c1 20.00 stan 9 to 1 -> advice_accepted | 0.00 30.00 20.00
        => post c1 60.00 stan 9 to 1 -> advice_accepted | 0.00 -10.00 60.00
        ";
    check(&table.replace("=> ", "auth c1 20.00 stan 1 -> approved; expire 1 -> given_back => "));
}

/// What is left of the hold is what is not settled, and a completion of which a part was reversed
/// before it came settles less than it says.
#[test]
fn over_a_reversal_of_a_part_of_the_completion() {
    let table = "
        => post c1 8.00 stan 9 to 1 last no -> advice_accepted | 15.00 45.00 5.00
        => post c1 8.00 stan 9 to 1 -> advice_accepted | 0.00 45.00 5.00
        => post c1 30.00 stan 9 to 1 last no -> advice_accepted | 0.00 45.00 5.00
        => post c1 4.00 stan 9 to 1 last no -> advice_accepted | 16.00 46.00 4.00
        ";
    let there = "auth c1 20.00 stan 1 -> approved; \
        reverse c1 stan 9 leaving 5.00 own 71 -> reversal_accepted => ";
    check(&table.replace("=> ", there));
}

/// Within the tolerance of its merchant it is settled like any other. What is above that is settled
/// where it is an advice, and flagged; a request for it is declined. Of two rules: what is wrong
/// with card or account names the decline of a request first; an advice is flagged for the amount,
/// whatever else is wrong. The excess of a request within the tolerance must be there: no approval
/// takes an account below zero.
#[test]
fn over_an_authorization_of_less() {
    let table = "
        => pay c1 20.00 stan 9 to 1 -> approved | 0.00 30.00 20.00
        => pay c1 15.00 stan 9 to 1 -> approved | 0.00 35.00 15.00
        => pay c1 5.00 stan 9 to 1 last no -> approved | 15.00 45.00 5.00
        => pay c1 24.00 stan 9 to 1 within 20 -> approved | 0.00 26.00 24.00
        => pay c1 24.01 stan 9 to 1 within 20 -> exceeds_preauthorized_amount | 20.00 50.00 0.00
        => pay c1 20.01 stan 9 to 1 -> exceeds_preauthorized_amount | 20.00 50.00 0.00
        => pay c1 20.00 stan 9 to 2 -> approved | 20.00 30.00 20.00   # completes nothing
        => pay c1 20.00 stan 9 to 1 term T2 -> approved | 20.00 30.00 20.00
        => pay c2 20.00 stan 9 to 1 -> approved | 20.00 30.00 20.00
        => pay c1 90.00 stan 9 to 1 within 20 -> exceeds_preauthorized_amount | 20.00 50.00 0.00
        => pay c1 5.00 stan 9 to 1 kind refund -> approved | 20.00 55.00 -5.00
        => post c1 24.00 stan 9 to 1 within 20 -> advice_accepted | 0.00 26.00 24.00
        => post c1 24.01 stan 9 to 1 within 20 -> advice_accepted | 0.00 25.99 24.01
        ";
    check(&table.replace("=> ", "auth c1 20.00 stan 1 -> approved => "));
    let all = "
        => pay c1 55.00 stan 9 to 1 within 20 -> insufficient_funds | 50.00 50.00 0.00
        => pay c1 50.00 stan 9 to 1 within 20 -> approved | 0.00 0.00 50.00
        => pay c1 60.01 stan 9 to 1 within 20 -> exceeds_preauthorized_amount | 50.00 50.00 0.00
        => post c1 60.00 stan 9 to 1 within 20 -> advice_accepted | 0.00 -10.00 60.00
        ";
    check(&all.replace("=> ", "auth c1 50.00 stan 1 -> approved => "));
    check(
        "
        auth c1 20.00 stan 1 -> approved; lock c1 7 =>
            pay c1 25.00 stan 9 to 1 -> locked_suspected_fraud | 20.00 50.00 0.00
        auth c1 20.00 stan 1 -> approved; reverse stan 1 own 71 -> reversal_accepted =>
            pay c1 20.00 stan 9 to 1 -> exceeds_preauthorized_amount | 0.00 50.00 0.00
        auth c1 20.00 stan 1 -> approved; expire 1 -> given_back =>
            pay c1 20.00 stan 9 to 1 -> approved | 0.00 30.00 20.00
        auth c1 20.00 stan 1 -> approved; auth c1 5.00 stan 2 onto 1 -> approved =>
            pay c1 25.00 stan 9 to 1 -> approved | 0.00 25.00 25.00
        auth c1 20.00 stan 1 -> approved; pay c1 15.00 stan 9 to 1 last no -> approved =>
            pay c1 10.00 stan 10 to 1 -> exceeds_preauthorized_amount | 5.00 35.00 15.00
        auth c1 20.00 stan 1 -> approved; pay c1 15.00 stan 9 to 1 last no -> approved =>
            pay c1 9.00 stan 10 to 1 within 20 -> approved | 0.00 26.00 24.00
        auth c1 20.00 stan 1 -> approved; pay c1 20.00 stan 9 to 1 -> approved =>
            pay c1 20.00 stan 9 to 1 -> approved repeated of 9 | 0.00 30.00 20.00
        auth c1 20.00 stan 1 -> approved; pay c1 20.00 stan 9 to 1 -> approved =>
            post c1 20.00 stan 9 to 1 -> advice_accepted | 0.00 30.00 20.00   # its own advice
        auth c1 20.00 stan 1 -> approved; pay c1 20.00 stan 9 to 1 -> approved =>
            reverse stan 9 own 71 -> reversal_accepted of 9 | 0.00 50.00 0.00
        # nothing is held again: whoever sends it once more must find the money there
        auth c1 20.00 stan 1 -> approved; pay c1 20.00 stan 9 to 1 -> approved =>
            void 9 issuer_inoperative -> issuer_inoperative of 9 | 0.00 50.00 0.00
        # what is held was granted, however little there is by now
        auth c1 20.00 stan 1 -> approved; advise c1 60.00 stan 2 -> advice_accepted =>
            pay c1 20.00 stan 9 to 1 -> approved | 60.00 30.00 20.00
        ",
    );
}

#[test]
fn what_settles_too_much_of_an_authorization_is_flagged() {
    World::after(CARD).run(
        "
        auth c1 20.00 stan 1                    -> approved
        post c1 15.00 stan 9 to 1 last no       -> advice_accepted
        stand-in 9 agreed
        post c1 9.00 stan 10 to 1 within 20     -> advice_accepted
        stand-in 10 agreed
        post c1 0.01 stan 11 to 1 within 20     -> advice_accepted
        stand-in 11 forced exceeds_preauthorized_amount
        # late is not too much, and may still be short of funds
        auth c1 20.00 stan 2                    -> approved
        expire 2                                -> given_back
        post c1 20.00 stan 12 to 2              -> advice_accepted
        stand-in 12 agreed
        auth c1 5.00 stan 3                     -> approved
        lock c1 7
        post c1 6.00 stan 13 to 3               -> advice_accepted
        stand-in 13 forced exceeds_preauthorized_amount
        post c1 7.00 stan 14                    -> advice_accepted
        stand-in 14 forced locked_suspected_fraud
        ",
    );
}

#[test]
fn totals_say_what_became_of_an_authorization() {
    World::after(CARD).run(
        "
        auth c1 20.00 stan 1                    -> approved
        post c1 5.00 stan 9 to 1 last no        -> advice_accepted
        stand-in 9 agreed
        totals 1 20.00 0.00 5.00 0.00
        totals 9 0.00 0.00 5.00 0.00
        reverse stan 1 leaving 12.00 own 71     -> reversal_accepted of 1
        totals 1 20.00 8.00 5.00 0.00
        post c1 9.00 stan 10 to 1 within 20     -> advice_accepted
        stand-in 10 agreed
        totals 1 20.00 8.00 14.00 0.00
        reverse stan 10 leaving 7.00 own 72     -> reversal_accepted of 10
        totals 10 0.00 2.00 7.00 0.00
        totals 1 20.00 10.00 12.00 0.00
        post c1 3.00 stan 11 to 1 kind refund   -> advice_accepted
        totals 1 20.00 10.00 12.00 3.00
        reverse stan 11 own 73                  -> reversal_accepted of 11
        totals 1 20.00 10.00 12.00 0.00
        post c1 90.00 stan 12 to 1              -> advice_accepted
        stand-in 12 forced exceeds_preauthorized_amount
        held alice 0.00
        ledger alice -52.00
        memorandum acme EUR 52.00
        network acme EUR 102.00
        pool-available deposit 898.00
        ",
    );
}
