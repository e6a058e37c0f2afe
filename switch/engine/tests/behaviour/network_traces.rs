//! Originals that only the network's own identifier leads to: of reversals, completions, refunds
//! and increments, over all that may have it. Where two rules lead to two messages, what is named
//! (DE90, DE56) wins, then what the message's own fields lead to, and the identifier only then.
//! With it the card and the acquirer must be the same, for a link may be bound to its acquirers; a
//! clearing file (link 0 here and everywhere) names none. Of several messages with one identifier
//! the one that holds is meant, else the first that had effect.

use switch_domain::Timestamp;

use crate::harness::{CARDS, World};
use crate::matching::{CARD, check};

fn check_over(there: &str, table: &str) {
    check(&table.replace("=> ", &format!("{there} => ")));
}

#[test]
fn over_an_authorization_of_the_same_card_and_acquirer() {
    check_over(
        "auth c1 20.00 stan 1 trace X -> approved",
        "
        => reverse c1 stan 9 trace X -> reversal_accepted of 1 | 0.00 50.00 0.00
        => reverse c1 stan 9 trace X by advice -> reversal_accepted of 1 | 0.00 50.00 0.00
        => reverse c1 stan 9 trace X leaving 5.00 -> reversal_accepted of 1 | 5.00 50.00 0.00
        => reverse c1 stan 9 trace X term T2 -> reversal_accepted of 1 | 0.00 50.00 0.00
        => reverse c1 stan 9 trace X acq 777 -> reversal_accepted of nothing | 20.00 50.00 0.00
        => reverse c1 stan 9 trace X class authorization -> reversal_accepted of 1
            | 0.00 50.00 0.00
        => reverse c1 stan 9 trace X class financial -> reversal_accepted of nothing
            | 20.00 50.00 0.00
        => reverse c1 stan 9 trace Y -> reversal_accepted of nothing | 20.00 50.00 0.00
        => reverse c1 stan 9 -> reversal_accepted of nothing | 20.00 50.00 0.00
        => reverse c2 stan 9 trace X -> reversal_accepted of nothing | 20.00 50.00 0.00
        => post c1 20.00 stan 9 trace X -> advice_accepted | 0.00 30.00 20.00
        => post c1 20.00 stan 9 names X -> advice_accepted | 0.00 30.00 20.00
        => post c1 20.00 stan 9 trace X names Y -> advice_accepted | 20.00 30.00 20.00
        => post c1 20.00 stan 9 trace Y -> advice_accepted | 20.00 30.00 20.00
        => post c1 20.00 stan 9 to 8 trace X -> advice_accepted | 0.00 30.00 20.00
        => post c1 5.00 stan 9 trace X last no -> advice_accepted | 15.00 45.00 5.00
        => post c1 5.00 stan 9 trace X kind refund -> advice_accepted | 20.00 55.00 -5.00
        => post c2 20.00 stan 9 trace X -> advice_accepted | 20.00 30.00 20.00
        => post c1 20.00 stan 9 trace X acq 777 -> advice_accepted | 20.00 30.00 20.00
        => post c1 20.00 stan 9 trace X link 0 -> advice_accepted | 0.00 30.00 20.00
        => auth c1 5.00 stan 2 onto trace trace X -> approved | 25.00 50.00 0.00
        => auth c1 31.00 stan 2 onto trace trace X -> insufficient_funds | 20.00 50.00 0.00
        => auth c1 30.00 stan 2 instead trace trace X -> approved | 30.00 50.00 0.00
        => auth c1 8.00 stan 2 instead trace trace Z names X -> approved | 8.00 50.00 0.00
        => auth c1 30.00 stan 2 instead trace trace X term T2 -> approved | 30.00 50.00 0.00
        => auth c1 30.00 stan 2 instead trace trace X acq 777 -> approved | 50.00 50.00 0.00
        => advise c1 30.00 stan 2 instead trace trace X -> advice_accepted | 30.00 50.00 0.00
        => auth c2 30.00 stan 2 instead trace trace X -> approved | 50.00 50.00 0.00
        # nothing says that it is an increment: it stands for itself
        => auth c1 5.00 stan 2 trace X -> approved | 25.00 50.00 0.00
        => auth c1 25.00 stan 1 trace Y -> duplicate_transmission | 20.00 50.00 0.00
        => auth c1 20.00 stan 1 trace Y -> approved repeated of 1 | 20.00 50.00 0.00
        ",
    );
}

#[test]
fn where_two_rules_apply_the_fields_win() {
    check_over(
        "auth c1 20.00 stan 1 rrn 77 de7 11 trace X -> approved; \
         auth c1 9.00 stan 2 rrn 78 trace Y -> approved",
        "
        => reverse c1 stan 1 own 71 trace Y -> reversal_accepted of 1 | 9.00 50.00 0.00
        => reverse c1 stan 3 own 71 trace Y -> reversal_accepted of 2 | 20.00 50.00 0.00
        => post c1 20.00 stan 9 to 1 trace Y -> advice_accepted | 9.00 30.00 20.00
        # its own trace number and reference number, then the trace
        => post c1 20.00 stan 1 rrn 77 trace Y -> advice_accepted | 9.00 30.00 20.00
        => post c1 20.00 stan 1 rrn 79 trace Y -> advice_accepted | 20.00 30.00 20.00
        => auth c1 25.00 stan 3 instead 1 trace Y -> approved | 34.00 50.00 0.00
        => auth c1 25.00 stan 3 instead 4 trace Y -> approved | 45.00 50.00 0.00
        # both optional fields rule out the first, and the network says that it is meant
        => reverse stan 1 rrn 80 de7 12 own 71 -> reversal_accepted of nothing | 29.00 50.00 0.00
        => reverse stan 1 rrn 80 de7 12 own 71 trace X -> reversal_accepted of 1 | 9.00 50.00 0.00
        => reverse stan 1 rrn 80 de7 12 own 71 trace Y -> reversal_accepted of 2
            | 20.00 50.00 0.00
        ",
    );
}

#[test]
fn of_several_with_one_trace_the_one_that_holds() {
    check_over(
        "auth c1 20.00 stan 1 trace X -> approved; \
         auth c1 5.00 stan 2 onto trace trace X -> approved",
        "
        => reverse c1 stan 9 trace X -> reversal_accepted of 1 | 0.00 50.00 0.00
        => reverse stan 2 own 71 trace X -> reversal_accepted of 2 | 20.00 50.00 0.00
        => reverse stan 1 own 71 -> reversal_accepted of 1 | 0.00 50.00 0.00
        => post c1 25.00 stan 9 trace X -> advice_accepted | 0.00 25.00 25.00
        => auth c1 4.00 stan 3 onto trace trace X -> approved | 29.00 50.00 0.00
        => auth c1 4.00 stan 3 onto 2 -> approved | 29.00 50.00 0.00
        => expire 1 -> given_back | 0.00 50.00 0.00
        ",
    );
    check(
        "
        # each increment has a trace of its own, and names that of the one before
        auth c1 20.00 stan 1 trace X -> approved;
            auth c1 5.00 stan 2 onto trace trace Y names X -> approved =>
            auth c1 4.00 stan 3 onto trace trace Z names Y -> approved | 29.00 50.00 0.00
        auth c1 20.00 stan 1 trace X -> approved;
            auth c1 5.00 stan 2 onto trace trace Y names X -> approved =>
            post c1 25.00 stan 9 names Y -> advice_accepted | 0.00 25.00 25.00
        auth c1 20.00 stan 1 trace X -> approved;
            auth c1 5.00 stan 2 onto trace trace Y names X -> approved =>
            reverse c1 stan 9 trace Y -> reversal_accepted of 2 | 20.00 50.00 0.00
        # what does not add to the purchase stays when that is reversed
        auth c1 20.00 stan 1 trace X -> approved;
            auth c1 5.00 stan 2 onto trace trace Y -> approved =>
            reverse stan 1 own 71 -> reversal_accepted of 1 | 5.00 50.00 0.00
        auth c1 20.00 stan 1 trace X -> approved; auth c1 5.00 stan 2 trace X -> approved =>
            reverse stan 1 own 71 -> reversal_accepted of 1 | 5.00 50.00 0.00
        # the network asked again under another trace number
        auth c1 60.00 stan 1 trace X -> insufficient_funds; auth c1 20.00 stan 2 trace X -> approved
            => reverse c1 stan 9 trace X -> reversal_accepted of 2 | 0.00 50.00 0.00
        auth c1 20.00 stan 1 trace X -> approved; reverse stan 1 own 71 -> reversal_accepted;
            auth c1 7.00 stan 2 trace X -> approved =>
            reverse c1 stan 9 trace X -> reversal_accepted of 2 | 0.00 50.00 0.00
        auth c1 20.00 stan 1 trace X -> approved; reverse stan 1 own 71 -> reversal_accepted;
            auth c1 7.00 stan 2 trace X -> approved =>
            auth c1 9.00 stan 3 instead trace trace X -> approved | 9.00 50.00 0.00
        # of a request and its advice, the one that holds
        auth c1 60.00 stan 1 trace X -> insufficient_funds;
            advise c1 60.00 stan 1 trace X as A -> advice_accepted =>
            reverse c1 stan 9 trace X -> reversal_accepted of A | 0.00 50.00 0.00
        auth c1 20.00 stan 1 trace X -> approved;
            advise c1 20.00 stan 1 trace X as A -> advice_accepted =>
            reverse c1 stan 9 trace X -> reversal_accepted of 1 | 0.00 50.00 0.00
        ",
    );
}

#[test]
fn over_what_was_settled() {
    check_over(
        "auth c1 20.00 stan 1 trace X -> approved; \
         post c1 20.00 stan 9 trace X -> advice_accepted",
        "
        # late: nothing is held, and what was settled is not what it speaks of
        => reverse c1 stan 8 trace X -> reversal_accepted of 1 | 0.00 30.00 20.00
        => reverse c1 stan 8 trace X class financial -> reversal_accepted of 9 | 0.00 50.00 0.00
        => post c1 10.00 stan 10 trace X -> advice_accepted | 0.00 20.00 30.00
        => post c1 5.00 stan 10 trace X kind refund -> advice_accepted | 0.00 35.00 15.00
        => auth c1 5.00 stan 2 onto trace trace X -> approved | 5.00 30.00 20.00
        ",
    );
    check(
        "
        pay c1 20.00 stan 1 trace X -> approved =>
            reverse c1 stan 9 trace X -> reversal_accepted of 1 | 0.00 50.00 0.00
        pay c1 20.00 stan 1 trace X -> approved =>
            reverse c1 stan 9 trace X class authorization -> reversal_accepted of nothing
            | 0.00 30.00 20.00
        pay c1 20.00 stan 1 trace X -> approved =>
            post c1 20.00 stan 9 trace X -> advice_accepted | 0.00 10.00 40.00   # no authorization
        auth c1 20.00 stan 1 trace X -> approved; expire 1 -> given_back =>
            reverse c1 stan 9 trace X -> reversal_accepted of 1 | 0.00 50.00 0.00
        auth c1 20.00 stan 1 trace X -> approved; expire 1 -> given_back =>
            post c1 20.00 stan 9 trace X -> advice_accepted | 0.00 30.00 20.00
        auth c1 20.00 stan 1 trace X -> approved; expire 1 -> given_back =>
            auth c1 5.00 stan 2 onto trace trace X -> approved | 5.00 50.00 0.00
        ",
    );
}

#[test]
fn over_a_reversal_that_came_first() {
    check_over(
        "reverse c1 stan 9 trace X -> reversal_accepted of nothing",
        "
        => auth c1 20.00 stan 1 trace X -> original_reversed | 0.00 50.00 0.00
        => auth c1 20.00 stan 1 trace X term T2 -> original_reversed | 0.00 50.00 0.00
        => auth c1 20.00 stan 1 trace X acq 777 -> approved | 20.00 50.00 0.00
        => auth c1 20.00 stan 1 trace Y -> approved | 20.00 50.00 0.00
        => auth c2 20.00 stan 1 trace X -> approved | 20.00 50.00 0.00
        => pay c1 20.00 stan 1 trace X -> original_reversed | 0.00 50.00 0.00
        => advise c1 20.00 stan 1 trace X -> advice_accepted | 0.00 50.00 0.00
        => post c1 20.00 stan 1 trace X -> advice_accepted | 0.00 30.00 20.00   # has happened
        ",
    );
    check(
        "
        reverse c1 stan 9 trace X leaving 5.00 -> reversal_accepted =>
            auth c1 20.00 stan 1 trace X -> approved | 5.00 50.00 0.00
        reverse c1 stan 9 trace X class financial -> reversal_accepted =>
            auth c1 20.00 stan 1 trace X -> approved | 20.00 50.00 0.00
        reverse c1 stan 9 trace X class financial -> reversal_accepted =>
            post c1 20.00 stan 1 trace X -> advice_accepted | 0.00 50.00 0.00
        # used up by the request, but for the advice of it
        reverse c1 stan 9 trace X -> reversal_accepted;
            auth c1 20.00 stan 1 trace X -> original_reversed =>
            auth c1 20.00 stan 2 trace X -> approved | 20.00 50.00 0.00
        reverse c1 stan 9 trace X -> reversal_accepted;
            auth c1 20.00 stan 1 trace X -> original_reversed =>
            advise c1 20.00 stan 1 trace X -> advice_accepted | 0.00 50.00 0.00
        reverse c1 stan 9 trace X -> reversal_accepted;
            auth c1 20.00 stan 1 trace X -> original_reversed =>
            post c1 20.00 stan 5 trace X -> advice_accepted | 0.00 30.00 20.00
        reverse c1 stan 9 trace X -> reversal_accepted;
            advise c1 20.00 stan 1 trace X -> advice_accepted =>
            advise c1 20.00 stan 2 trace X -> advice_accepted | 20.00 50.00 0.00
        # one by the fields, one by the trace: the fields win
        reverse c1 stan 1 own 71 -> reversal_accepted;
            reverse c1 stan 9 own 72 trace X leaving 5.00 -> reversal_accepted =>
            auth c1 20.00 stan 1 trace X -> original_reversed | 0.00 50.00 0.00
        reverse c1 stan 1 own 71 leaving 5.00 -> reversal_accepted;
            reverse c1 stan 9 own 72 trace X -> reversal_accepted =>
            auth c1 20.00 stan 1 trace X -> approved | 5.00 50.00 0.00
        ",
    );
}

fn forget_all(world: &mut World) {
    let after = Timestamp(world.cluster.now.0 + 1);
    world.cluster.states[CARDS].forget(after, usize::MAX, after);
}

/// With everything let go before each step, the tables tell the same.
#[test]
fn what_memory_let_go_is_found_by_its_trace() {
    let steps = [
        ("auth c1 4.00 stan 3 onto trace trace X -> approved", "29.00"),
        ("advise c1 4.00 stan 3 onto trace trace X -> advice_accepted", "29.00"),
        ("reverse c1 stan 9 trace X -> reversal_accepted of 1", "0.00"),
        ("reverse c1 stan 9 trace X mark repeat -> reversal_accepted of 1", "0.00"),
        ("reverse c1 stan 9 trace Y -> reversal_accepted of 2", "20.00"),
        ("reverse c1 stan 1 trace Y -> reversal_accepted of 1", "0.00"),
        ("post c1 25.00 stan 9 trace X -> advice_accepted", "0.00"),
        ("post c1 25.00 stan 9 names Y -> advice_accepted", "0.00"),
    ];
    for (step, held) in steps {
        let mut world = World::after(CARD);
        world.run("auth c1 20.00 stan 1 trace X -> approved");
        forget_all(&mut world);
        world.run("auth c1 5.00 stan 2 onto trace trace Y names X -> approved\n held alice 25.00");
        forget_all(&mut world);
        world.run(&format!("{step}\n held alice {held}"));
        assert_eq!(world.cluster.states[CARDS].differences(&world.cluster.replayed()[CARDS]), []);
    }
}

/// The fields win over a trace that memory has, also where only the tables have what they name.
#[test]
fn what_the_fields_name_is_looked_up_before_the_trace_decides() {
    let mut world = World::after(CARD);
    world.run("auth c1 20.00 stan 1 trace X -> approved");
    forget_all(&mut world);
    world.run(
        "
        auth c1 9.00 stan 2 trace Y             -> approved
        reverse c1 stan 1 own 71 trace Y        -> reversal_accepted of 1
        held alice 9.00
        auth c1 5.00 stan 3 instead trace trace Y   -> approved
        held alice 5.00
        ",
    );
}

#[test]
fn an_early_reversal_that_was_let_go_stops_the_repeat_and_the_advice() {
    let there = "reverse c1 stan 9 trace X -> reversal_accepted of nothing";
    for (step, held) in [
        ("auth c1 20.00 stan 1 trace X mark repeat -> original_reversed", "0.00"),
        ("advise c1 20.00 stan 1 trace X -> advice_accepted", "0.00"),
        ("advise c1 20.00 stan 1 trace Y -> advice_accepted", "20.00"),
        ("advise c2 20.00 stan 1 trace X -> advice_accepted", "20.00"),
    ] {
        let mut world = World::after(CARD);
        world.run(there);
        forget_all(&mut world);
        world.run(&format!("{step}\n held alice {held}"));
    }
    // It was used up before it was let go.
    let mut world = World::after(CARD);
    world.run(there);
    world.run("advise c1 20.00 stan 1 trace X -> advice_accepted\n held alice 0.00");
    forget_all(&mut world);
    world.run("advise c1 20.00 stan 2 trace X -> advice_accepted\n held alice 20.00");
}

/// Of a request and its advice the one that holds is meant, also where the identifier leads to the
/// other, and only the tables have either.
#[test]
fn the_other_of_two_with_one_key_is_looked_up_with_the_one_that_is_found() {
    for forgets in [false, true] {
        let mut world = World::after(CARD);
        world.run("auth c1 60.00 stan 1 trace X -> insufficient_funds");
        world.run("advise c1 20.00 stan 1 trace Y as told -> advice_accepted\n held alice 20.00");
        if forgets {
            forget_all(&mut world);
        }
        world.run("reverse c1 stan 9 trace X -> reversal_accepted of told\n held alice 0.00");
    }
}

/// A reversal names its original by fields and by the identifier, and another message has only one
/// of the two. What used it up is looked up with it, and what that may have used up instead.
#[test]
fn an_early_reversal_that_another_message_used_up_stops_nothing_more() {
    let early = "reverse c1 stan 7 own 71 trace X -> reversal_accepted of nothing";
    for (there, step, held) in [
        // By its fields, and then one that has its identifier.
        ("advise c1 5.00 stan 7 trace Y", "advise c1 6.00 stan 8 trace X", "6.00"),
        // By its identifier, and then one that has its fields.
        ("advise c1 5.00 stan 8 trace X", "advise c1 6.00 stan 7 trace Y", "6.00"),
        // Another reversal fitted better.
        (
            "reverse c1 stan 8 own 72 -> reversal_accepted of nothing;
                advise c1 5.00 stan 8 trace X",
            "advise c1 6.00 stan 7 trace Y",
            "0.00",
        ),
    ] {
        for forgets in [false, true] {
            let mut world = World::after(CARD);
            world.run(early);
            for row in there.split(';') {
                let answer = if row.contains("->") { "" } else { " -> advice_accepted" };
                world.run(&format!("{}{answer}\n held alice 0.00", row.trim()));
            }
            if forgets {
                forget_all(&mut world);
            }
            world.run(&format!("{step} -> advice_accepted\n held alice {held}"));
        }
    }
}

/// Chains of one trace lose their oldest links, and still lead to what is there.
#[test]
fn forgetting_a_part_leaves_the_rest_to_be_found() {
    let mut world = World::after(CARD);
    world.run(
        "auth c1 1.00 stan 1 trace X -> approved\n reverse stan 1 own 71 -> \
               reversal_accepted of 1",
    );
    let until = Timestamp(world.cluster.now.0 + 1);
    world.run("auth c1 2.00 stan 2 trace X -> approved\n auth c1 3.00 stan 3 trace Y -> approved");
    let all = Timestamp(world.cluster.now.0 + 1);
    assert_eq!(world.cluster.states[CARDS].forget(until, usize::MAX, all), 2);
    world.run(
        "
        reverse c1 stan 9 trace X   -> reversal_accepted of 2
        held alice 3.00
        reverse c1 stan 8 trace Y   -> reversal_accepted of 3
        held alice 0.00
        ",
    );
}
