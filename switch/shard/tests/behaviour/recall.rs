//! What memory let go is looked up in the tables before a marked repeat, a reversal or a command
//! that names it is decided; where the tables do not answer, silence (W-21).

use std::time::Duration;

use switch_domain::{MinorUnits, Reason};
use switch_shard::{Act, Admission, ManageError, ReplyOutcome, ShardSettings};
use tokio::time::Instant;

use crate::harness::{
    FIRST, Holder, PATIENCE, World, approved, by_trace, declined, increment, marked, pass,
    purchase, reversal, settle, text, traced, two_shards,
};

/// A shard that remembers one message, and a holder of one approval that it has forgotten.
pub(crate) async fn forgetful() -> (World, Holder, ReplyOutcome) {
    let settings = ShardSettings { repeat_limit: 1, ..two_shards() };
    let mut world = World::with(settings, 1_000_000).await;
    let alice = world.holder(FIRST, 1, 50_000).await;
    assert_eq!(world.authorize(alice, 11, 1_250), Admission::Accepted);
    let replies = world.replies().await;
    let [(11, first)] = replies[..] else { panic!("{replies:?}") };
    assert!(approved(first));
    // What the tables had when a row was sent is there for good once that is committed: only then
    // may memory let go of it.
    for stan in 12..=14 {
        assert_eq!(world.authorize(alice, stan, 1), Admission::Accepted);
        assert_eq!(world.replies().await.len(), 1);
    }
    let known = world.node.read(FIRST, switch_shard::State::remembered).await;
    assert!(known.is_some_and(|known| known <= 2), "{known:?}");
    (world, alice, first)
}

pub(crate) fn late() -> Instant {
    Instant::now() + PATIENCE
}

/// The reply as that to a repeat.
fn repeated(outcome: ReplyOutcome) -> ReplyOutcome {
    match outcome {
        ReplyOutcome::Decided(decision) => {
            ReplyOutcome::Decided(switch_shard::Decision { repeated: true, ..decision })
        }
        other => other,
    }
}

#[tokio::test(start_paused = true)]
async fn a_marked_repeat_of_a_forgotten_message_gets_its_answer() {
    let (mut world, alice, first) = forgetful().await;
    let again = marked(purchase(alice, 11, 1_250));
    assert_eq!(world.send(again, alice, 91, late()), Admission::Accepted);
    assert_eq!(world.replies().await, [(91, repeated(first))]);
    assert_eq!(world.held(alice.balance).await, 1_253);
    world.audit().await;
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_approval_is_reversed_once() {
    let (mut world, alice, first) = forgetful().await;
    assert_eq!(world.reverse(alice, 91, 11), Admission::Accepted);
    let replies = world.replies().await;
    assert!(
        matches!(replies[..], [(91, it)] if declined(it) == Some(Reason::ReversalAccepted)),
        "{replies:?}"
    );
    assert_eq!(world.held(alice.balance).await, 3);
    for stan in 21..=24 {
        assert_eq!(world.authorize(alice, stan, 1), Admission::Accepted);
        world.replies().await;
    }
    for token in [92, 93] {
        assert_eq!(world.reverse(alice, token, 11), Admission::Accepted);
        assert_eq!(world.replies().await.len(), 1);
    }
    assert_eq!(world.held(alice.balance).await, 7);
    let again = marked(purchase(alice, 11, 1_250));
    assert_eq!(world.send(again, alice, 94, late()), Admission::Accepted);
    assert_eq!(world.replies().await, [(94, repeated(first))]);
    world.audit().await;
}

/// A reversal that came before its original is found by what it says of it (I7).
#[tokio::test(start_paused = true)]
async fn a_marked_repeat_whose_early_reversal_was_forgotten_is_declined() {
    let settings = ShardSettings { repeat_limit: 1, ..two_shards() };
    let mut world = World::with(settings, 1_000_000).await;
    let alice = world.holder(FIRST, 1, 50_000).await;
    assert_eq!(world.reverse(alice, 90, 11), Admission::Accepted);
    assert_eq!(world.replies().await.len(), 1);
    for stan in 12..=14 {
        assert_eq!(world.authorize(alice, stan, 1), Admission::Accepted);
        assert_eq!(world.replies().await.len(), 1);
    }
    let again = marked(purchase(alice, 11, 1_250));
    for token in [91, 92] {
        assert_eq!(world.send(again.clone(), alice, token, late()), Admission::Accepted);
        let replies = world.replies().await;
        let [(_, outcome)] = replies[..] else { panic!("{replies:?}") };
        assert_eq!(declined(outcome), Some(Reason::OriginalReversed));
    }
    assert_eq!(world.held(alice.balance).await, 3);
    world.audit().await;
}

/// Repeats and a reversal that come while the tables are asked: in the order in which they came.
#[tokio::test(start_paused = true)]
async fn what_comes_during_a_look_up_waits_for_it() {
    let (mut world, alice, first) = forgetful().await;
    world.tables_are_silent(true);
    let messages = [
        (91, marked(purchase(alice, 11, 1_250))),
        (92, purchase(alice, 11, 1_250)),
        (93, reversal(alice, 93, 11)),
        (94, marked(reversal(alice, 93, 11))),
        (95, marked(purchase(alice, 11, 1_250))),
    ];
    for (token, message) in messages {
        assert_eq!(world.send(message, alice, token, late()), Admission::Accepted);
    }
    assert_eq!(world.replies().await, []);
    // Nobody else waits.
    assert_eq!(world.authorize(alice, 31, 1), Admission::Accepted);
    assert_eq!(world.replies().await.len(), 1);
    world.tables_are_silent(false);
    pass(Duration::from_millis(100)).await;
    let replies = world.replies().await;
    let accepted = |outcome| declined(outcome) == Some(Reason::ReversalAccepted);
    let [(91, a), (92, b), (93, c), (94, d), (95, e)] = replies[..] else { panic!("{replies:?}") };
    assert_eq!([a, b, e], [repeated(first); 3]);
    assert!(accepted(c) && accepted(d));
    assert_eq!(world.held(alice.balance).await, 4, "released once");
    world.audit().await;
}

#[tokio::test(start_paused = true)]
async fn tables_that_do_not_answer_mean_silence_and_nothing_is_decided() {
    let (mut world, alice, _) = forgetful().await;
    let rows = world.journal.rows(FIRST).len();
    world.tables_are_silent(true);
    let again = marked(purchase(alice, 11, 1_250));
    assert_eq!(world.send(again, alice, 91, late()), Admission::Accepted);
    assert_eq!(world.reverse(alice, 92, 11), Admission::Accepted);
    pass(two_shards().lookup_timeout).await;
    assert_eq!(world.replies().await, [(91, ReplyOutcome::Silent), (92, ReplyOutcome::Silent)]);
    assert_eq!(world.journal.rows(FIRST).len(), rows);
    world.tables_are_silent(false);
    pass(Duration::from_millis(100)).await;
    assert_eq!(world.reverse(alice, 93, 11), Admission::Accepted);
    pass(Duration::from_millis(100)).await;
    assert_eq!(world.replies().await.len(), 1);
    assert_eq!(world.held(alice.balance).await, 3);
}

/// An increment and a reversal that only the network trace links to a purchase that memory let go;
/// where the fields lead to something in memory, nothing is looked up.
#[tokio::test(start_paused = true)]
async fn a_forgotten_purchase_is_found_by_its_network_trace() {
    let settings = ShardSettings { repeat_limit: 1, ..two_shards() };
    let mut world = World::with(settings, 1_000_000).await;
    let alice = world.holder(FIRST, 1, 50_000).await;
    let first = traced(purchase(alice, 11, 1_250), "T1");
    assert_eq!(world.send(first, alice, 11, late()), Admission::Accepted);
    assert!(matches!(world.replies().await[..], [(11, first)] if approved(first)));
    let pass_by = async |world: &mut World, stans: std::ops::RangeInclusive<u64>| {
        for stan in stans {
            assert_eq!(world.authorize(alice, stan, 1), Admission::Accepted);
            assert_eq!(world.replies().await.len(), 1);
        }
    };
    pass_by(&mut world, 12..=14).await;
    let asked = world.questions();
    let more = by_trace(increment(alice, 21, 0, 500), "T1");
    assert_eq!(world.send(more, alice, 21, late()), Admission::Accepted);
    assert!(matches!(world.replies().await[..], [(21, it)] if approved(it)));
    assert_eq!(world.held(alice.balance).await, 1_753);
    pass_by(&mut world, 22..=24).await;
    let back = by_trace(reversal(alice, 91, 0), "T1");
    assert_eq!(world.send(back, alice, 91, late()), Admission::Accepted);
    let replies = world.replies().await;
    assert!(
        matches!(replies[..], [(91, it)] if declined(it) == Some(Reason::ReversalAccepted)),
        "{replies:?}"
    );
    assert_eq!(world.held(alice.balance).await, 6, "the increment too");
    assert_eq!(world.questions(), asked + 2);
    world.audit().await;
}

#[tokio::test(start_paused = true)]
async fn past_the_limit_of_questions_a_repeat_gets_silence() {
    let settings = ShardSettings { repeat_limit: 1, lookup_limit: 1, ..two_shards() };
    let mut world = World::with(settings, 1_000_000).await;
    let alice = world.holder(FIRST, 1, 50_000).await;
    for stan in 11..=15 {
        assert_eq!(world.authorize(alice, stan, 1), Admission::Accepted);
        world.replies().await;
    }
    world.tables_are_silent(true);
    // One is being asked, one waits to be.
    for token in [91, 92, 93] {
        let again = marked(purchase(alice, token - 80, 1));
        assert_eq!(world.send(again, alice, token, late()), Admission::Accepted);
        settle().await;
    }
    assert_eq!(world.replies().await, [(93, ReplyOutcome::Silent)]);
    world.tables_are_silent(false);
    pass(Duration::from_millis(100)).await;
    assert_eq!(world.replies().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_command_on_a_busy_subject_is_looked_up_once_for_each_commit() {
    let (mut world, alice, _) = forgetful().await;
    let credit = |amount| Act::CreditBalance {
        balance: alice.balance,
        amount: MinorUnits(amount),
        reference: text("TOP-UP"),
    };
    // Commands are let go of too: from here on each is looked up.
    for _ in 0..4 {
        world.done(credit(1)).await;
    }
    let before = world.node.balance(alice.balance).await.expect("there").ledger;
    world.journal.hang_before_commit();
    let first = world.begin(credit(100));
    settle().await;
    let asked = world.questions();
    let second = world.begin(credit(10));
    pass(PATIENCE).await;
    assert_eq!(world.questions(), asked + 1, "its subject is busy until the commit");
    world.journal.resume();
    for command in [first, second] {
        command.await.expect("no panic").expect("done");
    }
    assert_eq!(world.questions(), asked + 2);
    let after = world.node.balance(alice.balance).await.expect("there").ledger;
    assert_eq!(after.0, before.0 + 110);
}

#[tokio::test(start_paused = true)]
async fn a_command_that_was_forgotten_is_not_done_again() {
    let (mut world, alice, _) = forgetful().await;
    let credit = |amount| Act::CreditBalance {
        balance: alice.balance,
        amount: MinorUnits(amount),
        reference: text("TOP-UP"),
    };
    let manage = world.command(credit(100));
    world.node.manage(manage.clone(), None).await.expect("done");
    for _ in 0..4 {
        world.done(credit(1)).await;
    }
    let before = world.node.balance(alice.balance).await.expect("there").ledger;
    world.node.manage(manage.clone(), None).await.expect("done before");
    assert_eq!(world.node.balance(alice.balance).await.expect("there").ledger, before);

    let other = switch_shard::Manage { act: credit(101), ..manage.clone() };
    let refused = world.node.manage(other, None).await;
    assert_eq!(refused, Err(ManageError::Refused(switch_shard::Refusal::KeyReused)));

    for _ in 0..4 {
        world.done(credit(1)).await;
    }
    world.tables_are_silent(true);
    assert_eq!(world.node.manage(manage, None).await, Err(ManageError::Unknown));
}

/// An increment of what was forgotten adds to it; once all of that is forgotten too, the reversal
/// of the increment finds the purchase, and gives back that part alone.
#[tokio::test(start_paused = true)]
async fn an_increment_finds_its_purchase_in_the_tables() {
    let (mut world, alice, _) = forgetful().await;
    let asked = world.questions();
    for stan in [31, 32] {
        let more = increment(alice, stan, 11, 100);
        assert_eq!(world.send(more, alice, stan, late()), Admission::Accepted);
        let replies = world.replies().await;
        assert!(matches!(replies[..], [(_, it)] if approved(it)), "{replies:?}");
    }
    assert!(world.questions() > asked);
    assert_eq!(world.held(alice.balance).await, 1_253 + 200);
    for stan in 41..=44 {
        assert_eq!(world.authorize(alice, stan, 1), Admission::Accepted);
        assert_eq!(world.replies().await.len(), 1);
    }
    for (token, original, left) in [(91, 31, 1_357), (92, 31, 1_357), (93, 11, 7), (94, 32, 7)] {
        assert_eq!(world.reverse(alice, token, original), Admission::Accepted);
        assert_eq!(world.replies().await.len(), 1);
        assert_eq!(world.held(alice.balance).await, left, "{token}");
    }
    world.audit().await;
}

/// What comes of a purchase while its increment is looked up waits, or is not let go before the
/// answer is here: nothing is given back twice.
#[tokio::test(start_paused = true)]
async fn an_answer_never_brings_back_what_has_changed_since_it_was_asked_for() {
    let (mut world, alice, _) = forgetful().await;
    let more = increment(alice, 31, 11, 100);
    assert_eq!(world.send(more, alice, 31, late()), Admission::Accepted);
    assert_eq!(world.replies().await.len(), 1);
    for stan in 41..=44 {
        assert_eq!(world.authorize(alice, stan, 1), Admission::Accepted);
        assert_eq!(world.replies().await.len(), 1);
    }
    world.tables_are_silent(true);
    assert_eq!(world.reverse(alice, 91, 31), Admission::Accepted);
    assert_eq!(world.reverse(alice, 92, 11), Admission::Accepted);
    settle().await;
    for stan in 51..=54 {
        assert_eq!(world.authorize(alice, stan, 1), Admission::Accepted);
        assert_eq!(world.replies().await.len(), 1);
    }
    world.tables_are_silent(false);
    settle().await;
    assert_eq!(world.replies().await.len(), 2);
    assert_eq!(world.held(alice.balance).await, 11);
    world.audit().await;
}
