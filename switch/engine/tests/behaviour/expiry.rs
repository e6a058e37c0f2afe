//! The end of a hold that lived its life: what is held is given back once, whatever came before it
//! and whatever comes after, and the stored answer stays what it was.

use switch_domain::{AuthorizationId, MinorUnits, Timestamp};

use crate::harness::{CARDS, World};

const CARD: &str = "
    partner acme
    pool deposit EUR 1000.00
    programme gold deposit
    balance alice 50.00
    card c1 alice exp 2712
    auth c1 20.00 stan 1    -> approved
    auth c1 5.00 stan 2     -> approved
";

fn with_holds(table: &str) -> World {
    let mut world = World::after(CARD);
    world.run(table);
    world
}

/// Everything that is decided is in the tables, and memory lets go of it.
fn forget_all(world: &mut World) {
    let after = Timestamp(world.cluster.now.0 + 1);
    world.cluster.states[CARDS].forget(after, usize::MAX, after);
}

fn authorization(world: &World, stan: &str) -> switch_domain::Authorization {
    let id: AuthorizationId = world.names.authorizations[stan];
    world.cluster.replayed()[CARDS].authorization(id).expect("it is there").clone()
}

#[test]
fn a_hold_that_lived_its_life_is_given_back_once() {
    let world = with_holds(
        "
        expire 1                -> given_back
        held alice 5.00
        available alice 45.00
        ledger alice 50.00
        pool-held deposit 5.00
        open 1
        expire 1                -> held_nothing
        held alice 5.00
        restart
        expire 1                -> held_nothing
        expire 2                -> given_back
        held alice 0.00
        pool-held deposit 0.00
        ",
    );
    let expired = authorization(&world, "1");
    assert!(expired.closed && expired.reason.is_approval());
    assert_eq!(
        (expired.totals.authorized, expired.totals.reversed),
        (MinorUnits(2_000), MinorUnits::ZERO),
        "what was never cleared can be told"
    );
}

/// Available again at the commit, not before (W-14).
#[test]
fn what_is_given_back_counts_when_it_is_committed() {
    with_holds(
        "
        later: expire 1         -> given_back
        held alice 25.00
        later: expire 1         -> held_nothing   # decided already
        auth c1 40.00 stan 3    -> insufficient_funds
        commit
        held alice 5.00
        auth c1 40.00 stan 4    -> approved
        held alice 45.00
        ",
    );
}

/// What comes first, what comes second, what is held of 25.00 in the end: 5.00, in any order.
#[test]
fn whatever_comes_around_it_the_hold_is_released_once() {
    for (first, second) in [
        ("reverse stan 1 own 71 -> reversal_accepted of 1", "expire 1 -> held_nothing"),
        ("expire 1 -> given_back", "reverse stan 1 own 71 -> reversal_accepted of 1"),
        ("void 1 issuer_inoperative -> issuer_inoperative", "expire 1 -> held_nothing"),
        ("expire 1 -> given_back", "void 1 issuer_inoperative -> issuer_inoperative"),
        ("expire 1 -> given_back", "auth c1 20.00 stan 1 -> approved repeated of 1"),
        ("expire 1 -> given_back", "advise c1 20.00 stan 1 as a -> advice_accepted"),
        ("expire 1 -> given_back", "expire 1 -> held_nothing"),
        ("expire no-such -> not_there", "expire 1 -> given_back"),
    ] {
        for later in ["", "later: "] {
            for forgotten in [false, true] {
                let mut world = World::after(CARD);
                if forgotten && !first.starts_with("void") {
                    forget_all(&mut world);
                }
                world.run(&format!("{later}{first}"));
                if forgotten && later.is_empty() && !second.starts_with("void") {
                    forget_all(&mut world);
                }
                let second = match (forgotten, second.starts_with("auth")) {
                    (true, true) => second.replace("stan 1", "stan 1 mark repeat"),
                    _ => second.to_owned(),
                };
                world.run(&format!(
                    "{second}\n commit\n held alice 5.00\n pool-held deposit 5.00\n restart\n
                     reverse stan 1 own 72 -> reversal_accepted of 1\n expire 1 -> held_nothing\n
                     held alice 5.00\n pool-held deposit 5.00"
                ));
            }
        }
    }
}

#[test]
fn what_was_given_in_our_stead_ends_like_any_other() {
    with_holds(
        "
        advise c1 60.00 stan 8  -> advice_accepted
        stand-in 8 forced insufficient_funds
        held alice 85.00
        expire 8                -> given_back
        held alice 25.00
        advise c1 60.00 stan 8  -> advice_accepted repeated of 8
        reverse stan 8          -> reversal_accepted of 8
        advise c1 1.00 stan 9 said declined   -> advice_accepted
        expire 9                -> held_nothing
        held alice 25.00
        ",
    );
}

#[test]
fn a_decline_holds_nothing_to_end() {
    with_holds(
        "
        auth c1 99.00 stan 3    -> insufficient_funds
        expire 3                -> held_nothing
        held alice 25.00
        ",
    );
}

/// The terminal's counter came round: an older purchase with the same key ends, and is not what a
/// reversal means that comes while memory has of the two the older alone.
#[test]
fn the_end_of_an_older_hold_hides_no_later_purchase_from_its_reversal() {
    let mut world = World::after(CARD);
    world.run("auth c1 7.00 stan 1 time 700000000 as later -> approved");
    forget_all(&mut world);
    world.run(
        "
        expire 1                             -> given_back
        reverse stan 1 time 700000000        -> reversal_accepted of later
        held alice 5.00
        ",
    );
    forget_all(&mut world);
    world.run("expire later -> held_nothing\n expire 1 -> held_nothing\n held alice 5.00");
}
