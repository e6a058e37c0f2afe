//! File actions: management commands that come by a link. Answered over it once they are committed
//! and never before, one at a time for a card, once for their key, and never declined.

use std::time::Duration;

use switch_domain::{Event, LockCode, LockCodes, LockRefusal, OutsideAsk, Reason};
use switch_shard::{Act, Admission, Command, Decision, Manage, ReplyOutcome, ShardSettings};
use tokio::time::Instant;

use crate::harness::{FIRST, Holder, PATIENCE, World, declined, pass, settle, two_shards};

const LOCK: OutsideAsk = OutsideAsk::Lock(LockCode::SuspectedFraud);
const UNLOCK: OutsideAsk = OutsideAsk::Unlock(None);

fn asks(world: &mut World, holder: Holder, ask: OutsideAsk, may: &[LockCode]) -> Manage {
    let may: LockCodes = may.iter().copied().collect();
    world.command(Act::LockOutside { card: Some(holder.card), ask, may })
}

fn send(world: &World, holder: Holder, token: u64, manage: &Manage) -> Admission {
    let deadline = Instant::now() + PATIENCE;
    world.send(Command::Manage(manage.clone()), holder, token, deadline)
}

const fn said(reason: Reason, repeated: bool) -> ReplyOutcome {
    ReplyOutcome::Decided(Decision { repeated, ..Decision::plain(reason) })
}

#[tokio::test(start_paused = true)]
async fn nothing_is_said_before_the_commit_and_a_lock_counts_before_it() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let lock = asks(&mut world, alice, LOCK, &[LockCode::SuspectedFraud]);
    world.journal.hang_before_commit();
    assert_eq!(send(&world, alice, 1, &lock), Admission::Accepted);
    settle().await;
    assert_eq!(world.authorize(alice, 2, 100), Admission::Accepted);
    assert_eq!(send(&world, alice, 3, &lock), Admission::Accepted);
    assert_eq!(world.replies().await, []);
    world.journal.resume();
    let replies = world.replies().await;
    let [(1, first), (2, bought), (3, again)] = replies[..] else { panic!("{replies:?}") };
    assert_eq!(first, said(Reason::FileActionDone, false));
    assert_eq!(again, said(Reason::FileActionDone, true));
    assert_eq!(declined(bought), Some(Reason::Locked(LockCode::SuspectedFraud)));
}

#[tokio::test(start_paused = true)]
async fn an_unlock_waits_for_the_lock_and_counts_when_it_is_committed() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let may = [LockCode::SuspectedFraud];
    let (lock, unlock) =
        (asks(&mut world, alice, LOCK, &may), asks(&mut world, alice, UNLOCK, &may));
    world.journal.hang_before_commit();
    assert_eq!(send(&world, alice, 1, &lock), Admission::Accepted);
    settle().await;
    assert_eq!(send(&world, alice, 2, &unlock), Admission::Accepted);
    assert_eq!(world.replies().await, []);
    world.journal.resume();
    let done = said(Reason::FileActionDone, false);
    assert_eq!(world.replies().await, [(1, done), (2, done)]);
    let card = world.node.card(alice.card).await.expect("a card");
    assert_eq!(card.lock, None);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_committed_before_it_is_told_and_stands() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let rows = world.journal.rows(FIRST).len();
    let lock = asks(&mut world, alice, LOCK, &[LockCode::Lost]);
    world.journal.hang_before_commit();
    assert_eq!(send(&world, alice, 1, &lock), Admission::Accepted);
    assert_eq!(world.replies().await, []);
    world.journal.resume();
    assert_eq!(world.replies().await, [(1, said(Reason::LockNotAllowed, false))]);
    // Though it might be done now.
    let mut more = lock.clone();
    more.act = Act::LockOutside { card: Some(alice.card), ask: LOCK, may: LockCodes::all() };
    assert_eq!(send(&world, alice, 2, &more), Admission::Accepted);
    assert_eq!(world.replies().await, [(2, said(Reason::LockNotAllowed, true))]);
    more.act = Act::LockOutside { card: Some(alice.card), ask: UNLOCK, may: LockCodes::all() };
    assert_eq!(send(&world, alice, 3, &more), Admission::Accepted);
    assert_eq!(world.replies().await, [(3, said(Reason::DuplicateTransmission, false))]);
    let events = world.events_from(FIRST, rows);
    let refused = |event: &&Event| event.refusal() == Some(LockRefusal::NotAllowed);
    assert_eq!(events.iter().filter(refused).count(), 1, "{events:?}");
}

/// A lock that has no room, or comes too late, is not declined: nobody must think that it failed.
#[tokio::test(start_paused = true)]
async fn what_is_late_or_has_no_room_gets_silence() {
    let settings = ShardSettings { queue_limit: 1, reserved_queue: 1, ..two_shards() };
    let mut world = World::with(settings, 1_000_000).await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let lock = asks(&mut world, alice, LOCK, &[LockCode::SuspectedFraud]);
    let past = Instant::now();
    let late = Command::Manage(lock.clone());
    assert_eq!(world.send(late, alice, 1, past), Admission::Accepted);
    assert_eq!(world.replies().await, [(1, ReplyOutcome::Silent)]);
    assert_eq!(world.authorize(alice, 2, 1), Admission::Accepted);
    assert_eq!(send(&world, alice, 9, &lock), Admission::Accepted);
    assert_eq!(send(&world, alice, 4, &lock), Admission::Silent);
    pass(Duration::from_millis(10)).await;
    let replies = world.replies().await;
    let locked = replies.iter().find(|(token, _)| *token == 9).expect("an answer");
    assert_eq!(locked.1, said(Reason::FileActionDone, false));
}

/// Parked while the tables are asked what it was answered before (W-21).
#[tokio::test(start_paused = true)]
async fn a_repeat_that_memory_has_let_go_gets_its_answer_from_the_tables() {
    let settings = ShardSettings { repeat_limit: 1, ..two_shards() };
    let mut world = World::with(settings, 1_000_000).await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let refused = asks(&mut world, alice, LOCK, &[LockCode::Lost]);
    assert_eq!(send(&world, alice, 1, &refused), Admission::Accepted);
    assert_eq!(world.replies().await, [(1, said(Reason::LockNotAllowed, false))]);
    let lock = asks(&mut world, alice, LOCK, &[LockCode::SuspectedFraud]);
    assert_eq!(send(&world, alice, 2, &lock), Admission::Accepted);
    assert_eq!(world.replies().await, [(2, said(Reason::FileActionDone, false))]);
    for stan in 12..=14 {
        assert_eq!(world.authorize(alice, stan, 1), Admission::Accepted);
        assert_eq!(world.replies().await.len(), 1);
    }
    let asked = world.questions();
    assert_eq!(send(&world, alice, 3, &refused), Admission::Accepted);
    assert_eq!(send(&world, alice, 4, &refused), Admission::Accepted);
    let again = said(Reason::LockNotAllowed, true);
    assert_eq!(world.replies().await, [(3, again), (4, again)]);
    assert_eq!(world.questions(), asked + 1);
    assert_eq!(send(&world, alice, 5, &lock), Admission::Accepted);
    assert_eq!(world.replies().await, [(5, said(Reason::FileActionDone, true))]);
}
