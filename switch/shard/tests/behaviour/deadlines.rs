//! Lateness (W-16, W-20): a coded decline for what was not sent, silence for what is in flight, and
//! the truth once the journal answers.

use std::time::Duration;

use switch_domain::{Event, Reason};
use switch_shard::{Admission, ReplyOutcome, ShardSettings};
use tokio::time::Instant;

use crate::harness::{
    FIRST, PATIENCE, World, approved, declined, pass, purchase, reversal, settle, two_shards,
};

const LATE: ReplyOutcome = ReplyOutcome::Declined(Reason::IssuerInoperative);

#[tokio::test(start_paused = true)]
async fn a_late_unsent_approval_is_declined_and_voided_and_one_in_flight_is_answered_truly() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let rows = world.journal.rows(FIRST).len();
    world.journal.hang_before_commit();
    assert_eq!(world.authorize(alice, 11, 1_000), Admission::Accepted);
    settle().await;
    assert_eq!(world.authorize(alice, 12, 2_000), Admission::Accepted);
    pass(PATIENCE - Duration::from_millis(10)).await;
    assert_eq!(world.replies().await, []);
    pass(PATIENCE).await;
    assert_eq!(world.replies().await, [(12, LATE)], "the one in flight stays silent");
    world.journal.resume();
    let replies = world.replies().await;
    assert!(matches!(replies[..], [(11, outcome)] if approved(outcome)), "{replies:?}");
    let events = world.events_from(FIRST, rows);
    assert!(
        matches!(
            &events[..],
            [Event::Authorized(_), Event::Authorized(second), Event::Voided(void)]
                if void.authorization == second.id
        ),
        "{events:?}"
    );
    assert_eq!(world.held(alice.balance).await, 1_000);
    assert_eq!(world.node.pool_headroom(world.deposit).0, 999_000);
    assert_eq!(world.authorize(alice, 12, 2_000), Admission::Accepted);
    let replies = world.replies().await;
    assert_eq!(declined(replies[0].1), Some(Reason::IssuerInoperative));
    assert_eq!(world.held(alice.balance).await, 1_000);
    world.audit().await;
}

#[tokio::test(start_paused = true)]
async fn a_repeat_that_waits_beside_a_voided_original_is_declined_too() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    world.journal.hang_before_commit();
    assert_eq!(world.authorize(alice, 11, 1_000), Admission::Accepted);
    settle().await;
    assert_eq!(world.authorize(alice, 12, 2_000), Admission::Accepted);
    settle().await;
    let later = Instant::now() + PATIENCE * 3;
    assert_eq!(world.send(purchase(alice, 12, 2_000), alice, 112, later), Admission::Accepted);
    pass(PATIENCE).await;
    assert_eq!(world.replies().await, [(12, LATE)]);
    world.journal.resume();
    let replies = world.replies().await;
    let repeat = replies.iter().find(|(token, _)| *token == 112).expect("a reply").1;
    assert_eq!(declined(repeat), Some(Reason::IssuerInoperative));
    assert_eq!(world.held(alice.balance).await, 1_000);
}

#[tokio::test(start_paused = true)]
async fn what_is_late_before_it_is_decided_is_declined_and_a_reversal_gets_silence() {
    let settings = ShardSettings { batch_limit: 1, ..two_shards() };
    let mut world = World::with(settings, 1_000_000).await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let rows = world.journal.rows(FIRST).len();
    world.journal.hang_before_commit();
    for stan in [11, 12, 13] {
        assert_eq!(world.authorize(alice, stan, 100), Admission::Accepted);
        settle().await;
    }
    assert_eq!(world.reverse(alice, 14, 11), Admission::Accepted);
    pass(PATIENCE + PATIENCE).await;
    let expected = [(12, LATE), (13, LATE), (14, ReplyOutcome::Silent)];
    assert_eq!(world.replies().await, expected);
    world.journal.resume();
    settle().await;
    let kinds = world.events_from(FIRST, rows);
    assert_eq!(kinds.len(), 3, "two authorizations and one void: {kinds:?}");
    assert_eq!(world.held(alice.balance).await, 100);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_was_answered_is_not_declined_when_it_comes_again_and_is_late() {
    let settings = ShardSettings { batch_limit: 1, ..two_shards() };
    let mut world = World::with(settings, 1_000_000).await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    assert_eq!(world.authorize(alice, 11, 100), Admission::Accepted);
    let replies = world.replies().await;
    assert!(matches!(replies[..], [(11, outcome)] if approved(outcome)), "{replies:?}");
    world.journal.hang_before_commit();
    for stan in [12, 13] {
        assert_eq!(world.authorize(alice, stan, 100), Admission::Accepted);
        settle().await;
    }
    // The very same message, not marked as a repeat: its approval stands, and holds.
    assert_eq!(world.authorize(alice, 11, 100), Admission::Accepted);
    pass(PATIENCE + PATIENCE).await;
    assert_eq!(world.replies().await, [(11, ReplyOutcome::Silent), (13, LATE)]);
    world.journal.resume();
    settle().await;
    assert_eq!(world.held(alice.balance).await, 200);
}

#[tokio::test(start_paused = true)]
async fn a_message_behind_a_command_is_late_at_its_deadline_all_the_same() {
    let settings = ShardSettings { batch_limit: 1, ..two_shards() };
    let mut world = World::with(settings, 1_000_000).await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    world.journal.hang_before_commit();
    for stan in [11, 12] {
        assert_eq!(world.authorize(alice, stan, 100), Admission::Accepted);
        settle().await;
    }
    let node = world.node.clone();
    let look = tokio::spawn(async move { node.balance(alice.balance).await });
    settle().await;
    assert_eq!(world.authorize(alice, 13, 100), Admission::Accepted);
    pass(PATIENCE).await;
    assert_eq!(world.replies().await, [(12, LATE), (13, LATE)]);
    world.journal.resume();
    assert_eq!(look.await.expect("no panic").expect("an account").held.0, 100);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_comes_late_is_never_decided() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let rows = world.journal.rows(FIRST).len();
    let over = Instant::now();
    assert_eq!(world.send(purchase(alice, 11, 100), alice, 11, over), Admission::Accepted);
    assert_eq!(world.send(reversal(alice, 12, 11), alice, 12, over), Admission::Accepted);
    assert_eq!(world.replies().await, [(11, LATE), (12, ReplyOutcome::Silent)]);
    assert_eq!(world.journal.rows(FIRST).len(), rows);
}
