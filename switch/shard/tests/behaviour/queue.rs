//! Limits of a shard (W-22): what happens when each is hit.

use switch_domain::Reason;
use switch_shard::{Admission, ReplyOutcome, ShardSettings};

use crate::harness::{FIRST, World, approved, settle, two_shards};

const INOPERATIVE: ReplyOutcome = ReplyOutcome::Declined(Reason::IssuerInoperative);

#[tokio::test(start_paused = true)]
async fn a_full_queue_declines_purchases_and_keeps_room_for_reversals() {
    let settings =
        ShardSettings { batch_limit: 1, queue_limit: 2, reserved_queue: 2, ..two_shards() };
    let mut world = World::with(settings, 1_000_000).await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let rows = world.journal.rows(FIRST).len();
    world.journal.hang_before_commit();
    for stan in 11..=14 {
        assert_eq!(world.authorize(alice, stan, 100), Admission::Accepted, "{stan}");
        settle().await;
    }
    for own in [21, 22] {
        assert_eq!(world.authorize(alice, 15, 100), Admission::Accepted);
        assert_eq!(world.replies().await, [(15, INOPERATIVE)], "at once");
        assert_eq!(world.reverse(alice, own, own - 10), Admission::Accepted);
    }
    assert_eq!(world.reverse(alice, 23, 13), Admission::Silent);
    world.journal.resume();
    let replies = world.replies().await;
    let tokens: Vec<_> = replies.iter().map(|(token, _)| *token).collect();
    assert_eq!(tokens, [11, 12, 13, 14, 21, 22], "what was refused is not remembered");
    assert!(world.rows(FIRST).iter().skip(rows).all(|row| row.len() == 1));
    assert_eq!(world.held(alice.balance).await, 200);
    assert_eq!(world.authorize(alice, 15, 100), Admission::Accepted, "there is room again");
    assert!(approved(world.replies().await[0].1), "a refused message was not remembered");
}

/// A second copy that bears no mark, of what was approved, is on its way or waits to be decided: a
/// decline would contradict the approval (W-20).
#[tokio::test(start_paused = true)]
async fn a_full_queue_declines_no_copy_of_what_was_taken_before() {
    let settings =
        ShardSettings { batch_limit: 1, queue_limit: 2, reserved_queue: 4, ..two_shards() };
    let mut world = World::with(settings, 1_000_000).await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    assert_eq!(world.authorize(alice, 11, 100), Admission::Accepted);
    assert!(approved(world.replies().await[0].1));
    world.journal.hang_before_commit();
    // In flight, decided, and two that wait.
    for stan in 12..=15 {
        assert_eq!(world.authorize(alice, stan, 100), Admission::Accepted, "{stan}");
        settle().await;
    }
    for stan in 11..=15 {
        let _ = world.authorize(alice, stan, 100);
        assert_eq!(world.replies().await, [(stan, ReplyOutcome::Silent)], "a copy of {stan}");
    }
    let _ = world.authorize(alice, 16, 100);
    assert_eq!(world.replies().await, [(16, INOPERATIVE)]);
    world.journal.resume();
    let replies = world.replies().await;
    assert_eq!(replies.len(), 4);
    assert!(replies.iter().all(|(_, outcome)| approved(*outcome)));
}

/// Whoever is told of a decline waits for the shard to look; there is a limit to that as well.
#[tokio::test(start_paused = true)]
async fn past_the_room_for_declines_there_is_silence() {
    let settings =
        ShardSettings { batch_limit: 1, queue_limit: 1, reserved_queue: 2, ..two_shards() };
    let mut world = World::with(settings, 1_000_000).await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let admissions: Vec<_> = (11..=15).map(|stan| world.authorize(alice, stan, 100)).collect();
    let (taken, silent) = (Admission::Accepted, Admission::Silent);
    assert_eq!(admissions, [taken, taken, taken, silent, silent]);
    let replies = world.replies().await;
    assert!(
        matches!(replies[..], [(11, a), (12, INOPERATIVE), (13, INOPERATIVE)] if approved(a)),
        "{replies:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn no_row_has_more_records_than_the_limit() {
    let settings = ShardSettings { batch_limit: 3, ..two_shards() };
    let mut world = World::with(settings, 1_000_000).await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let rows = world.journal.rows(FIRST).len();
    for stan in 11..=20 {
        assert_eq!(world.authorize(alice, stan, 100), Admission::Accepted);
    }
    assert_eq!(world.replies().await.len(), 10);
    let lengths: Vec<_> = world.rows(FIRST).iter().skip(rows).map(Vec::len).collect();
    assert_eq!(lengths, [3, 3, 3, 1]);
}

#[tokio::test(start_paused = true)]
async fn tables_that_have_caught_up_end_the_shedding() {
    let settings = ShardSettings { projection_lag_limit: 0, ..two_shards() };
    let mut world = World::with(settings, 1_000_000).await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    settle().await;
    assert_eq!(world.authorize(alice, 11, 100), Admission::Accepted);
    assert!(approved(world.replies().await[0].1));
    assert_eq!(world.authorize(alice, 12, 100), Admission::Accepted);
}
