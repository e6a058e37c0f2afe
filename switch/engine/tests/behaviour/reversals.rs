//! Reversals: always accepted, found by what they say of their original, released once.

use crate::harness::{CARDS, World, check};

const CARD: &str = "
    partner acme
    pool deposit EUR 1000.00
    programme gold deposit
    balance alice 50.00
    card c1 alice exp 2712
    card c2 alice exp 2712
";

fn with_card(table: &str) {
    World::after(CARD).run(table);
}

#[test]
fn a_reversal_releases_user_funds_and_the_deposit() {
    with_card(
        "
        auth c1 20.00 stan 1    -> approved
        auth c1 5.00 stan 2     -> approved
        pool-held deposit 25.00
        reverse stan 1          -> reversal_accepted of 1
        held alice 5.00
        pool-held deposit 5.00
        ledger alice 50.00
        open 1
        ",
    );
}

#[test]
fn a_second_reversal_and_a_repeat_of_the_first_release_nothing_more() {
    with_card(
        "
        auth c1 20.00 stan 1       -> approved
        auth c1 5.00 stan 2        -> approved
        reverse stan 1 own 71      -> reversal_accepted of 1
        reverse stan 1 own 71      -> reversal_accepted repeated of 1
        reverse stan 1 own 72      -> reversal_accepted of 1
        reverse stan 1 own 72      -> reversal_accepted repeated of 1
        held alice 5.00
        pool-held deposit 5.00
        restart
        reverse stan 1 own 71      -> reversal_accepted repeated of 1
        reverse stan 1 own 73      -> reversal_accepted of 1
        held alice 5.00
        ",
    );
}

#[test]
fn a_reversal_of_nothing_known_is_accepted_and_moves_nothing() {
    with_card(
        "
        auth c1 20.00 stan 1       -> approved
        reverse c1 stan 2          -> reversal_accepted of nothing
        reverse c1 stan 2          -> reversal_accepted repeated of nothing
        reverse c2 stan 1          -> reversal_accepted of nothing   # another card's
        reverse c1 stan 1 term T2 own 70      -> reversal_accepted of nothing
        reverse c1 stan 1 acq 777 own 71      -> reversal_accepted of nothing
        reverse c1 stan 1 link 4 own 72       -> reversal_accepted of nothing
        reverse no-card stan 1 own 73         -> reversal_accepted of nothing
        held alice 20.00
        pool-held deposit 20.00
        ",
    );
}

#[test]
fn an_original_that_comes_after_its_reversal_leaves_no_hold() {
    with_card(
        "
        reverse c1 stan 1        -> reversal_accepted of nothing
        auth c1 20.00 stan 1     -> original_reversed
        held alice 0.00
        pool-held deposit 0.00
        open 0
        auth c1 20.00 stan 1     -> original_reversed repeated
        reverse c1 stan 1        -> reversal_accepted repeated of nothing
        reverse c1 stan 1 own 9  -> reversal_accepted of 1
        auth c2 20.00 stan 1     -> approved                # the other card's is another one
        ",
    );
}

#[test]
fn that_holds_after_a_restart_too() {
    with_card(
        "
        reverse c1 stan 1        -> reversal_accepted of nothing
        restart
        auth c1 20.00 stan 1     -> original_reversed
        restart
        auth c1 20.00 stan 1     -> original_reversed repeated
        held alice 0.00
        ",
    );
}

#[test]
fn only_what_an_earlier_check_lets_through_is_answered_as_reversed() {
    with_card(
        "
        lock c1 1
        reverse c1 stan 1        -> reversal_accepted of nothing
        auth c1 20.00 stan 1     -> locked_lost
        reverse c2 stan 2        -> reversal_accepted of nothing
        auth c2 60.00 stan 2     -> insufficient_funds
        held alice 0.00
        ",
    );
}

/// The early reversal has done its work once its original has come: the terminal's counter comes
/// round, and the next message with this STAN is another purchase.
#[test]
fn an_early_reversal_stops_one_original_and_no_later_purchase() {
    with_card(
        "
        reverse c1 stan 1 rrn A                  -> reversal_accepted of nothing
        auth c1 20.00 stan 1 rrn A               -> original_reversed
        auth c1 20.00 stan 1 rrn B time 700000000 as later   -> approved
        held alice 20.00
        restart
        auth c1 5.00 stan 1 rrn C time 800000000 as latest   -> approved
        held alice 25.00
        ",
    );
}

#[test]
fn an_early_reversal_is_used_up_by_an_original_that_is_declined_anyway() {
    with_card(
        "
        reverse c1 stan 1                        -> reversal_accepted of nothing
        auth c1 60.00 stan 1                     -> insufficient_funds
        auth c1 20.00 stan 1 time 700000000      -> approved
        held alice 20.00
        ",
    );
}

#[test]
fn two_early_reversals_of_one_original_are_used_up_together() {
    with_card(
        "
        reverse c1 stan 1 own 70                 -> reversal_accepted of nothing
        reverse c1 stan 1 own 71                 -> reversal_accepted of nothing
        auth c1 20.00 stan 1                     -> original_reversed
        auth c1 20.00 stan 1 time 700000000      -> approved
        ",
    );
}

#[test]
fn early_reversals_of_two_purchases_with_one_stan_stop_both() {
    with_card(
        "
        reverse c1 stan 1 rrn A de7 1 own 70     -> reversal_accepted of nothing
        reverse c1 stan 1 rrn B de7 2 own 71     -> reversal_accepted of nothing
        auth c1 20.00 stan 1 rrn B de7 2         -> original_reversed
        auth c1 20.00 stan 1 rrn A de7 1         -> original_reversed
        auth c1 20.00 stan 1 rrn C de7 3         -> approved
        ",
    );
}

/// Each of them fits, for one field alone rules nothing out: the best fit is used up, not both.
#[test]
fn of_several_early_reversals_the_best_fit_is_used_up() {
    with_card(
        "
        reverse c1 stan 1 rrn A own 70           -> reversal_accepted of nothing
        reverse c1 stan 1 rrn B own 71           -> reversal_accepted of nothing
        auth c1 20.00 stan 1 rrn B               -> original_reversed
        auth c1 20.00 stan 1 rrn A               -> original_reversed
        auth c1 20.00 stan 1 rrn C               -> approved
        ",
    );
}

#[test]
fn a_reversal_or_a_void_closes_its_original() {
    let mut world = World::after(CARD);
    for (stan, step) in [
        (1, "reverse c1 stan 1 -> reversal_accepted"),
        (2, "void 2 issuer_inoperative -> issuer_inoperative"),
    ] {
        world.run(&format!("auth c1 1.00 stan {stan} -> approved"));
        let id = world.names.authorizations[&stan.to_string()];
        let closed = |world: &World| {
            let authorization = world.cluster.states[CARDS].authorization(id);
            authorization.map(|a| (a.closed, a.totals.authorized.0, a.totals.reversed.0))
        };
        assert_eq!(closed(&world), Some((false, 100, 0)));
        world.run(step);
        assert_eq!(closed(&world), Some((true, 100, 100)));
    }
}

#[test]
fn a_reversal_of_a_declined_message_is_accepted_and_moves_nothing() {
    with_card(
        "
        auth c1 60.00 stan 1     -> insufficient_funds
        reverse stan 1           -> reversal_accepted of 1
        auth no-card 5.00 stan 2 -> invalid_card_number
        reverse stan 2           -> reversal_accepted of 2
        available alice 50.00
        auth c1 60.00 stan 1     -> insufficient_funds repeated
        ",
    );
}

#[test]
fn a_reversal_of_a_voided_approval_is_accepted_and_moves_nothing() {
    with_card(
        "
        auth c1 20.00 stan 1             -> approved
        void 1 issuer_inoperative        -> issuer_inoperative of 1
        available alice 50.00
        auth c1 5.00 stan 2              -> approved
        reverse stan 1                   -> reversal_accepted of 1
        held alice 5.00
        pool-held deposit 5.00
        ",
    );
}

#[test]
fn a_void_of_a_reversed_approval_releases_nothing_more() {
    with_card(
        "
        auth c1 20.00 stan 1             -> approved
        auth c1 5.00 stan 2              -> approved
        reverse stan 1                   -> reversal_accepted of 1
        void 1 issuer_inoperative        -> issuer_inoperative of 1
        held alice 5.00
        auth c1 20.00 stan 1             -> issuer_inoperative repeated of 1
        ",
    );
}

/// A terminal's STAN came round within the window: RRN weighs more than DE7, and the latest is
/// meant where neither tells.
#[test]
fn of_several_originals_the_best_fit_is_released() {
    let two = "
        auth c1 1.00 stan 1 rrn A de7 11 time 101 as first   -> approved
        auth c1 2.00 stan 1 rrn B de7 12 time 102 as second  -> approved
    ";
    for (says, released, left) in [
        ("", "second", "1.00"),
        ("rrn A", "first", "2.00"),
        ("rrn B", "second", "1.00"),
        ("de7 11", "first", "2.00"),
        ("de7 12", "second", "1.00"),
        ("rrn A de7 12", "first", "2.00"),
        ("rrn A de7 11", "first", "2.00"),
        ("rrn X de7 11", "first", "2.00"),
        ("rrn A de7 99", "first", "2.00"),
        ("rrn X", "second", "1.00"),
        ("de7 99", "second", "1.00"),
        ("rrn X de7 99", "nothing", "3.00"),
    ] {
        let mut world = World::after(CARD);
        world.run(two);
        world.run(&format!(
            "
            reverse c1 stan 1 {says}      -> reversal_accepted of {released}
            held alice {left}
            "
        ));
    }
}

#[test]
fn one_optional_field_that_differs_rules_no_original_out() {
    for (asked, reversed) in [
        ("rrn A", "rrn B"),
        ("de7 11", "de7 12"),
        ("rrn A de7 11", "rrn B"),
        ("rrn A", "rrn B de7 12"),
        ("rrn A de7 11", ""),
        ("", "rrn B de7 12"),
    ] {
        let mut world = World::after(CARD);
        world.run(&format!(
            "
            auth c1 1.00 stan 1 {asked}    -> approved
            reverse stan 1 {reversed}      -> reversal_accepted of 1
            held alice 0.00
            "
        ));
    }
}

#[test]
fn the_same_rules_tell_whether_an_early_reversal_spoke_of_a_message() {
    for (reversed, asked, answer) in [
        ("", "rrn A de7 11", "original_reversed"),
        ("rrn A", "rrn A", "original_reversed"),
        ("de7 11", "rrn A de7 11", "original_reversed"),
        ("rrn A de7 11", "rrn A de7 12", "original_reversed"),
        ("rrn A de7 11", "rrn B de7 11", "original_reversed"),
        ("rrn A de7 11", "rrn B de7 12", "approved"),
    ] {
        let mut world = World::after(CARD);
        world.run(&format!(
            "
            reverse c1 stan 1 {reversed}    -> reversal_accepted of nothing
            auth c1 1.00 stan 1 {asked}     -> {answer}
            "
        ));
    }
}

#[test]
fn money_that_a_reversal_gave_back_can_be_spent_again_and_reversed_again() {
    with_card(
        "
        auth c1 50.00 stan 1                    -> approved
        reverse stan 1 own 70                   -> reversal_accepted of 1
        auth c1 50.00 stan 1 time 101 as again  -> approved
        reverse c1 stan 1 own 71                -> reversal_accepted of again
        available alice 50.00
        pool-available deposit 1000.00
        ",
    );
}

#[test]
fn a_blocked_or_locked_party_does_not_keep_a_reversal_from_releasing() {
    for step in ["lock c1 1", "remove c1", "block alice", "block-customer alice", "suspend acme"] {
        let mut world = World::after(CARD);
        world.run(&format!(
            "
            auth c1 20.00 stan 1    -> approved
            {step}
            reverse stan 1          -> reversal_accepted of 1
            held alice 0.00
            pool-held deposit 0.00
            "
        ));
    }
}

#[test]
fn links_without_an_acquirer_are_told_apart() {
    check(
        "
        partner acme
        pool deposit EUR 1000.00
        programme gold deposit
        balance alice 50.00
        card c1 alice exp 2712
        auth c1 1.00 stan 1 link 4 as four   -> approved
        auth c1 2.00 stan 1 link 5 as five   -> approved
        reverse c1 stan 1 link 4             -> reversal_accepted of four
        held alice 2.00
        ",
    );
}
