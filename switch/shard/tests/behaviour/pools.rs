//! One pool, two shards (W-15): together they never take more than there is.

use std::time::Duration;

use crate::harness::{FIRST, SECOND, World, approved, declined, settlement, two_shards};
use switch_domain::Reason;
use switch_shard::Admission;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn two_shards_never_take_more_than_the_deposit_and_a_reversal_gives_back_at_its_commit() {
    let mut world = World::with(two_shards(), 1_000).await;
    let holders = [world.holder(FIRST, 1, 90_000).await, world.holder(SECOND, 2, 90_000).await];
    world.journal.hang_before_commit();
    for stan in 0..100 {
        let holder = holders[usize::from(stan % 2 == 1)];
        assert_eq!(world.authorize(holder, 100 + stan, 30), Admission::Accepted);
    }
    assert_eq!(world.replies().await, []);
    world.journal.resume();
    let replies = world.replies().await;
    let granted: Vec<_> = replies.iter().filter(|(_, outcome)| approved(*outcome)).collect();
    assert_eq!((replies.len(), granted.len()), (100, 33));
    assert_eq!(world.node.pool_headroom(world.deposit).0, 10);
    let books = world.node.pool(world.deposit).await;
    assert_eq!((books.level.0, books.held.0), (1_000, 990));
    let stan = granted[0].0;
    let holder = holders[usize::from(stan % 2 == 1)];
    world.journal.hang_before_commit();
    assert_eq!(world.reverse(holder, 300, stan), Admission::Accepted);
    assert_eq!(world.replies().await, []);
    assert_eq!(world.node.pool_headroom(world.deposit).0, 10, "not before the commit");
    world.journal.resume();
    assert_eq!(world.replies().await.len(), 1);
    assert_eq!(world.node.pool_headroom(world.deposit).0, 40);
    world.audit().await;
}

/// The deposit is all held. What is completed was taken from it before, and only what it comes to
/// above that must be there: until it is committed the pool is charged for both.
#[tokio::test(start_paused = true)]
async fn a_completion_needs_no_more_of_the_deposit_than_its_hold_lacks() {
    let mut world = World::with(two_shards(), 100).await;
    let holder = world.holder(FIRST, 1, 90_000).await;
    for (stan, minor) in [(100, 60), (101, 40)] {
        assert_eq!(world.authorize(holder, stan, minor), Admission::Accepted);
    }
    assert_eq!(world.replies().await.len(), 2);
    assert_eq!(world.node.pool_headroom(world.deposit).0, 0);
    let settle = |world: &World, stan, original, minor| {
        let until = Instant::now() + Duration::from_secs(5);
        world.send(settlement(holder, stan, original, minor), holder, stan, until)
    };
    world.journal.hang_before_commit();
    assert_eq!(settle(&world, 200, 100, 60), Admission::Accepted);
    assert_eq!(settle(&world, 201, 101, 41), Admission::Accepted);
    assert_eq!(world.replies().await, []);
    assert_eq!(world.node.pool_headroom(world.deposit).0, -60);
    world.journal.resume();
    let replies = world.replies().await;
    let of = |token| replies.iter().find(|reply| reply.0 == token).expect("answered").1;
    assert!(approved(of(200)), "its hold covers it");
    assert_eq!(declined(of(201)), Some(Reason::PartnerDepositInsufficient));
    assert_eq!(world.node.pool_headroom(world.deposit).0, 0);
    let books = world.node.pool(world.deposit).await;
    assert_eq!((books.level.0, books.held.0), (40, 40));
    assert_eq!(settle(&world, 202, 101, 40), Admission::Accepted);
    assert!(approved(world.replies().await[0].1));
    let books = world.node.pool(world.deposit).await;
    assert_eq!((books.level.0, books.held.0), (0, 0));
    world.audit().await;
}
