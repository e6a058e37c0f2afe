//! What a shard lets go of, never before the tables have it and never money; and how it is found
//! again when a marked repeat, a reversal or a command names it (W-21). The harness looks up in the
//! journal what the state says that it has forgotten, as the shard does in the tables.

use switch_domain::Timestamp;

use crate::harness::{CARDS, World};

const CARD: &str = "
    partner acme
    pool deposit EUR 1000.00
    programme gold deposit
    balance alice 50.00
    card c1 alice exp 2712
";

/// Everything up to now is in the tables.
fn forget_before(world: &mut World, window_start: Timestamp) -> usize {
    let projected = Timestamp(world.cluster.now.0 + 1);
    world.cluster.states[CARDS].forget(window_start, usize::MAX, projected)
}

fn forget_all(world: &mut World) -> usize {
    let after = Timestamp(world.cluster.now.0 + 1);
    forget_before(world, after)
}

fn remembered(world: &World) -> usize {
    world.cluster.states[CARDS].remembered()
}

#[test]
fn messages_past_the_window_go_and_later_ones_stay() {
    let mut world = World::after(CARD);
    world.run("auth c1 1.00 stan 1 -> approved\n reverse stan 1 -> reversal_accepted of 1");
    let window_start = Timestamp(world.cluster.now.0 + 1);
    world.run("auth c1 2.00 stan 2 -> approved");
    assert_eq!(forget_before(&mut world, window_start), 2);
    assert_eq!(remembered(&world), 1);
    world.run("auth c1 2.00 stan 2 -> approved repeated of 2");
}

#[test]
fn nothing_goes_that_the_tables_do_not_have() {
    let mut world = World::after(CARD);
    world.run("auth c1 1.00 stan 1 -> approved");
    let projected = world.cluster.now;
    world.run("auth c1 60.00 stan 2 -> insufficient_funds");
    let far = Timestamp(i64::MAX);
    assert_eq!(world.cluster.states[CARDS].forget(far, 0, projected), 0);
    assert_eq!(world.cluster.states[CARDS].forget(far, 0, Timestamp(projected.0 + 1)), 1);
    world.run("auth c1 60.00 stan 2 -> insufficient_funds repeated of 2");
}

/// What was done to it last counts, not when it came.
#[test]
fn an_authorization_stays_until_its_reversal_is_in_the_tables() {
    let mut world = World::after(CARD);
    world.run("auth c1 1.00 stan 1 -> approved");
    let projected = Timestamp(world.cluster.now.0 + 1);
    world.run("reverse stan 1 -> reversal_accepted of 1");
    assert_eq!(world.cluster.states[CARDS].forget(Timestamp(i64::MAX), 0, projected), 0);
    assert_eq!(forget_all(&mut world), 2);
}

#[test]
fn past_a_number_the_oldest_go_first() {
    let mut world = World::after(CARD);
    for stan in 1..=9 {
        world.run(&format!("auth c1 99.00 stan {stan} -> insufficient_funds"));
    }
    let after = Timestamp(world.cluster.now.0 + 1);
    let state = &mut world.cluster.states[CARDS];
    assert_eq!(state.forget(Timestamp(0), 4, after), 5);
    assert_eq!(state.forget(Timestamp(0), 4, after), 0);
    world.run("auth c1 99.00 stan 6 -> insufficient_funds repeated of 6");
}

#[test]
fn an_open_authorization_that_was_let_go_is_still_reversed_once() {
    let mut world = World::after(CARD);
    world.run("auth c1 20.00 stan 1 -> approved");
    assert_eq!(forget_all(&mut world), 1);
    world.run(
        "
        held alice 20.00
        open 0
        reverse stan 1 own 70               -> reversal_accepted of 1
        held alice 0.00
        pool-held deposit 0.00
        reverse stan 1 own 71               -> reversal_accepted of 1
        held alice 0.00
        ",
    );
    forget_all(&mut world);
    world.run(
        "
        reverse stan 1 own 72               -> reversal_accepted of 1
        reverse stan 1 own 70 mark repeat   -> reversal_accepted repeated of 1
        held alice 0.00
        ",
    );
}

#[test]
fn a_marked_repeat_gets_the_answer_that_was_let_go() {
    let mut world = World::after(CARD);
    world.run("auth c1 20.00 stan 1 -> approved\n auth c1 60.00 stan 2 -> insufficient_funds");
    assert_eq!(forget_all(&mut world), 2);
    world.run(
        "
        credit alice 60.00
        auth c1 20.00 stan 1 mark repeat    -> approved repeated of 1
        auth c1 60.00 stan 2 mark repeat    -> insufficient_funds repeated of 2
        held alice 20.00
        auth c1 1.00 stan 3 mark repeat     -> approved
        auth c1 1.00 stan 3 mark repeat     -> approved repeated of 3
        ",
    );
}

/// A voided approval is answered as a decline for ever, and holds nothing.
#[test]
fn a_voided_approval_that_was_let_go_comes_back_as_a_decline() {
    let mut world = World::after(CARD);
    world.run(
        "
        auth c1 20.00 stan 1                -> approved
        void 1 issuer_inoperative           -> issuer_inoperative of 1
        ",
    );
    forget_all(&mut world);
    world.run("auth c1 20.00 stan 1 mark repeat -> issuer_inoperative repeated of 1");
}

/// What was recalled is let go again once the tables have what came of it.
#[test]
fn what_was_recalled_does_not_stay() {
    let mut world = World::after(CARD);
    world.run("auth c1 20.00 stan 1 -> approved");
    let id = world.names.authorizations["1"];
    forget_all(&mut world);
    assert!(world.cluster.states[CARDS].authorization(id).is_none());
    world.run("reverse stan 1 own 70 -> reversal_accepted of 1");
    let recalled = world.cluster.states[CARDS].authorization(id);
    assert!(recalled.is_some_and(|one| one.closed), "until the tables have the reversal");
    let projected = Timestamp(world.cluster.now.0);
    world.cluster.states[CARDS].forget(Timestamp(0), usize::MAX, projected);
    assert!(world.cluster.states[CARDS].authorization(id).is_some());
    forget_all(&mut world);
    assert!(world.cluster.states[CARDS].authorization(id).is_none());
}

/// One in memory that a field speaks against is not taken where an older one fits.
#[test]
fn an_older_original_that_fits_better_is_found() {
    let mut world = World::after(CARD);
    world.run("auth c1 1.00 stan 1 rrn A de7 1 as older -> approved");
    forget_all(&mut world);
    world.run(
        "
        auth c1 2.00 stan 1 rrn B de7 1 as newer    -> approved
        reverse c1 stan 1 own 70 rrn A de7 1        -> reversal_accepted of older
        held alice 2.00
        ",
    );
}

/// Nor is one of which a field says nothing: an older one may say the same.
#[test]
fn an_older_original_that_says_more_is_found() {
    let mut world = World::after(CARD);
    world.run("auth c1 1.00 stan 1 rrn A as older -> approved");
    forget_all(&mut world);
    world.run(
        "
        auth c1 2.00 stan 1 as newer        -> approved
        reverse c1 stan 1 own 70 rrn A      -> reversal_accepted of older
        held alice 2.00
        ",
    );
}

/// Lets go of all but the newest message.
fn forget_all_but_one(world: &mut World) {
    let projected = Timestamp(world.cluster.now.0 + 1);
    world.cluster.states[CARDS].forget(Timestamp(0), 1, projected);
    assert_eq!(remembered(world), 1);
}

/// An advice that went to suspense hides the request from its reversal no more than from people.
#[test]
fn an_original_is_found_behind_its_advice_that_holds_nothing() {
    let mut world = World::after(CARD);
    world.run("auth c1 10.00 stan 1 as request -> approved");
    world.run("advise c1 12.00 stan 1 as advice -> advice_accepted");
    forget_all_but_one(&mut world);
    world.run(
        "
        reverse c1 stan 1 own 70    -> reversal_accepted of request
        held alice 0.00
        ",
    );
}

/// A reversal names the trace of a request that is in no table yet; the advice of it, which holds,
/// has a trace of its own and is in the tables alone.
#[test]
fn an_advice_is_found_behind_a_request_that_only_memory_has() {
    let mut world = World::after(CARD);
    world.run("advise c1 12.00 stan 1 trace X as advice -> advice_accepted");
    forget_all(&mut world);
    world.run("later: auth c1 12.00 stan 1 trace Y mark repeat -> duplicate_transmission");
    forget_all_but_one(&mut world);
    world.run(
        "
        reverse c1 stan 9 own 70 trace Y    -> reversal_accepted of advice
        commit
        held alice 0.00
        ",
    );
}

/// What a reversal changes of the authorization behind a completion has to be in memory until the
/// tables have it: whoever asks them before would be told what is no more.
#[test]
fn the_reversal_of_a_completion_brings_back_what_it_completed() {
    let mut world = World::after(CARD);
    world.run("auth c1 10.00 stan 1 -> approved");
    world.run("post c1 4.00 stan 2 to 1 last no -> advice_accepted");
    forget_all_but_one(&mut world);
    world.run("reverse c1 stan 2 own 70 -> reversal_accepted of 2\n held alice 6.00");
    let first = world.names.authorizations["1"];
    let first = world.cluster.states[CARDS].authorization(first).expect("it was looked up");
    assert_eq!((first.totals.cleared.0, first.totals.reversed.0), (0, 400));
}

#[test]
fn an_early_reversal_goes_with_the_window() {
    let mut world = World::after(CARD);
    world.run("reverse c1 stan 1 own 70 -> reversal_accepted of nothing");
    let window_start = Timestamp(world.cluster.now.0 + 1);
    world.run("reverse c1 stan 2 own 71 -> reversal_accepted of nothing");
    forget_before(&mut world, window_start);
    world.run(
        "
        auth c1 1.00 stan 1   -> approved
        auth c1 1.00 stan 2   -> original_reversed
        ",
    );
}

/// One that was used up must not take a newer one of the same STAN with it when its time comes.
#[test]
fn a_used_up_early_reversal_takes_no_newer_one_along() {
    let mut world = World::after(CARD);
    world.run(
        "
        reverse c1 stan 1 own 70 rrn A de7 1    -> reversal_accepted of nothing
        auth c1 1.00 stan 1 rrn A de7 1         -> original_reversed
        ",
    );
    let window_start = Timestamp(world.cluster.now.0 + 1);
    world.run("reverse c1 stan 1 own 71 rrn B de7 2 -> reversal_accepted of nothing");
    forget_before(&mut world, window_start);
    world.run("auth c1 1.00 stan 1 rrn B de7 2 -> original_reversed");
}

#[test]
fn early_reversals_and_command_keys_stay_until_the_tables_have_them() {
    let mut world = World::after(CARD);
    let projected = world.cluster.now;
    world.run(
        "
        reverse c1 stan 1       -> reversal_accepted of nothing
        credit alice 1.00 key k1
        ",
    );
    world.cluster.states[CARDS].forget(Timestamp(i64::MAX), 0, projected);
    world.run(
        "
        auth c1 1.00 stan 1     -> original_reversed
        credit alice 1.00 key k1
        ledger alice 51.00
        ",
    );
}

#[test]
fn command_keys_that_were_let_go_are_looked_up() {
    let mut world = World::after(CARD);
    world.run("credit alice 1.00 key k1\n credit alice 1.00 key k2");
    forget_all(&mut world);
    world.run(
        "
        credit alice 1.00 key k2
        credit alice 1.00 key k1
        credit alice 2.00 key k1 -> refused KeyReused
        ledger alice 52.00
        ",
    );
}

/// What a request completes is looked up like what an advice does, and its hold is freed once.
#[test]
fn an_authorization_that_was_let_go_is_still_completed_by_a_request() {
    let mut world = World::after(CARD);
    world.run("auth c1 20.00 stan 1 -> approved\n auth c1 5.00 stan 2 onto 1 -> approved");
    assert_eq!(forget_all(&mut world), 2);
    world.run(
        "
        pay c1 26.00 stan 9 to 2            -> exceeds_preauthorized_amount
        pay c1 25.00 stan 10 to 2           -> approved
        held alice 0.00
        ledger alice 25.00
        ",
    );
    forget_all(&mut world);
    world.run(
        "
        pay c1 25.00 stan 10 to 2 mark repeat -> approved repeated of 10
        pay c1 1.00 stan 11 to 1            -> exceeds_preauthorized_amount
        ledger alice 25.00
        ",
    );
}

/// An unmarked repeat of a forgotten message is decided anew; a shard that is rebuilt from the
/// journal sees both, and forgetting the first must not take the second along.
#[test]
fn a_rebuilt_shard_forgets_the_first_of_two_answers_and_keeps_the_second() {
    let mut world = World::after(CARD);
    world.run("auth c1 60.00 stan 1 -> insufficient_funds");
    assert_eq!(forget_all(&mut world), 1);
    let window_start = Timestamp(world.cluster.now.0 + 1);
    world.run("credit alice 50.00\n auth c1 60.00 stan 1 as again -> approved");
    world.run("restart");
    forget_before(&mut world, window_start);
    assert_eq!(remembered(&world), 1);
    world.run("auth c1 60.00 stan 1 -> approved repeated of again\n held alice 60.00");
}

#[test]
fn forgetting_in_flight_loses_neither_hold_nor_release() {
    let mut world = World::after(CARD);
    world.run(
        "
        auth c1 20.00 stan 1            -> approved
        later: reverse stan 1           -> reversal_accepted of 1
        ",
    );
    let committed = world.cluster.now;
    world.cluster.states[CARDS].forget(Timestamp(i64::MAX), 0, committed);
    world.run("commit\n held alice 0.00\n pool-held deposit 0.00");
}

/// A marked repeat asks the tables, and they have the reversal: its hold would never end (I7).
#[test]
fn an_early_reversal_that_was_let_go_still_stops_a_marked_repeat_of_its_original() {
    let mut world = World::after(CARD);
    world.run("reverse c1 stan 1 own 70 -> reversal_accepted of nothing");
    assert_eq!(forget_all(&mut world), 1);
    world.run(
        "
        auth c1 1.00 stan 1 mark repeat     -> original_reversed
        auth c1 1.00 stan 1 mark repeat     -> original_reversed repeated of 1
        held alice 0.00
        ",
    );
    forget_all(&mut world);
    world.run("auth c1 1.00 stan 1 mark repeat -> original_reversed repeated of 1");
}

/// It has done its work with the one that it speaks of; a later purchase with that STAN goes on.
#[test]
fn an_early_reversal_that_was_let_go_stops_one_message_only() {
    let mut world = World::after(CARD);
    world.run(
        "
        reverse c1 stan 1 own 70 rrn A de7 1            -> reversal_accepted of nothing
        auth c1 1.00 stan 1 rrn A de7 1 as first        -> original_reversed
        ",
    );
    forget_all(&mut world);
    world.run("auth c1 1.00 stan 1 rrn B de7 1 mark repeat as second -> approved");
    forget_all(&mut world);
    world.run(
        "
        reverse c1 stan 2 own 71 rrn C de7 3            -> reversal_accepted of nothing
        held alice 1.00
        ",
    );
    forget_all(&mut world);
    // Both optional fields speak against it: another transaction.
    world.run("auth c1 1.00 stan 2 rrn D de7 4 mark repeat as third -> approved");
    // What was looked up and stopped nobody still stops its own original.
    world.run("auth c1 1.00 stan 2 rrn C de7 3 as fourth -> original_reversed");
}
