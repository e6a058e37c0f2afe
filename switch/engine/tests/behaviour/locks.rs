//! Lock codes: what each answers in every version of ISO 8583, and which may follow which.

use switch_domain::{LockCode, Reason};

use crate::harness::{World, check};

const CARD: &str = "
    partner acme
    pool deposit EUR 1000.00
    programme gold deposit
    balance alice 50.00
    card c1 alice exp 2712
";

/// Lock code, reason, DE39 of 2003, of 1993 and of 1987, and whether it can be taken back.
const LOCKS: &str = "
    1   locked_lost                         2008  208  41  final
    2   locked_stolen                       2009  209  43  final
    3   locked_pending_query                1000  100  05  reversible
    4   locked_consolidation                1016  116  51  reversible
    5   locked_inactive                     1018  118  56  final
    6   locked_pin_tries_exceeded           1006  106  75  reversible
    7   locked_suspected_fraud              1002  102  59  reversible
    8   locked_replaced                     1011  111  14  final
    11  locked_offline_pin_tries_exceeded   1006  106  75  reversible
";

fn locks() -> Vec<Vec<&'static str>> {
    let rows = LOCKS.lines().filter(|line| !line.trim().is_empty());
    rows.map(|line| line.split_whitespace().collect()).collect()
}

#[test]
fn every_lock_answers_with_its_codes_and_holds_nothing() {
    assert_eq!(locks().len(), LockCode::ALL.len());
    for row in locks() {
        let [number, name, v2003, v1993, v1987, _] = row[..] else { panic!("{row:?}") };
        let mut world = World::after(CARD);
        world.run(&format!(
            "
            lock c1 {number}
            auth c1 1.00 stan 1             -> {name}
            auth c1 99999.00 stan 2         -> {name}    # whatever else is wrong behind it
            held alice 0.00
            pool-held deposit 0.00
            restart
            auth c1 1.00 stan 3             -> {name}
            "
        ));
        let reason = Reason::from_name(name).expect("a reason");
        assert_eq!(reason.action_code_2003(), v2003, "lock {number}");
        assert_eq!(reason.action_code_1993(), v1993, "lock {number}");
        assert_eq!(reason.action_code_1987(), v1987, "lock {number}");
    }
}

#[test]
fn reversible_locks_come_off_and_final_ones_do_not() {
    for row in locks() {
        let [number, name, .., last] = row[..] else { panic!("{row:?}") };
        let mut world = World::after(CARD);
        let (unlocked, after) = match last {
            "final" => ("refused LockIsFinal", name),
            _ => ("done", "approved"),
        };
        world.run(&format!(
            "
            lock c1 {number}
            unlock c1               -> {unlocked}
            auth c1 1.00 stan 1     -> {after}
            "
        ));
    }
}

/// SR-174 and A-19: the same again is done already; to a final one it may change; nothing else.
#[test]
fn which_lock_may_follow_which() {
    for first in locks() {
        for second in locks() {
            let (one, other) = (first[0], second[0]);
            let (answer, left) = match (first[5], second[5]) {
                _ if one == other => ("done", first[1]),
                ("final", _) => ("refused LockIsFinal", first[1]),
                (_, "final") => ("done", second[1]),
                _ => ("refused LockedOtherwise", first[1]),
            };
            let mut world = World::after(CARD);
            world.run(&format!(
                "
                lock c1 {one}
                lock c1 {other}         -> {answer}
                auth c1 1.00 stan 1     -> {left}
                "
            ));
        }
    }
}

#[test]
fn a_lock_leaves_the_cards_open_holds_and_other_cards_alone() {
    check(
        "
        partner acme
        pool deposit EUR 1000.00
        programme gold deposit
        balance alice 50.00
        card c1 alice exp 2712
        card c2 alice exp 2712
        auth c1 20.00 stan 1   -> approved
        lock c1 2
        held alice 20.00
        auth c1 20.00 stan 1   -> approved repeated    # it was approved, and says so again
        auth c1 20.00 stan 2   -> locked_stolen
        auth c2 10.00 stan 3   -> approved
        reverse stan 1         -> reversal_accepted of 1
        held alice 10.00
        ",
    );
}

#[test]
fn a_card_is_locked_before_it_is_active_and_stays_so_after() {
    check(
        "
        partner acme
        pool deposit EUR 1000.00
        programme gold deposit
        balance alice 50.00
        card c1 alice exp 2712 status inactive
        unlock c1                -> done            # it is not locked
        lock c1 7
        auth c1 1.00 stan 1      -> card_not_active
        activate c1
        auth c1 1.00 stan 2      -> locked_suspected_fraud
        unlock c1
        auth c1 1.00 stan 3      -> approved
        remove c1
        lock c1 1                -> refused NoSuchCard
        unlock c1                -> refused NoSuchCard
        activate c1              -> refused NoSuchCard
        remove c1                -> done
        lock no-card 1           -> refused NoSuchCard
        ",
    );
}
