//! Incremental authorizations, over all that a purchase can be when one arrives, and all that can
//! arrive over a purchase that was added to. A purchase has one hold, that of its first
//! authorization: whoever names an increment in a completion or in another increment means the
//! purchase; whoever reverses one means that one alone.

use switch_domain::{MinorUnits, Timestamp};
use switch_engine::{Answer, Command, HoldEnd};

use crate::harness::{CARDS, World};
use crate::matching::{CARD, check};

fn check_over(there: &str, table: &str) {
    check(&table.replace("=> ", &format!("{there} => ")));
}

#[test]
fn over_an_authorization() {
    check_over(
        "auth c1 20.00 stan 1 -> approved",
        "
        => auth c1 5.00 stan 2 onto 1 -> approved | 25.00 50.00 0.00
        => auth c1 30.00 stan 2 onto 1 -> approved | 50.00 50.00 0.00
        => auth c1 31.00 stan 2 onto 1 -> insufficient_funds | 20.00 50.00 0.00
        => auth c1 50.00 stan 2 instead 1 -> approved | 50.00 50.00 0.00
        => auth c1 51.00 stan 2 instead 1 -> insufficient_funds | 20.00 50.00 0.00
        => auth c1 20.00 stan 2 instead 1 -> approved | 20.00 50.00 0.00
        => auth c1 8.00 stan 2 instead 1 -> approved | 8.00 50.00 0.00
        => auth c1 5.00 stan 2 onto 1 kind preauthorization -> approved | 25.00 50.00 0.00
        => auth c1 5.00 stan 2 onto 1 kind cash -> approved | 25.00 50.00 0.00
        => auth c1 5.00 stan 2 onto 1 kind refund -> approved | 20.00 50.00 0.00
        => auth c1 0.00 stan 2 onto 1 kind inquiry -> approved | 20.00 50.00 0.00
        => auth c1 0.00 stan 2 onto 1 -> invalid_amount | 20.00 50.00 0.00
        => advise c1 5.00 stan 2 onto 1 -> advice_accepted | 25.00 50.00 0.00
        => advise c1 40.00 stan 2 onto 1 -> advice_accepted | 60.00 50.00 0.00   # forced
        => advise c1 60.00 stan 2 instead 1 -> advice_accepted | 60.00 50.00 0.00
        => advise c1 5.00 stan 2 onto 1 said declined -> advice_accepted | 20.00 50.00 0.00
        # nothing that it could add to: it stands for itself
        => auth c1 5.00 stan 2 onto 9 -> approved | 25.00 50.00 0.00
        => auth c1 5.00 stan 2 instead 9 -> approved | 25.00 50.00 0.00
        => auth c1 5.00 stan 2 onto 1 term T2 -> approved | 25.00 50.00 0.00
        => auth c1 5.00 stan 2 onto 1 acq 777 -> approved | 25.00 50.00 0.00
        => auth c2 5.00 stan 2 onto 1 -> approved | 25.00 50.00 0.00
        ",
    );
}

#[test]
fn over_what_is_no_longer_open() {
    check(
        "
        auth c1 20.00 stan 1 -> approved; reverse stan 1 own 71 -> reversal_accepted =>
            auth c1 5.00 stan 2 onto 1 -> approved | 5.00 50.00 0.00
        auth c1 20.00 stan 1 -> approved; post c1 20.00 stan 9 to 1 -> advice_accepted =>
            auth c1 5.00 stan 2 onto 1 -> approved | 5.00 30.00 20.00
        auth c1 20.00 stan 1 -> approved; expire 1 -> given_back =>
            auth c1 5.00 stan 2 instead 1 -> approved | 5.00 50.00 0.00
        auth c1 60.00 stan 1 -> insufficient_funds =>
            auth c1 5.00 stan 2 onto 1 -> approved | 5.00 50.00 0.00
        pay c1 20.00 stan 1 -> approved =>
            auth c1 5.00 stan 2 onto 1 -> approved | 5.00 30.00 20.00
        auth c1 20.00 stan 1 -> approved; lock c1 7 =>
            auth c1 5.00 stan 2 onto 1 -> locked_suspected_fraud | 20.00 50.00 0.00
        auth c1 20.00 stan 1 -> approved; post c1 5.00 stan 9 to 1 last no -> advice_accepted =>
            auth c1 5.00 stan 2 onto 1 -> approved | 20.00 45.00 5.00
        # of 20.00, 5.00 are settled; of 18.00 then 13.00 are still to come
        auth c1 20.00 stan 1 -> approved; post c1 5.00 stan 9 to 1 last no -> advice_accepted =>
            auth c1 18.00 stan 2 instead 1 -> approved | 13.00 45.00 5.00
        auth c1 20.00 stan 1 -> approved; post c1 5.00 stan 9 to 1 last no -> advice_accepted =>
            auth c1 3.00 stan 2 instead 1 -> approved | 0.00 45.00 5.00
        auth c1 20.00 stan 1 -> approved; reverse stan 1 leaving 12.00 own 71 -> reversal_accepted
            => auth c1 15.00 stan 2 instead 1 -> approved | 15.00 50.00 0.00
        # reversed before it came
        auth c1 20.00 stan 1 -> approved; reverse c1 stan 2 own 71 -> reversal_accepted =>
            auth c1 5.00 stan 2 onto 1 -> original_reversed | 20.00 50.00 0.00
        auth c1 20.00 stan 1 -> approved; reverse c1 stan 2 leaving 3.00 own 71 -> reversal_accepted
            => auth c1 5.00 stan 2 onto 1 -> approved | 23.00 50.00 0.00
        ",
    );
}

#[test]
fn over_a_purchase_that_was_added_to() {
    check_over(
        "auth c1 20.00 stan 1 -> approved; auth c1 5.00 stan 2 onto 1 -> approved",
        "
        => auth c1 5.00 stan 2 onto 1 -> approved repeated of 2 | 25.00 50.00 0.00
        => auth c1 5.00 stan 2 onto 1 mark repeat -> approved repeated of 2 | 25.00 50.00 0.00
        => auth c1 6.00 stan 2 onto 1 -> duplicate_transmission | 25.00 50.00 0.00
        => advise c1 5.00 stan 2 onto 1 -> advice_accepted | 25.00 50.00 0.00   # of the same
        => auth c1 20.00 stan 1 -> approved repeated of 1 | 25.00 50.00 0.00
        => auth c1 4.00 stan 3 onto 1 -> approved | 29.00 50.00 0.00
        => auth c1 4.00 stan 3 onto 2 -> approved | 29.00 50.00 0.00
        => auth c1 30.00 stan 3 instead 1 -> approved | 30.00 50.00 0.00
        => auth c1 7.00 stan 3 instead 2 -> approved | 7.00 50.00 0.00
        => reverse stan 2 own 71 -> reversal_accepted of 2 | 20.00 50.00 0.00
        => reverse stan 2 leaving 3.00 own 71 -> reversal_accepted of 2 | 23.00 50.00 0.00
        => reverse stan 2 leaving 9.00 own 71 -> reversal_accepted of 2 | 25.00 50.00 0.00
        => reverse stan 1 own 71 -> reversal_accepted of 1 | 0.00 50.00 0.00
        => reverse stan 1 leaving 22.00 own 71 -> reversal_accepted of 1 | 22.00 50.00 0.00
        => post c1 25.00 stan 9 to 1 -> advice_accepted | 0.00 25.00 25.00
        => post c1 22.00 stan 9 to 2 -> advice_accepted | 0.00 28.00 22.00
        => post c1 60.00 stan 9 to 1 -> advice_accepted | 0.00 -10.00 60.00
        => post c1 10.00 stan 9 to 1 last no -> advice_accepted | 15.00 40.00 10.00
        => post c1 4.00 stan 9 to 2 kind refund -> advice_accepted | 25.00 54.00 -4.00
        => expire 1 -> given_back | 0.00 50.00 0.00
        => expire 2 -> held_nothing | 25.00 50.00 0.00
        => void 2 issuer_inoperative -> issuer_inoperative of 2 | 20.00 50.00 0.00
        ",
    );
}

#[test]
fn over_a_purchase_that_was_added_to_and_taken_back() {
    let there = "auth c1 20.00 stan 1 -> approved; auth c1 5.00 stan 2 onto 1 -> approved;";
    check_over(
        &format!("{there} reverse stan 2 own 71 -> reversal_accepted"),
        "
        => reverse stan 2 own 72 -> reversal_accepted of 2 | 20.00 50.00 0.00
        => reverse stan 1 own 72 -> reversal_accepted of 1 | 0.00 50.00 0.00
        => post c1 20.00 stan 9 to 2 -> advice_accepted | 0.00 30.00 20.00
        => auth c1 5.00 stan 2 onto 1 -> approved repeated of 2 | 20.00 50.00 0.00
        => auth c1 5.00 stan 3 onto 2 -> approved | 25.00 50.00 0.00
        ",
    );
    check_over(
        &format!("{there} reverse stan 1 own 71 -> reversal_accepted"),
        "
        => reverse stan 2 own 72 -> reversal_accepted of 2 | 0.00 50.00 0.00
        => void 2 issuer_inoperative -> issuer_inoperative of 2 | 0.00 50.00 0.00
        => post c1 25.00 stan 9 to 2 -> advice_accepted | 0.00 25.00 25.00
        => auth c1 5.00 stan 3 onto 2 -> approved | 5.00 50.00 0.00
        ",
    );
    check_over(
        &format!("{there} post c1 25.00 stan 9 to 1 -> advice_accepted"),
        "
        => reverse stan 2 own 72 -> reversal_accepted of 2 | 0.00 25.00 25.00
        => reverse stan 9 own 72 -> reversal_accepted of 9 | 0.00 50.00 0.00
        => auth c1 5.00 stan 3 onto 2 -> approved | 5.00 25.00 25.00
        => void 2 issuer_inoperative -> issuer_inoperative of 2 | 0.00 25.00 25.00
        ",
    );
    check(
        "
        auth c1 20.00 stan 1 -> approved; auth c1 30.00 stan 2 instead 1 -> approved =>
            reverse stan 2 own 71 -> reversal_accepted of 2 | 20.00 50.00 0.00
        auth c1 20.00 stan 1 -> approved; auth c1 30.00 stan 2 instead 1 -> approved =>
            reverse stan 2 leaving 26.00 own 71 -> reversal_accepted of 2 | 26.00 50.00 0.00
        # what was lowered is not raised again
        auth c1 20.00 stan 1 -> approved; auth c1 8.00 stan 2 instead 1 -> approved =>
            reverse stan 2 own 71 -> reversal_accepted of 2 | 8.00 50.00 0.00
        auth c1 20.00 stan 1 -> approved; auth c1 8.00 stan 2 instead 1 -> approved =>
            post c1 8.00 stan 9 to 2 -> advice_accepted | 0.00 42.00 8.00
        # the advice came before its request, and has the effect
        auth c1 20.00 stan 1 -> approved; advise c1 5.00 stan 2 onto 1 as A -> advice_accepted;
            auth c1 5.00 stan 2 onto 1 -> duplicate_transmission =>
            reverse stan 2 own 71 -> reversal_accepted of A | 20.00 50.00 0.00
        ",
    );
}

fn forget_all(world: &mut World) {
    let after = Timestamp(world.cluster.now.0 + 1);
    world.cluster.states[CARDS].forget(after, usize::MAX, after);
}

/// With everything let go before each step, the tables tell the same.
#[test]
fn what_memory_let_go_is_found_with_the_purchase_that_it_belongs_to() {
    let steps = [
        ("auth c1 4.00 stan 3 onto 1 -> approved", "29.00"),
        ("auth c1 4.00 stan 3 onto 2 -> approved", "29.00"),
        ("auth c1 5.00 stan 2 onto 1 mark repeat -> approved repeated of 2", "25.00"),
        ("advise c1 4.00 stan 3 onto 2 -> advice_accepted", "29.00"),
        ("reverse stan 2 own 71 -> reversal_accepted of 2", "20.00"),
        ("reverse stan 2 own 71 mark repeat -> reversal_accepted of 2", "20.00"),
        ("reverse stan 1 own 71 -> reversal_accepted of 1", "0.00"),
        ("post c1 25.00 stan 9 to 2 -> advice_accepted", "0.00"),
        ("expire 1 -> given_back", "0.00"),
    ];
    for (step, held) in steps {
        let mut world = World::after(CARD);
        world.run("auth c1 20.00 stan 1 -> approved");
        forget_all(&mut world);
        world.run("auth c1 5.00 stan 2 onto 1 -> approved\n held alice 25.00");
        forget_all(&mut world);
        world.run(&format!("{step}\n held alice {held}"));
        forget_all(&mut world);
        // Whatever came before it, no more than this is left after it.
        let rest = if held == "0.00" { "0.00" } else { "20.00" };
        world.run("reverse stan 2 own 77 -> reversal_accepted of 2");
        let is_more = step.contains("stan 3");
        world.run(&format!("held alice {}", if is_more { "24.00" } else { rest }));
    }
}

/// The increment is remembered, and the purchase that it belongs to is not.
#[test]
fn a_purchase_that_was_let_go_is_looked_up_for_its_increment() {
    let mut world = World::after(CARD);
    world.run("auth c1 20.00 stan 1 -> approved");
    let after_first = Timestamp(world.cluster.now.0 + 1);
    world.run("auth c1 5.00 stan 2 onto 1 -> approved");
    let all = Timestamp(world.cluster.now.0 + 1);
    assert_eq!(world.cluster.states[CARDS].forget(after_first, usize::MAX, all), 1);
    world.run(
        "
        reverse stan 2 leaving 2.00 own 71  -> reversal_accepted of 2
        held alice 22.00
        ",
    );
    assert_eq!(world.cluster.states[CARDS].forget(after_first, usize::MAX, all), 0, "not yet");
    world
        .run("post c1 21.00 stan 9 to 2 -> advice_accepted\n held alice 0.00\n ledger alice 29.00");
}

#[test]
fn the_totals_of_the_first_have_the_whole_and_those_of_an_increment_what_it_added() {
    let mut world = World::after(CARD);
    world.run(
        "
        auth c1 20.00 stan 1                -> approved
        auth c1 5.00 stan 2 onto 1          -> approved
        auth c1 40.00 stan 3 instead 1      -> approved
        auth c1 33.00 stan 4 instead 1      -> approved
        reverse stan 2 own 71               -> reversal_accepted of 2
        totals 1 20.00 12.00 0.00 0.00
        totals 2 5.00 5.00 0.00 0.00
        totals 3 15.00 0.00 0.00 0.00
        totals 4 0.00 0.00 0.00 0.00
        held alice 28.00
        post c1 28.00 stan 9 to 1           -> advice_accepted
        totals 1 20.00 12.00 28.00 0.00
        stand-in 9 agreed
        open 0
        ",
    );
    let one =
        |stan: &str| world.cluster.states[CARDS].authorization(world.names.authorizations[stan]);
    let (first, increment) = (one("1").expect("there"), one("2").expect("there"));
    assert_eq!(first.totals.incremented, MinorUnits(2_000));
    assert_eq!(increment.completes.map(|one| one.authorization), Some(first.id));
    assert_eq!(increment.completes.map(|one| one.decided_at), Some(first.decided_at));
    assert!(increment.closed && increment.held().is_zero());
}

/// What was found to be over before the increment came is not over any more.
#[test]
fn the_life_of_a_hold_begins_again_with_an_increment() {
    let mut world = World::after(CARD);
    world.run("auth c1 20.00 stan 1 -> approved");
    let first = world.names.authorizations["1"];
    let found = world.cluster.hold(first);
    world.run("auth c1 5.00 stan 2 onto 1 -> approved");
    let ended = world.cluster.submit(CARDS, &Command::Expire(found));
    assert_eq!(ended, Answer::HoldEnded(HoldEnd::BegunAgain));
    world.run("held alice 25.00\n expire 1 -> given_back\n held alice 0.00");
}
