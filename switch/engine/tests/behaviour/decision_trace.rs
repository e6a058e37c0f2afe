//! What is recorded of how a decision came about: which check decided, what every other one said,
//! what was compared. The scenarios are those of the order of checks.

use switch_domain::{
    CheckSet, Compared, ControlRule, DecidedBy, DecisionTrace, Event, MinorUnits, Part, Reason,
    Window,
};
use switch_engine::{CHECK_NAMES, check_name, check_order};

use crate::check_order::{control, decide_and_trace, faults, sound, used};
use crate::harness::World;

/// Stored: a check keeps its number wherever it stands, and no number is ever given again.
#[test]
fn every_check_has_the_number_that_it_always_had() {
    let numbered = [
        (1, "message valid"),
        (2, "BIN ours"),
        (3, "card known"),
        (4, "card status"),
        (5, "lock code"),
        (6, "expiry"),
        (7, "balance state"),
        (8, "customer state"),
        (9, "partner state"),
        (10, "programme currency"),
        (11, "use permitted"),
        (12, "one merchant"),
        (13, "preauthorized amount"),
        (14, "amount limit"),
        (15, "count limit"),
        (16, "partner deposit"),
        (17, "user funds"),
        (18, "not reversed before"),
        (19, "room for the amount"),
        (20, "PIN tries"),
        (21, "PIN"),
        (22, "stripe value"),
        (23, "chip value"),
        (24, "card code"),
        (25, "cryptogram"),
        (26, "chip counter"),
        (27, "chip data"),
        (28, "chip report"),
        (29, "fallback"),
        (30, "merchant not blocked"),
    ];
    for (number, name) in numbered {
        assert_eq!(check_name(number), Some(name));
    }
    let order: Vec<_> = check_order().collect();
    assert_eq!(order.iter().map(|one| one.1).collect::<Vec<_>>(), CHECK_NAMES);
    let all: CheckSet = set(order.iter().map(|one| one.0));
    assert_eq!(all.iter().count(), order.len(), "no number twice");
    assert!(order.iter().all(|one| numbered.contains(one)), "a new check is written here, too");
}

fn set(numbers: impl IntoIterator<Item = u8>) -> CheckSet {
    let mut set = CheckSet::default();
    numbers.into_iter().for_each(|number| set.insert(number));
    set
}

fn every_number() -> CheckSet {
    set(check_order().map(|(number, _)| number))
}

const PIN: u8 = 21;

/// What cannot be judged where something else is wrong, by the name of the fault.
fn beyond(fault: &str) -> &'static [u8] {
    match fault {
        "programme not in force here" => {
            &[9, 13, 14, 15, 16, 17, 20, 22, 23, 24, 25, 26, 27, 28, 29]
        }
        "BIN of somebody else" => {
            &[4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 20, 22, 23, 24, 25, 26, 27, 28, 29]
        }
        "never issued" => {
            &[4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 20, 22, 23, 24, 25, 26, 27, 28, 29]
        }
        "account not here" => &[7, 8, 10, 13, 14, 15, 16, 17],
        "no amount" => &[13, 14, 15, 16, 17],
        "another currency" | "account in another currency" | "programme in another currency" => {
            &[13, 14, 15, 16, 17]
        }
        _ => &[],
    }
}

#[test]
fn the_check_that_declined_is_named_and_all_others_are_told() {
    assert_eq!(decide_and_trace(sound()), (Reason::Approved, None), "an approval stores nothing");
    for (place, what, reason, spoil) in faults() {
        let mut case = sound();
        spoil(&mut case);
        let (found, trace) = decide_and_trace(case);
        let trace = trace.expect("of a decline");
        let number = check_order().nth(place).expect("a check").0;
        assert_eq!((found, trace.decided_by), (reason, DecidedBy::Check(number)), "{what}");
        let mut unjudged = set(beyond(what).iter().copied());
        // What a PIN would have said is told only where nothing before it declined.
        if number != PIN && place < CHECK_NAMES.iter().position(|one| *one == "PIN").expect("one") {
            unjudged.insert(PIN);
        }
        let failed: &[u8] = match what {
            // Its programme is gone, and so is the currency that it would have.
            "programme not in force here" => &[2, 10],
            "BIN of somebody else" => &[2, 3],
            _ => &[number],
        };
        assert_eq!(trace.failed, set(failed.iter().copied()), "{what}");
        let all = trace.passed.bits() | trace.failed.bits() | unjudged.bits();
        assert_eq!(all, every_number().bits(), "{what}: {trace:?}");
        assert_eq!(trace.passed.bits() & (trace.failed.bits() | unjudged.bits()), 0, "{what}");
    }
}

/// Two things are wrong: both are told, and which decided.
#[test]
fn of_two_faults_both_are_told() {
    let mut case = sound();
    for (_, what, _, spoil) in faults() {
        if ["balance blocked", "customer blocked", "funds short by one"].contains(&what) {
            spoil(&mut case);
        }
    }
    let (reason, trace) = decide_and_trace(case);
    let trace = trace.expect("of a decline");
    assert_eq!((reason, trace.decided_by), (Reason::BalanceBlocked, DecidedBy::Check(7)));
    assert_eq!(trace.failed, set([7, 8, 17]));
    assert_eq!(trace.compared, None, "what decided compares nothing");
}

#[test]
fn what_was_compared_is_told() {
    let compared = |spoil: fn(&mut crate::check_order::Case)| {
        let mut case = sound();
        spoil(&mut case);
        let trace = decide_and_trace(case).1.expect("of a decline");
        let Compared { needed, there } = trace.compared.expect("it compares");
        (trace.decided_by, needed.0, there.0)
    };
    let fault = |name: &str| {
        let found = faults().into_iter().find(|fault| fault.1 == name);
        found.expect("a fault of that name").3
    };
    let (deposit, funds) = (DecidedBy::Check(16), DecidedBy::Check(17));
    assert_eq!(compared(fault("deposit short by one")), (deposit, 10_00, 9_99));
    assert_eq!(compared(fault("funds short by one")), (funds, 10_00, 9_99));
    assert_eq!(compared(fault("funds held")), (funds, 10_00, 9_99));
    let limit = DecidedBy::Check(14);
    assert_eq!(compared(fault("more than at once")), (limit, 10_00, 9_99));
    assert_eq!(compared(fault("more than in the window")), (limit, 10_00, 9_99));
    let count = DecidedBy::Check(15);
    assert_eq!(compared(fault("more often than in the window")), (count, 1, 0));
    let fewer_now = compared(|case| {
        control(case, ControlRule::Count(1, Window::Lifetime));
        used(case, Part(0), 3);
    });
    assert_eq!(fewer_now, (count, 1, -2), "the limit was lowered since");
}

/// The last of the records of a message, by its trace number.
fn traced(world: &World, stan: u64) -> Option<DecisionTrace> {
    let records = world.cluster.committed_records();
    let of_message = records.iter().rev().find_map(|record| match &record.event {
        Event::Authorized(one) if one.facts.key.stan == stan => Some(one.trace.as_deref().copied()),
        _ => None,
    });
    of_message.expect("recorded")
}

/// What came of an advice, and what decided it; a decision without a check asks none.
#[test]
fn what_decides_without_a_check_is_named_as_such() {
    let world = World::after(
        "
        partner acme
        pool deposit EUR 1000.00
        programme gold deposit
        balance alice 50.00
        card c1 alice exp 2712
        advise c1 20.00 stan 1                  -> advice_accepted
        auth c1 20.00 stan 2                    -> approved
        advise c1 20.00 stan 2 as 22            -> advice_accepted
        auth c1 1.00 stan 3                     -> approved
        advise c1 2.00 stan 3 as 23             -> advice_accepted
        advise c1 20.00 stan 4 said declined    -> advice_accepted
        reverse c1 stan 5                       -> reversal_accepted of nothing
        advise c1 2.00 stan 5                   -> advice_accepted
        advise c1 2.00 stan 6                   -> advice_accepted
        auth c1 2.00 stan 6 as 26               -> duplicate_transmission
        advise c1 90.00 stan 7                  -> advice_accepted
        advise c1 2.00 stan 8 in USD            -> advice_accepted
        ",
    );
    assert_eq!(traced(&world, 1), None, "it would have been granted here");
    for (stan, decided_by) in [
        (2, DecidedBy::OwnApproval),
        (3, DecidedBy::OtherAmount),
        (4, DecidedBy::DeclinedElsewhere),
        (5, DecidedBy::ReversalCameFirst),
        (6, DecidedBy::AdviceCameFirst),
    ] {
        let none = CheckSet::default();
        let trace = traced(&world, stan).expect("a trace");
        assert_eq!(trace, DecisionTrace { decided_by, passed: none, failed: none, compared: None });
    }
    let forced = traced(&world, 7).expect("a trace");
    assert_eq!((forced.decided_by, forced.failed), (DecidedBy::Check(17), set([17])));
    let (needed, there) = (MinorUnits(90_00), MinorUnits(7_00));
    assert_eq!(forced.compared, Some(Compared { needed, there }));
    let suspense = traced(&world, 8).expect("a trace");
    assert_eq!((suspense.decided_by, suspense.failed), (DecidedBy::Check(10), set([10])));
}
