//! Fees of purchases that are settled or given back in pieces, or under another schedule:
//! a purchase pays one price, whichever of its messages is reversed.

use crate::fee_lives::{in_both, with_fees};

/// The others keep what they cost, whichever is reversed; the last gives all of it back.
#[test]
fn a_completion_that_is_reversed_leaves_the_others_at_what_they_cost() {
    in_both(
        "
        auth c1 30.00 stan 1              -> approved
        post c1 10.00 stan 2 to 1 last no -> advice_accepted
        post c1 20.00 stan 3 to 1         -> advice_accepted
        income acme EUR 0.75
        reverse stan 2 class financial    -> reversal_accepted
        income acme EUR 0.60
        ledger alice 29.40
        fees-of 1 0.00 0.60 0.00
        fees-of 2 0.00 0.30 0.00
        restart
        reverse stan 3 class financial    -> reversal_accepted
        income acme EUR 0.00
        ledger alice 50.00
        fees-of 1 0.00 0.00 0.00
        ",
    );
    in_both(
        "
        no-fees gold
        fees gold pos_domestic_authorized 1.00 0
        auth c1 30.00 stan 1              -> approved
        post c1 10.00 stan 2 to 1 last no -> advice_accepted
        post c1 20.00 stan 3 to 1         -> advice_accepted
        income acme EUR 1.00
        reverse stan 2 class financial    -> reversal_accepted
        income acme EUR 1.00
        ledger alice 29.00
        reverse stan 3 class financial    -> reversal_accepted
        income acme EUR 0.00
        ledger alice 50.00
        ",
    );
}

#[test]
fn what_was_taken_one_way_is_not_taken_the_other_way_again() {
    in_both(
        "
        auth c1 30.00 stan 1              -> approved
        post c1 10.00 stan 2 to 1 last no -> advice_accepted
        fees-of 1 0.30 0.45 0.00
        no-fees gold
        fees gold pos_domestic_authorized 0.30 150 taken invoiced
        post c1 20.00 stan 3 to 1         -> advice_accepted
        fees-of 1 0.00 0.45 0.30
        ledger alice 19.55
        income acme EUR 0.45
        ",
    );
}

#[test]
fn an_advice_whose_fee_leaves_the_range_of_amounts_goes_to_suspense() {
    in_both(
        "
        advise c1 92233720368547758.00 stan 1 -> advice_accepted
        stand-in 1 suspense invalid_amount
        post c1 92233720368547758.00 stan 2 -> advice_accepted
        stand-in 2 suspense invalid_amount
        held alice 0.00
        ledger alice 50.00
        ",
    );
}

/// A schedule that is gone names no event of another channel.
#[test]
fn a_fee_given_back_without_a_schedule_is_of_the_channel_of_its_purchase() {
    let world = with_fees(
        "credit",
        "
        fees gold atm_domestic_authorized 2.00 0
        pay c1 10.00 stan 1 chan atm kind cash -> approved
        income acme EUR 2.00
        no-fees gold
        reverse stan 1 class financial    -> reversal_accepted
        income acme EUR 0.00
        ",
    );
    let records = world.cluster.committed_records();
    let lines = records.iter().filter_map(|record| record.effects.fees.as_ref());
    let lines = lines.flat_map(|fees| &fees.lines);
    let lines: Vec<_> = lines.map(|line| (line.event.name(), line.amount.minor.0)).collect();
    let expected = [("atm_domestic_authorized", 200), ("atm_domestic_cleared", -200)];
    assert_eq!(lines, expected.map(|(name, fee)| (name.to_owned(), fee)));
}
