//! Holds that lived their life, as the sweep asks for their end: told when committed, released once
//! whatever else is said of them meanwhile, and looked up where memory let them go.

use std::time::Duration;

use switch_domain::{Event, Hold, MinorUnits, Reason};
use switch_shard::{Admission, HoldEnd, ShardSettings};

use crate::harness::{
    FIRST, Holder, World, approved, declined, pass, reversal, settle, two_shards,
};
use crate::recall::{forgetful, late};

const ALL: HoldEnd = HoldEnd::GivenBack(MinorUnits(1_250));

impl World {
    /// The hold of the purchase with this STAN.
    fn hold(&self, stan: u64) -> Hold {
        let records = self.rows(FIRST).into_iter().flatten();
        let mut found = records.filter_map(|record| match record.event {
            Event::Authorized(one) if one.facts.key.stan == stan => Some(Hold {
                authorization: one.id,
                balance: one.balance?,
                decided_at: record.at,
                original: one.facts.key.as_original(),
                incremented: MinorUnits::ZERO,
            }),
            _ => None,
        });
        found.next().expect("a purchase")
    }

    /// Asks for the end of a hold, beside whatever the test does next.
    fn begin_end(&self, stan: u64) -> tokio::task::JoinHandle<Option<HoldEnd>> {
        let (node, hold) = (self.node.clone(), self.hold(stan));
        tokio::spawn(async move { node.expire(hold).await })
    }

    fn ends(&self) -> usize {
        let events = self.events_from(FIRST, 0);
        events.iter().filter(|event| matches!(event, Event::Expired(_))).count()
    }
}

async fn with_hold() -> (World, Holder) {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    assert_eq!(world.authorize(alice, 11, 1_250), Admission::Accepted);
    assert_eq!(world.replies().await.len(), 1);
    (world, alice)
}

#[tokio::test(start_paused = true)]
async fn an_end_is_told_and_counts_when_it_is_committed() {
    let (mut world, alice) = with_hold().await;
    let rows = world.journal.rows(FIRST).len();
    world.journal.hang_before_commit();
    let first = world.begin_end(11);
    settle().await;
    let second = world.begin_end(11);
    pass(Duration::from_secs(3_600)).await;
    assert!(!first.is_finished() && !second.is_finished(), "nothing is committed");
    assert_eq!(world.journal.rows(FIRST).len(), rows);
    world.journal.resume();
    assert_eq!(first.await.expect("no panic"), Some(ALL));
    assert_eq!(second.await.expect("no panic"), Some(HoldEnd::HeldNothing));
    assert_eq!((world.held(alice.balance).await, world.ends()), (0, 1));
    assert_eq!(world.authorize(alice, 12, 5_000), Admission::Accepted);
    let replies = world.replies().await;
    assert!(matches!(replies[..], [(12, it)] if approved(it)), "all of it is available again");
    world.audit().await;
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_hold_ends_once_and_its_reversal_gives_nothing_back() {
    let (mut world, alice, _) = forgetful().await;
    let asked = world.questions();
    assert_eq!(world.node.expire(world.hold(11)).await, Some(ALL));
    assert_eq!((world.questions(), world.held(alice.balance).await), (asked + 1, 3));
    // Until the tables have it, memory knows; after that, they do.
    assert_eq!(world.node.expire(world.hold(11)).await, Some(HoldEnd::HeldNothing));
    for stan in 21..=24 {
        assert_eq!(world.authorize(alice, stan, 1), Admission::Accepted);
        world.replies().await;
    }
    assert_eq!(world.node.expire(world.hold(11)).await, Some(HoldEnd::HeldNothing));
    assert_eq!(world.reverse(alice, 91, 11), Admission::Accepted);
    let replies = world.replies().await;
    let [(91, outcome)] = replies[..] else { panic!("{replies:?}") };
    assert_eq!(declined(outcome), Some(Reason::ReversalAccepted));
    assert_eq!((world.held(alice.balance).await, world.ends()), (7, 1));
    world.audit().await;
}

/// Both ways to the tables are asked at once; whichever of the two is first gives the money back,
/// the other finds nothing.
#[tokio::test(start_paused = true)]
async fn an_end_and_a_reversal_that_are_looked_up_together_release_once() {
    for reversal_first in [true, false] {
        let (mut world, alice, _) = forgetful().await;
        world.tables_are_silent(true);
        let mut ends = Vec::new();
        if !reversal_first {
            ends.push(world.begin_end(11));
            settle().await;
        }
        let message = reversal(alice, 91, 11);
        assert_eq!(world.send(message, alice, 91, late()), Admission::Accepted);
        settle().await;
        ends.push(world.begin_end(11));
        settle().await;
        assert_eq!(world.held(alice.balance).await, 1_253);
        world.tables_are_silent(false);
        pass(Duration::from_millis(200)).await;
        let mut told = Vec::new();
        for end in ends {
            told.push(end.await.expect("no panic"));
        }
        let nothing = Some(HoldEnd::HeldNothing);
        let expected = if reversal_first { vec![nothing] } else { vec![Some(ALL), nothing] };
        assert_eq!(told, expected);
        assert_eq!(world.replies().await.len(), 1, "the reversal is accepted either way");
        assert_eq!(world.held(alice.balance).await, 3, "released once");
        world.audit().await;
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_tables_do_not_answer_nobody_is_told_and_nothing_is_decided() {
    let (world, alice, _) = forgetful().await;
    world.tables_are_silent(true);
    let rows = world.journal.rows(FIRST).len();
    let end = world.begin_end(11);
    pass(two_shards().lookup_timeout).await;
    assert_eq!(end.await.expect("no panic"), None);
    assert_eq!(world.journal.rows(FIRST).len(), rows);
    world.tables_are_silent(false);
    pass(Duration::from_millis(100)).await;
    assert_eq!(world.node.expire(world.hold(11)).await, Some(ALL));
    assert_eq!(world.held(alice.balance).await, 3);
}

/// It takes no room that is kept for reversals, and none where authorizations are turned away.
#[tokio::test(start_paused = true)]
async fn a_full_queue_has_no_room_for_ends_and_keeps_it_for_reversals() {
    let settings =
        ShardSettings { queue_limit: 2, reserved_queue: 1, batch_limit: 1, ..two_shards() };
    let mut world = World::with(settings, 1_000_000).await;
    let alice = world.holder(FIRST, 1, 50_000).await;
    assert_eq!(world.authorize(alice, 11, 1_250), Admission::Accepted);
    assert_eq!(world.replies().await.len(), 1);
    world.journal.hang_before_commit();
    for stan in 12..=16 {
        assert_eq!(world.authorize(alice, stan, 1), Admission::Accepted);
        settle().await;
    }
    assert_eq!(world.node.expire(world.hold(11)).await, None, "asked again later");
    assert_eq!(world.reverse(alice, 91, 11), Admission::Accepted);
    world.journal.resume();
    pass(Duration::from_millis(10)).await;
    assert_eq!(world.node.expire(world.hold(11)).await, Some(HoldEnd::HeldNothing));
    assert_eq!(world.ends(), 0);
    world.audit().await;
}
