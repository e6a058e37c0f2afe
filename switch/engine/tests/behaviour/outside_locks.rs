//! Locks that somebody outside asks for (SR-209..211): what a source may do with authority over
//! some codes, what it may never do, and that an answer is for ever.

use switch_domain::{Cause, Event, LockCode, LockRefusal, OutsideAsk};

use crate::harness::{CARDS, World, check};

const CARD: &str = "
    partner acme
    pool deposit EUR 1000.00
    programme gold deposit
    balance alice 50.00
    card c1 alice exp 2712
";

fn check_card(table: &str) {
    let mut world = World::after(CARD);
    world.run(table);
}

#[test]
fn without_authority_over_a_code_nothing_is_locked_and_nothing_is_told() {
    check_card(
        "
        lock-outside c1 7                    -> refused Outside(NotAllowed)
        lock-outside c1 7 may 6              -> refused Outside(NotAllowed)
        lock-outside unknown 7 may 6         -> refused Outside(NotAllowed)
        lock-outside no-card 7 may 6         -> refused Outside(NotAllowed)
        unlock-outside unknown               -> refused Outside(NotAllowed)
        auth c1 1.00 stan 1                  -> approved
        lock-outside unknown 7 may 6,7       -> refused Outside(NoSuchCard)
        lock-outside no-card 7 may 6,7       -> refused Outside(NoSuchCard)
        unlock-outside unknown may 6,7       -> refused Outside(NoSuchCard)
        ",
    );
}

#[test]
fn every_code_is_set_from_outside_and_answers_as_it_does_from_within() {
    for code in LockCode::ALL {
        let (number, name) = (code.number(), code.reason().name());
        check_card(&format!(
            "
            lock-outside c1 {number} may {number}
            auth c1 1.00 stan 1              -> {name}
            held alice 0.00
            restart
            auth c1 1.00 stan 2              -> {name}
            "
        ));
    }
}

/// 1, 2, 5 and 8 never; any other by whoever could have set it.
#[test]
fn what_is_reversible_comes_off_and_what_is_final_stays() {
    for code in LockCode::ALL {
        let (number, name) = (code.number(), code.reason().name());
        let (answer, after) = if code.is_irreversible() {
            ("refused Outside(Final)", name)
        } else {
            ("done", "approved")
        };
        check_card(&format!(
            "
            lock-outside c1 {number} may {number}
            unlock-outside c1 may {number}               -> {answer}
            auth c1 1.00 stan 1                          -> {after}
            lock-outside c1 {number} may {number}
            unlock-outside c1 {number} may {number}      -> {answer}
            auth c1 1.00 stan 2                          -> {after}
            "
        ));
    }
}

#[test]
fn a_lock_that_a_source_could_not_have_set_stays() {
    check_card(
        "
        lock c1 3
        unlock-outside c1 may 6,7            -> refused Outside(NotAllowed)
        unlock-outside c1 7 may 6,7          -> refused Outside(NotAllowed)
        lock-outside c1 7 may 6,7            -> refused Outside(LockedOtherwise)
        auth c1 1.00 stan 1                  -> locked_pending_query
        unlock-outside c1 7 may 3,7          -> refused Outside(LockedOtherwise)
        unlock-outside c1 3 may 3,7
        auth c1 1.00 stan 2                  -> approved
        unlock-outside c1 may 3,7            # it is not locked
        ",
    );
}

/// As from within: from reversible to final, and nothing else.
#[test]
fn which_lock_may_follow_which() {
    check_card(
        "
        lock-outside c1 7 may 1,7
        lock-outside c1 7 may 1,7            # it is so already
        lock-outside c1 1 may 1,7
        lock-outside c1 7 may 1,7            -> refused Outside(Final)
        lock-outside c1 2 may 1,2,7          -> refused Outside(Final)
        lock c1 2                            -> refused LockIsFinal
        auth c1 1.00 stan 1                  -> locked_lost
        remove c1
        lock-outside c1 7 may 1,7            -> refused Outside(NoSuchCard)
        ",
    );
}

#[test]
fn the_same_again_gets_the_same_answer_whatever_happened_since() {
    check_card(
        "
        lock-outside c1 7 may 7 key l1
        unlock c1
        lock-outside c1 7 may 7 key l1
        auth c1 1.00 stan 1                  -> approved
        lock c1 3
        lock-outside c1 7 may 7 key l2       -> refused Outside(LockedOtherwise)
        unlock c1
        lock-outside c1 7 may 7 key l2       -> refused Outside(LockedOtherwise)
        lock-outside c1 7 key l3             -> refused Outside(NotAllowed)
        lock-outside c1 7 may 7 key l3       -> refused Outside(NotAllowed)
        restart
        lock-outside c1 7 may 7 key l1
        lock-outside c1 7 may 7 key l2       -> refused Outside(LockedOtherwise)
        lock-outside c1 7 may 7 key l3       -> refused Outside(NotAllowed)
        lock-outside c1 6 may 6 key l1       -> refused KeyReused
        unlock-outside c1 7 may 7 key l1     -> refused KeyReused
        auth c1 1.00 stan 2                  -> approved
        ",
    );
}

/// What restricts counts when decided, what relaxes when committed; and one at a time.
#[test]
fn a_lock_counts_at_once_and_an_unlock_when_it_is_committed() {
    check_card(
        "
        later: lock-outside c1 7 may 7
        later: auth c1 1.00 stan 1           -> locked_suspected_fraud
        later: unlock-outside c1 may 7       -> busy
        commit
        later: unlock-outside c1 may 7
        later: auth c1 1.00 stan 2           -> locked_suspected_fraud
        later: lock-outside c1 7 may 7       -> busy
        commit
        auth c1 1.00 stan 3                  -> approved
        ",
    );
}

#[test]
fn a_refusal_is_on_record_and_changes_nothing() {
    let mut world = World::after(CARD);
    world.run("lock-outside c1 7 may 6 -> refused Outside(NotAllowed)");
    let record = world.cluster.journals[CARDS].last().expect("a record");
    assert!(matches!(record.cause, Cause::Command { .. }));
    let Event::LockRefused { card, ask, refusal } = record.event else { panic!("{record:?}") };
    assert!(card.is_some());
    assert_eq!(ask, OutsideAsk::Lock(LockCode::SuspectedFraud));
    assert_eq!(refusal, LockRefusal::NotAllowed);
    assert_eq!(record.effects, switch_domain::Effects::default());
}

#[test]
fn a_card_that_awaits_activation_is_locked_too() {
    check(
        "
        partner acme
        pool deposit EUR 1000.00
        programme gold deposit
        balance alice 50.00
        card c1 alice exp 2712 status inactive
        lock-outside c1 2 may 2
        activate c1
        auth c1 1.00 stan 1                  -> locked_stolen
        ",
    );
}
