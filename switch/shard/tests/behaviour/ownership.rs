//! Losing a shard: whoever is fenced sends nothing more (W-2, W-24).

use std::time::Duration;

use switch_domain::{Reason, Seq, ShardId};
use switch_shard::{Admission, ClockFault, Fatal, ReplyOutcome, ShardSettings};
use tokio::time::Instant;

use crate::harness::{
    FIRST, PATIENCE, SECOND, THEM, World, approved, pass, purchase, settle, two_shards,
};

#[tokio::test(start_paused = true)]
async fn who_is_fenced_falls_silent_says_so_and_takes_no_more() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let bob = world.holder(SECOND, 2, 5_000).await;
    let row = world.journal.take_over(FIRST, THEM);
    assert_eq!(world.authorize(alice, 11, 100), Admission::Accepted);
    assert_eq!(world.replies().await, [(11, ReplyOutcome::Silent)]);
    let fatal = world.fatal();
    let fenced = Fatal::Fenced { shard: FIRST, owner: THEM, epoch: row.epoch };
    assert_eq!(fatal, Some(fenced));
    assert!(!world.node.is_serving());
    for holder in [alice, bob] {
        assert_eq!(world.authorize(holder, 12, 100), Admission::Silent);
        assert_eq!(world.reverse(holder, 13, 11), Admission::Silent);
    }
    settle().await;
    assert_eq!(world.replies().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_went_back_in_time_ends_the_node() {
    let directory = tempfile::tempdir().expect("a directory");
    let lost_dir = Some(directory.path().join("lost"));
    let settings = ShardSettings { lost_dir, ..two_shards() };
    let mut world = World::with(settings, 1_000_000).await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let head = world.journal.rows(FIRST).last().expect("a row").seq;
    world.journal.forget_after(FIRST, Seq(head.0 - 1));
    assert_eq!(world.authorize(alice, 11, 100), Admission::Accepted);
    assert_eq!(world.replies().await, [(11, ReplyOutcome::Silent)]);
    let fatal = world.fatal();
    assert_eq!(fatal, Some(Fatal::JournalWentBack { shard: FIRST, seq: head.next() }));

    // Every shard that has sent rows leaves them in a file, with what was never answered.
    settle().await;
    let files = switch_store::lost_files(&directory.path().join("lost")).expect("files");
    let files: Vec<_> = files.iter().map(|file| switch_store::read_lost_rows(file)).collect();
    let of = |shard| files.iter().flatten().find(move |one| one.head.shard == shard);
    let lost = of(FIRST).expect("a file of the first shard");
    assert_eq!(lost.head.confirmed, head);
    let seqs: Vec<i64> = lost.rows.iter().map(|row| row.seq.0).collect();
    assert_eq!(seqs, (0..=head.0 + 1).collect::<Vec<_>>());
    assert!(of(ShardId::CONTROL).is_some_and(|control| control.rows.len() >= 4));
}

/// What a panic leaves half done in a shard's memory must answer nobody (W-14).
#[tokio::test(start_paused = true)]
async fn a_panic_in_a_shard_ends_the_node() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let looked = world.node.read(FIRST, |_| -> u8 { panic!("a defect, for this test") }).await;
    assert_eq!(looked, None);
    let fatal = world.fatal();
    assert_eq!(fatal, Some(Fatal::Broken("shard 1 panicked".into())));
    // Nobody knows any more what the shard had taken: no answer at all (W-22).
    assert_eq!(world.authorize(alice, 11, 100), Admission::Silent);
}

/// An answer from memory needs a proof that the shard is still ours (W-13).
#[tokio::test(start_paused = true)]
async fn an_answer_from_memory_needs_a_proof_that_is_a_second_old_at_most() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    assert_eq!(world.authorize(alice, 11, 100), Admission::Accepted);
    assert!(matches!(world.replies().await[..], [(11, it)] if approved(it)));
    let rows = world.journal.rows(FIRST).len();
    let again = |world: &mut World, token| {
        let command = purchase(alice, 11, 100);
        assert_eq!(
            world.send(command, alice, token, Instant::now() + PATIENCE),
            Admission::Accepted
        );
    };
    again(&mut world, 12);
    assert!(matches!(world.replies().await[..], [(12, it)] if approved(it)));
    assert_eq!(world.journal.rows(FIRST).len(), rows, "its own row was the proof");
    pass(Duration::from_secs(2)).await;
    again(&mut world, 13);
    assert!(matches!(world.replies().await[..], [(13, it)] if approved(it)));
    assert_eq!(world.journal.rows(FIRST).len(), rows + 1, "a row of its own found out");
    pass(Duration::from_secs(2)).await;
    let row = world.journal.take_over(FIRST, THEM);
    again(&mut world, 14);
    assert_eq!(world.replies().await, [(14, ReplyOutcome::Silent)]);
    let fenced = Fatal::Fenced { shard: FIRST, owner: THEM, epoch: row.epoch };
    assert_eq!(world.fatal(), Some(fenced));
}

/// What somebody reads is an answer too.
#[tokio::test(start_paused = true)]
async fn who_was_taken_over_meanwhile_shows_no_balance() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    assert!(world.node.balance(alice.balance).await.is_some());
    pass(Duration::from_secs(2)).await;
    world.journal.take_over(FIRST, THEM);
    assert_eq!(world.node.balance(alice.balance).await, None);
    assert!(matches!(world.fatal(), Some(Fatal::Fenced { .. })));
}

/// A wrong clock would make wrong decisions; a reversal only gives back (W-16).
#[tokio::test(start_paused = true)]
async fn while_the_clock_is_wrong_purchases_are_declined_and_reversals_are_not() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    assert_eq!(world.authorize(alice, 11, 100), Admission::Accepted);
    assert_eq!(world.replies().await.len(), 1);
    let fault = ClockFault::Differs(3_600_000_000);
    world.node.find_clock_fault(Some(fault));
    assert_eq!(world.node.clock_fault(), Some(fault));
    for (stan, outcome) in
        [(12, ReplyOutcome::Declined(Reason::IssuerInoperative)), (11, ReplyOutcome::Silent)]
    {
        assert_eq!(world.authorize(alice, stan, 100), Admission::Accepted);
        assert_eq!(world.replies().await, [(stan, outcome)]);
    }
    assert_eq!(world.reverse(alice, 13, 11), Admission::Accepted);
    assert_eq!(world.replies().await.len(), 1);
    world.node.find_clock_fault(None);
    assert_eq!(world.authorize(alice, 14, 100), Admission::Accepted);
}
