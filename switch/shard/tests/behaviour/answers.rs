//! Nothing is answered, shown or in force before its record is committed, and what was answered
//! once stays answered so (W-2 to W-4, W-13, W-14, W-21).

use switch_domain::{Event, Reason};
use switch_shard::{Admission, ReplyOutcome};
use tokio::time::Instant;

use crate::harness::{
    FIRST, PATIENCE, World, approved, declined, pass, purchase, settle, two_shards,
};

#[tokio::test(start_paused = true)]
async fn an_answer_waits_for_an_append_that_hangs_before_its_commit() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let rows = world.journal.rows(FIRST).len();
    world.journal.hang_before_commit();
    assert_eq!(world.authorize(alice, 11, 1_250), Admission::Accepted);
    assert_eq!(world.replies().await, []);
    assert_eq!(world.journal.rows(FIRST).len(), rows);
    world.journal.resume();
    let replies = world.replies().await;
    assert!(matches!(replies[..], [(11, outcome)] if approved(outcome)), "{replies:?}");
    assert_eq!(world.journal.rows(FIRST).len(), rows + 1);
    assert_eq!(world.held(alice.balance).await, 1_250);
    world.audit().await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_waits_for_an_append_that_hangs_after_its_commit() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let rows = world.journal.rows(FIRST).len();
    world.journal.hang_after_commit();
    assert_eq!(world.authorize(alice, 11, 1_250), Admission::Accepted);
    assert_eq!(world.replies().await, []);
    assert_eq!(world.journal.rows(FIRST).len(), rows + 1, "it is there, but who knows");
    world.journal.resume();
    let replies = world.replies().await;
    assert!(matches!(replies[..], [(11, outcome)] if approved(outcome)), "{replies:?}");
}

#[tokio::test(start_paused = true)]
async fn a_decline_and_a_reversal_wait_for_their_commit_as_well() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    assert_eq!(world.authorize(alice, 11, 1_250), Admission::Accepted);
    assert_eq!(world.replies().await.len(), 1);
    world.journal.hang_before_commit();
    assert_eq!(world.authorize(alice, 12, 9_999_999), Admission::Accepted);
    assert_eq!(world.reverse(alice, 13, 11), Admission::Accepted);
    assert_eq!(world.replies().await, []);
    world.journal.resume();
    let replies = world.replies().await;
    let reasons: Vec<_> = replies.iter().map(|(_, outcome)| declined(*outcome)).collect();
    let expected = [Some(Reason::PartnerDepositInsufficient), Some(Reason::ReversalAccepted)];
    assert_eq!(reasons, expected);
    assert_eq!(world.held(alice.balance).await, 0);
}

#[tokio::test(start_paused = true)]
async fn one_row_is_in_flight_and_the_next_collects_what_comes_meanwhile() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let rows = world.journal.rows(FIRST).len();
    world.journal.hang_before_commit();
    for stan in 11..=15 {
        assert_eq!(world.authorize(alice, stan, 100), Admission::Accepted);
        settle().await;
    }
    world.journal.resume();
    let replies = world.replies().await;
    assert_eq!(replies.len(), 5);
    assert!(replies.iter().all(|(_, outcome)| approved(*outcome)), "{replies:?}");
    let lengths: Vec<_> = world.rows(FIRST).iter().skip(rows).map(Vec::len).collect();
    assert_eq!(lengths, [1, 4]);
}

#[tokio::test(start_paused = true)]
async fn the_time_that_a_row_is_stuck_is_shown_and_ends_with_it() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    assert_eq!(world.node.stuck_for(), None);
    world.journal.hang_before_commit();
    assert_eq!(world.authorize(alice, 11, 100), Admission::Accepted);
    pass(PATIENCE).await;
    assert!(world.node.stuck_for().is_some_and(|stuck| stuck >= PATIENCE));
    world.journal.resume();
    settle().await;
    assert_eq!(world.node.stuck_for(), None);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_found_out_and_answered_once() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let (rows, attempts) = (world.journal.rows(FIRST).len(), world.journal.attempts());
    world.journal.lose_answers(3);
    assert_eq!(world.authorize(alice, 11, 1_250), Admission::Accepted);
    let replies = world.replies().await;
    assert!(matches!(replies[..], [(11, outcome)] if approved(outcome)), "{replies:?}");
    assert_eq!(world.journal.attempts(), attempts + 4);
    assert_eq!(world.journal.rows(FIRST).len(), rows + 1);
    assert_eq!(world.held(alice.balance).await, 1_250);
    world.audit().await;
}

#[tokio::test(start_paused = true)]
async fn a_repeat_gets_the_first_decision_wherever_its_original_is() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let rows = world.journal.rows(FIRST).len();
    world.journal.hang_before_commit();
    let deadline = Instant::now() + PATIENCE;
    for (token, stan, minor) in [(1, 11, 100), (2, 11, 100), (3, 12, 200), (4, 12, 200)] {
        let sent = world.send(purchase(alice, stan, minor), alice, token, deadline);
        assert_eq!(sent, Admission::Accepted);
        settle().await;
    }
    assert_eq!(world.replies().await, []);
    world.journal.resume();
    let mut replies = world.replies().await;
    assert_eq!(world.send(purchase(alice, 11, 100), alice, 5, deadline), Admission::Accepted);
    replies.extend(world.replies().await);
    let found: Vec<_> = replies
        .iter()
        .map(|(_, outcome)| match outcome {
            ReplyOutcome::Decided(d) => (d.authorization, d.approval_code, d.repeated),
            other => panic!("{other:?}"),
        })
        .collect();
    let (first, second) = (found[0], found[2]);
    assert!(first.0 != second.0 && first.1.is_some() && second.1.is_some());
    let again = |answer: (_, _, bool)| (answer.0, answer.1, true);
    let expected = [first, again(first), second, again(second), again(first)];
    assert_eq!(found, expected);
    assert!(!first.2 && !second.2);
    assert_eq!(world.held(alice.balance).await, 300);
    assert_eq!(world.events_from(FIRST, rows).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_repeat_of_a_decline_stays_declined_when_money_has_come() {
    let mut world = World::with(two_shards(), 1_000).await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    for round in 0..2 {
        assert_eq!(world.authorize(alice, 11, 1_001), Admission::Accepted);
        let replies = world.replies().await;
        let reason = replies.first().and_then(|(_, outcome)| declined(*outcome));
        assert_eq!(reason, Some(Reason::PartnerDepositInsufficient), "round {round}");
        world.reload(1_000).await;
    }
    let declines = world.events_from(FIRST, 0);
    let declines = declines.iter().filter(|event| matches!(event, Event::Authorized(_)));
    assert_eq!(declines.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_read_shows_what_is_committed_and_waits_for_what_it_saw() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    world.journal.hang_before_commit();
    assert_eq!(world.authorize(alice, 11, 1_250), Admission::Accepted);
    settle().await;
    let node = world.node.clone();
    let look = tokio::spawn(async move { node.balance(alice.balance).await });
    pass(PATIENCE * 2).await;
    assert!(!look.is_finished(), "it would show a hold that may never be");
    world.journal.resume();
    let seen = look.await.expect("no panic").expect("the account is there");
    assert_eq!((seen.ledger.0, seen.held.0), (5_000, 1_250));
}
