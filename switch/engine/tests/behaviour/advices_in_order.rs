//! Advices beside the request and the reversals of the same purchase, in every order: it is held
//! once at most, and what reverses it is found, in memory and behind it.

use switch_domain::Timestamp;

use crate::harness::{CARDS, World};

const CARD: &str = "
    partner acme
    pool deposit EUR 100.00
    programme gold deposit
    balance alice 50.00
    card c1 alice exp 2712
    card c2 alice exp 2712
";

fn with_card(table: &str) {
    World::after(CARD).run(table);
}

/// Our answer came too late for the network, which then approved by itself: one purchase.
#[test]
fn an_advice_of_what_we_approved_finds_it_and_adds_nothing() {
    with_card(
        "
        auth c1 20.00 stan 1 as ours      -> approved
        advise c1 20.00 stan 1            -> advice_accepted
        stand-in 1 known
        held alice 20.00
        pool-held deposit 20.00
        open 1
        auth c1 20.00 stan 1 mark repeat  -> approved repeated of ours
        restart
        advise c1 20.00 stan 1            -> advice_accepted repeated of 1
        reverse stan 1 own 70             -> reversal_accepted of ours
        held alice 0.00
        reverse stan 1 own 71             -> reversal_accepted of ours
        pool-held deposit 0.00
        ",
    );
}

#[test]
fn an_advice_after_our_approval_was_reversed_holds_nothing() {
    with_card(
        "
        auth c1 20.00 stan 1 as ours      -> approved
        reverse stan 1                    -> reversal_accepted of ours
        advise c1 20.00 stan 1            -> advice_accepted
        stand-in 1 known
        held alice 0.00
        open 0
        ",
    );
}

/// Nobody knows which of the two amounts stands: ours is held, the other is for people.
#[test]
fn an_advice_of_what_we_approved_for_another_amount_goes_to_suspense() {
    with_card(
        "
        auth c1 20.00 stan 1 as ours      -> approved
        advise c1 25.00 stan 1            -> advice_accepted
        stand-in 1 suspense duplicate_transmission
        held alice 20.00
        reverse stan 1                    -> reversal_accepted of ours
        held alice 0.00
        ",
    );
}

#[test]
fn what_differs_in_one_field_of_the_key_is_another_purchase() {
    for other in [
        "stan 2",
        "stan 1 time 700000000",
        "stan 1 rrn B",
        "stan 1 term T2",
        "stan 1 acq 777",
        "stan 1 link 4",
    ] {
        with_card(&format!(
            "
            auth c1 20.00 stan 1 as ours    -> approved
            advise c1 20.00 {other} as theirs -> advice_accepted
            stand-in theirs agreed
            held alice 40.00
            "
        ));
    }
    with_card(
        "
        auth c1 20.00 stan 1 as ours        -> approved
        advise c2 20.00 stan 1 as theirs    -> advice_accepted
        stand-in theirs agreed
        held alice 40.00
        ",
    );
}

/// We declined, or took back what never left, and they approved: theirs is what happened.
#[test]
fn an_advice_of_what_we_declined_or_voided_holds() {
    for (before, ours, after) in [
        ("", "insufficient_funds", ""),
        ("lock c1 3", "locked_pending_query", "unlock c1"),
        ("block alice", "balance_blocked", "unblock alice"),
    ] {
        with_card(&format!(
            "
            {before}
            auth c1 60.00 stan 1 as ours        -> {ours}
            {after}
            advise c1 60.00 stan 1              -> advice_accepted
            stand-in 1 forced insufficient_funds
            held alice 60.00
            auth c1 60.00 stan 1 mark repeat    -> {ours} repeated of ours
            "
        ));
    }
}

#[test]
fn an_advice_after_a_void_holds() {
    with_card(
        "
        auth c1 20.00 stan 1 as ours        -> approved
        void ours issuer_inoperative        -> issuer_inoperative of ours
        advise c1 20.00 stan 1              -> advice_accepted
        stand-in 1 agreed
        held alice 20.00
        reverse stan 1                      -> reversal_accepted of 1
        held alice 0.00
        ",
    );
}

/// A void takes back what nobody was told of; the peer has told us of this one.
#[test]
fn a_void_after_an_advice_of_the_same_leaves_the_hold() {
    with_card(
        "
        auth c1 20.00 stan 1 as ours        -> approved
        advise c1 20.00 stan 1              -> advice_accepted
        void ours issuer_inoperative        -> issuer_inoperative
        held alice 20.00
        reverse stan 1                      -> reversal_accepted of ours
        held alice 0.00
        ",
    );
}

/// The request was under way for longer than its advice: it must not hold a second time.
#[test]
fn a_request_that_its_advice_overtook_is_declined() {
    for (said, held) in [("", "20.00"), ("said declined", "0.00")] {
        with_card(&format!(
            "
            advise c1 20.00 stan 1 {said}              -> advice_accepted
            auth c1 20.00 stan 1 as late               -> duplicate_transmission
            auth c1 20.00 stan 1 mark repeat           -> duplicate_transmission repeated of late
            held alice {held}
            open {}
            reverse c1 stan 1                          -> reversal_accepted
            held alice 0.00
            open 0
            ",
            u8::from(said.is_empty()),
        ));
    }
}

#[test]
fn a_reversal_finds_an_advice_as_it_finds_a_request() {
    with_card(
        "
        advise c1 20.00 stan 1 rrn A de7 1          -> advice_accepted
        reverse stan 1 rrn A de7 1 own 70           -> reversal_accepted of 1
        held alice 0.00
        pool-held deposit 0.00
        reverse stan 1 rrn A de7 1 own 70           -> reversal_accepted repeated of 1
        reverse stan 1 rrn A de7 1 own 71           -> reversal_accepted of 1
        held alice 0.00
        advise c1 20.00 stan 1 rrn A mark repeat    -> advice_accepted repeated of 1
        held alice 0.00
        ",
    );
}

/// Whichever of request and advice fits the reversal better, what is given back is what is held.
#[test]
fn of_a_request_and_its_advice_the_one_that_holds_is_released() {
    for says in ["", "de7 1", "de7 2"] {
        with_card(&format!(
            "
            auth c1 60.00 stan 1 de7 1 as ours      -> insufficient_funds
            advise c1 60.00 stan 1 de7 2 as theirs  -> advice_accepted
            held alice 60.00
            reverse c1 stan 1 {says}                -> reversal_accepted of theirs
            held alice 0.00
            "
        ));
        with_card(&format!(
            "
            auth c1 20.00 stan 1 de7 1 as ours      -> approved
            advise c1 20.00 stan 1 de7 2 as theirs  -> advice_accepted
            reverse c1 stan 1 {says}                -> reversal_accepted of ours
            held alice 0.00
            "
        ));
    }
}

#[test]
fn a_reversal_that_came_before_the_advice_leaves_no_hold() {
    with_card(
        "
        reverse c1 stan 1                           -> reversal_accepted of nothing
        advise c1 20.00 stan 1                      -> advice_accepted
        stand-in 1 reversed
        held alice 0.00
        advise c1 20.00 stan 1 mark repeat          -> advice_accepted repeated of 1
        advise c1 20.00 stan 1 time 700000000 as later -> advice_accepted
        stand-in later agreed
        held alice 20.00
        ",
    );
}

/// The reversal found the request, which had been declined: there was nothing to give back then,
/// and what comes of it afterwards is reversed all the same.
#[test]
fn a_reversal_between_a_decline_and_the_advice_leaves_no_hold() {
    for restart in ["", "restart"] {
        with_card(&format!(
            "
            auth c1 60.00 stan 1 as ours            -> insufficient_funds
            reverse stan 1                          -> reversal_accepted of ours
            {restart}
            advise c1 60.00 stan 1                  -> advice_accepted
            stand-in 1 reversed
            held alice 0.00
            auth c1 5.00 stan 1 time 700000000 as later -> approved
            "
        ));
        with_card(&format!(
            "
            reverse c1 stan 1                       -> reversal_accepted of nothing
            {restart}
            auth c1 20.00 stan 1 as ours            -> original_reversed
            {restart}
            advise c1 20.00 stan 1                  -> advice_accepted
            stand-in 1 reversed
            held alice 0.00
            auth c1 5.00 stan 1 time 700000000 as later -> approved
            "
        ));
    }
}

fn forget_all(world: &mut World) {
    let after = Timestamp(world.cluster.now.0 + 1);
    world.cluster.states[CARDS].forget(after, usize::MAX, after);
}

/// Advices come late by their nature: what memory has let go of is looked up for each.
#[test]
fn what_was_let_go_is_found_for_an_advice_too() {
    let mut world = World::after(CARD);
    world.run("auth c1 20.00 stan 1 as ours -> approved");
    forget_all(&mut world);
    world.run("advise c1 20.00 stan 1 -> advice_accepted\n stand-in 1 known\n held alice 20.00");
    forget_all(&mut world);
    world.run("advise c1 20.00 stan 1 mark repeat -> advice_accepted repeated of 1");
    forget_all(&mut world);
    world.run("reverse stan 1 own 70 -> reversal_accepted of ours\n held alice 0.00");

    for before in [
        "reverse c1 stan 2 -> reversal_accepted of nothing",
        "auth c1 60.00 stan 2 -> insufficient_funds\n reverse stan 2 -> reversal_accepted",
        "reverse c1 stan 2 -> reversal_accepted\n auth c1 20.00 stan 2 -> original_reversed",
    ] {
        let mut world = World::after(CARD);
        world.run(before);
        forget_all(&mut world);
        world.run("advise c1 20.00 stan 2 as late -> advice_accepted\n stand-in late reversed");
        world.run("held alice 0.00\n auth c1 1.00 stan 2 time 700000000 as later -> approved");
    }
}

/// The request is gone from memory and its advice is not: the advice holds nothing, and the one
/// that does is looked up.
#[test]
fn a_reversal_finds_a_hold_that_was_let_go_behind_what_is_still_here() {
    let mut world = World::after(CARD);
    world.run("auth c1 20.00 stan 1 as ours -> approved");
    let window = Timestamp(world.cluster.now.0 + 1);
    world.run("advise c1 20.00 stan 1 -> advice_accepted");
    let projected = Timestamp(world.cluster.now.0 + 1);
    assert_eq!(world.cluster.states[CARDS].forget(window, usize::MAX, projected), 1);
    world.run("reverse stan 1 own 70 -> reversal_accepted of ours\n held alice 0.00");

    let mut world = World::after(CARD);
    world.run("advise c1 20.00 stan 1 as theirs -> advice_accepted");
    let window = Timestamp(world.cluster.now.0 + 1);
    world.run("auth c1 20.00 stan 1 -> duplicate_transmission");
    let projected = Timestamp(world.cluster.now.0 + 1);
    assert_eq!(world.cluster.states[CARDS].forget(window, usize::MAX, projected), 1);
    world.run("reverse stan 1 own 70 -> reversal_accepted of theirs\n held alice 0.00");
}
