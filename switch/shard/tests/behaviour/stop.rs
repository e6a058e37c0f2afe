//! Stopping (W-25): what was taken is finished, nothing more is taken, and it ends in any case.

use std::time::Duration;

use switch_domain::Reason;
use switch_shard::{Act, Admission, ManageError, ReplyOutcome, StoppedLate, start_in_memory};
use switch_store::ModelJournalHandle;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::harness::{FIRST, US, World, approved, settle, two_shards};

const WITHIN: Duration = Duration::from_secs(5);

#[tokio::test(start_paused = true)]
async fn stopping_answers_what_was_taken_and_refuses_the_rest() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    world.journal.hang_before_commit();
    assert_eq!(world.authorize(alice, 11, 100), Admission::Accepted);
    settle().await;
    assert_eq!(world.authorize(alice, 12, 100), Admission::Accepted);
    let unlock = world.command(Act::UnlockCard { card: alice.card });
    let running = world.stopping();
    let stop = tokio::spawn(running.stop(WITHIN));
    settle().await;
    assert!(!world.node.is_serving());
    let inoperative = ReplyOutcome::Declined(Reason::IssuerInoperative);
    assert_eq!(world.authorize(alice, 13, 100), Admission::Accepted);
    assert_eq!(world.replies().await, [(13, inoperative)]);
    assert_eq!(world.reverse(alice, 14, 11), Admission::Silent);
    assert_eq!(world.node.manage(unlock, None).await, Err(ManageError::Stopping));
    world.journal.resume();
    assert_eq!(stop.await.expect("no panic"), Ok(()));
    let replies = world.replies().await;
    assert!(matches!(replies[..], [(11, a), (12, b)] if approved(a) && approved(b)), "{replies:?}");
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_in_time_though_the_journal_hangs_and_nothing_is_approved() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let rows = world.journal.rows(FIRST).len();
    world.journal.hang_before_commit();
    assert_eq!(world.authorize(alice, 11, 100), Admission::Accepted);
    settle().await;
    let begun = Instant::now();
    let running = world.stopping();
    assert_eq!(running.stop(WITHIN).await, Err(StoppedLate(WITHIN)));
    assert!(begun.elapsed() < WITHIN + Duration::from_millis(100));
    assert_eq!(world.replies().await, [(11, ReplyOutcome::Silent)]);
    world.journal.resume();
    settle().await;
    assert_eq!(world.journal.rows(FIRST).len(), rows, "nothing goes on behind our back");
}

/// Stopping may come at any moment of a shard's turn, also between its look at whether to stop and
/// its wait for what comes next: nobody would wake it any more then.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn stopping_is_noticed_whenever_it_comes() {
    for round in 0..2_000_u32 {
        let journal = ModelJournalHandle::new();
        let told = watch::Sender::new(false);
        let (node, running) = start_in_memory(&journal, told.subscribe(), two_shards(), US);
        let pause = round % 200;
        let racing = tokio::task::spawn_blocking(move || {
            (0..pause * 10).for_each(|_| std::hint::spin_loop());
        });
        racing.await.expect("no panic");
        // As long as a machine that is busy otherwise may take.
        let within = Duration::from_secs(60);
        assert_eq!(running.stop(within).await, Ok(()), "round {round}");
        assert!(!node.is_serving());
    }
}
