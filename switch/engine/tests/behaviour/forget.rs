//! What a shard lets go of: answers, early reversals and command keys past their window, never
//! money and never what the tables do not have yet (W-21).

use switch_domain::{MessageClass, Timestamp};

use crate::harness::{CARDS, World, fingerprint, key};

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
fn answers_past_the_window_go_and_later_ones_stay() {
    let mut world = World::after(CARD);
    world.run("auth c1 1.00 stan 1 -> approved\n reverse stan 1 -> reversal_accepted");
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
fn an_open_authorization_outlives_its_answer_and_is_still_reversed() {
    let mut world = World::after(CARD);
    world.run("auth c1 20.00 stan 1 -> approved");
    assert_eq!(forget_all(&mut world), 1);
    world.run(
        "
        held alice 20.00
        open 1
        reverse stan 1    -> reversal_accepted of 1
        held alice 0.00
        pool-held deposit 0.00
        ",
    );
}

/// Else a shard would keep for ever each authorization that is reversed late.
#[test]
fn an_authorization_closed_after_its_answer_went_goes_with_its_reversal() {
    let mut world = World::after(CARD);
    world.run("auth c1 20.00 stan 1 -> approved");
    let id = world.names.authorizations["1"];
    forget_all(&mut world);
    world.run("reverse stan 1 own 70 -> reversal_accepted of 1");
    assert!(world.cluster.states[CARDS].authorization(id).is_some(), "while it is remembered");
    world.run("reverse stan 1 own 71 -> reversal_accepted of 1");
    assert_eq!(forget_all(&mut world), 2);
    assert!(world.cluster.states[CARDS].authorization(id).is_none(), "and no longer");
    world.run("reverse c1 stan 1 own 72 -> reversal_accepted of nothing\n held alice 0.00");
}

#[test]
fn a_closed_authorization_stays_while_its_own_answer_does() {
    let mut world = World::after(CARD);
    world.run("reverse c1 stan 1 own 70 -> reversal_accepted of nothing");
    let window_start = Timestamp(world.cluster.now.0 + 1);
    world.run("auth c1 20.00 stan 1 -> original_reversed");
    assert_eq!(forget_before(&mut world, window_start), 1);
    world.run("reverse stan 1 own 71 -> reversal_accepted of 1");
}

#[test]
fn an_early_reversal_that_met_nothing_goes_with_the_window() {
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
fn command_keys_go_with_the_window() {
    let mut world = World::after(CARD);
    world.run("credit alice 1.00 key k1");
    let window_start = Timestamp(world.cluster.now.0 + 1);
    world.run("credit alice 1.00 key k2");
    forget_before(&mut world, window_start);
    world.run(
        "
        credit alice 1.00 key k2
        ledger alice 52.00
        credit alice 1.00 key k1     # nobody remembers: it is a new command
        ledger alice 53.00
        ",
    );
}

/// A message that came again after it was forgotten was decided anew; a shard that is rebuilt from
/// the journal sees both, and forgetting the first must not take the second along.
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
    forget_all(&mut world);
    world.run("commit\n held alice 0.00\n pool-held deposit 0.00");
}

#[test]
fn a_forgotten_decline_comes_again_as_a_new_message() {
    let mut world = World::after(CARD);
    world.run("auth c1 60.00 stan 1 -> insufficient_funds");
    let first = world.names.authorizations["1"];
    forget_all(&mut world);
    assert!(world.cluster.states[CARDS].authorization(first).is_none());
    world.run("credit alice 50.00\n auth c1 60.00 stan 1 -> approved\n held alice 60.00");
    assert_ne!(world.names.authorizations["1"], first);
    let same = key(MessageClass::AuthorizationRequest, 1, fingerprint("c1"));
    let open = world.cluster.states[CARDS].authorization(world.names.authorizations["1"]);
    assert_eq!(open.map(|authorization| authorization.facts.key), Some(same));
}

/// The first approval was forgotten while it was open, and its message came again: two
/// authorizations of one key. Taking back the first leaves the answer of the second alone.
#[test]
fn a_void_of_a_forgotten_approval_leaves_the_newer_answer_alone() {
    let mut world = World::after(CARD);
    world.run("auth c1 20.00 stan 1 as first -> approved");
    forget_all(&mut world);
    world.run(
        "
        auth c1 20.00 stan 1 as second       -> approved
        held alice 40.00
        void first issuer_inoperative        -> issuer_inoperative of first
        auth c1 20.00 stan 1                 -> approved repeated of second
        held alice 20.00
        reverse stan 1                       -> reversal_accepted of second
        held alice 0.00
        ",
    );
}
